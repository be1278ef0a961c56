"""`apiops access` and the trust modes, through the command line, on real Git and a real database."""

import json
from pathlib import Path
from typing import Any

import pygit2
import pytest
import yaml

from tests.openpgp import certificate, public, sign_over
from tests.people import Person, person
from tests.shop import AYSE, DENIZ, MERT, Shop, a_proxy, a_user, the_bank

TIMEOUT = ("readTimeout: 60", "readTimeout: 90")
FORGE = certificate("forge")
ORDERS = "payments/orders.yaml"


def patient(name: str = "orders", project: str = "payments") -> str:
    return a_proxy(name, project).replace(*TIMEOUT)


def certified(name: str, armored: str, **more: Any) -> str:
    """A User with an OpenPGP certificate."""
    spec = {"keys": [{"openpgp": armored}], **more}
    head = {"apiVersion": "apiops/v1", "kind": "User", "metadata": {"name": name}, "spec": spec}
    return yaml.safe_dump(head)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def hosted(tmp_path: Path) -> Shop:
    """A bank whose Manager is host-attested, with the forge's certificate pinned."""
    shop = Shop(tmp_path)
    files = {**the_bank(), "system/forge.yaml": certified("forge", public(FORGE), attests=True)}
    begin(shop, "host-attested", files)
    return shop


def begin(shop: Shop, trust: str, files: dict[str, str]) -> None:
    first = shop.commit(AYSE, files, "Describe the bank")
    init = ("manager", "init", "--admin", "ayse", "--admin-key", shop.folder / "ayse.pub")
    made = shop.run(*init, "--trust", trust)
    assert 0 == made.code, made.err
    done = shop.run("apply", "--introduction", first, "--approver", "ayse", "--yes")
    assert 0 == done.code, done.out + done.err


def evidence(shop: Shop, **entry: str) -> Path:
    file = shop.folder / "evidence.json"
    file.write_text(json.dumps([entry]))
    return file


def squash(shop: Shop, files: dict[str, str], message: str = "Squash (#7)") -> str:
    """What the forge's web UI makes of a pull request: one commit, signed by the forge."""
    return sign_over(shop.repository, shop.commit(AYSE, files, message, signed=False), FORGE)


def pull_request(shop: Shop, who: Person, files: dict[str, str], ref: str = "") -> str:
    """A commit beside main, as a pull request has it; its id."""
    tip = shop.story.open().resolve("main").commit
    head = shop.commit(who, files, "In the pull request", branch="topic", parents=[tip])
    repository = pygit2.Repository(str(shop.repository))
    if ref:
        repository.references.create(ref, pygit2.Oid(hex=head), force=True)
    return head


def judgement(shop: Shop, *arguments: str | Path, name: str = "orders") -> dict[str, Any]:
    done = shop.run("access", "check", "-o", "json", *arguments)
    found = done.json["permission"]["judgements"]
    (one,) = (
        j
        for j in found
        if j["change"]["resource"].endswith(f"/{name}") and j["change"]["action"] == "update"
    )
    return dict(one)


def writers(shop: Shop, commit: str) -> set[tuple[str, str]]:
    """Who changed resources for that commit, and by which pull request."""
    entries = shop.run("audit", "list", "--commit", commit, "-o", "json").json["entries"]
    return {
        (entry["principal"], entry["reason"]["pull_request"])
        for entry in entries
        if entry["action"] in ("update", "deploy")
    }


# --- check


def test_a_check_without_changes_has_nothing_to_judge(shop: Shop) -> None:
    shop.begin()
    done = shop.run("access", "check")
    assert 0 == done.code
    assert "No change to judge" in done.out


def test_a_check_tells_commit_signer_right_verdict_rule_and_what_to_do(shop: Shop) -> None:
    shop.begin()
    bad = shop.commit(DENIZ, {ORDERS: patient()}, "Not mine")
    shop.commit(DENIZ, {"cards/limits.yaml": patient("limits", "cards")}, "Mine")
    done = shop.run("access", "check")
    assert 4 == done.code
    told = done.out
    for word in (
        *(bad[:7], "deniz", "API_MANAGEMENT.MANAGE in project payments", "denied"),
        *("R-not-member", "apiops-approve: ApiProxy/payments/orders", "mert"),
        *("allowed", "R-project-role", "project payments stays"),
    ):
        assert word in told, word


def test_the_markdown_of_a_plan_has_the_same_table(shop: Shop) -> None:
    shop.begin()
    shop.commit(DENIZ, {ORDERS: patient()}, "Not mine")
    rows = [
        {line for line in shop.run(*verb, "-o", "markdown").out.splitlines() if line[:3] == "| `"}
        for verb in (("access", "check"), ("plan",))
    ]
    assert rows[0]
    assert rows[0] <= rows[1]


def test_a_range_is_checked_from_the_base_that_is_named(shop: Shop) -> None:
    shop.begin()
    base = shop.commit(DENIZ, {ORDERS: patient()}, "Not mine, but merged already")
    shop.commit(MERT, {ORDERS: patient().replace("90", "95")}, "Mine")
    assert judgement(shop, "--base", base)["allowed"]
    assert not judgement(shop)["allowed"]
    done = shop.run("access", "check", "--base", base, "-o", "json")
    assert (0, {"payments": base}) == (done.code, done.json["base"])


def test_a_pull_request_is_checked_before_it_is_merged(shop: Shop) -> None:
    shop.begin()
    head = pull_request(shop, DENIZ, {ORDERS: None, "payments/new.yaml": a_proxy("new")})
    done = shop.run("access", "check", "--base", "main", "--ref", head, "-o", "json")
    changes = {
        (one["change"]["action"], one["allowed"]) for one in done.json["permission"]["judgements"]
    }
    assert 4 == done.code
    assert {("delete", False), ("create", False), ("deploy", False), ("undeploy", False)} == changes
    assert 0 == shop.run("access", "check").code


def test_a_check_says_when_it_could_not_read_a_project(shop: Shop) -> None:
    base = shop.begin()
    shop.commit(MERT, {ORDERS: patient() + "oops\n"}, "Break it")
    for arguments in ((), ("--base", base)):
        done = shop.run("access", "check", *arguments)
        assert (3, True) == (done.code, ORDERS in done.err)


def test_a_base_that_is_not_below_the_head_is_refused(shop: Shop) -> None:
    first = shop.begin()
    other = pull_request(shop, MERT, {ORDERS: patient()})
    done = shop.run("access", "check", "--base", other, "--ref", first)
    assert (5, True) == (done.code, "AO625" in done.err)


# --- matrix


def test_the_matrix_needs_no_repository_and_no_manager(tmp_path: Path) -> None:
    from tests.shop import run

    plain, expanded = (
        run("access", "matrix", *more, "-o", "json", cwd=tmp_path).json["matrix"]
        for more in ((), ("--expanded",))
    )
    column = plain["roles"].index("API Manager")
    assert ("V", "VM") == tuple(one["cells"]["SECRETS"][column] for one in (plain, expanded))
    for format in ("text", "markdown"):
        done = run("access", "matrix", "-o", format, cwd=tmp_path)
        assert 0 == done.code
        assert 15 <= sum(word in done.out for word in plain["cells"])


# --- import


def test_signers_are_imported_as_users_that_validate_and_prove(shop: Shop) -> None:
    shop.begin()
    zoe = person("zoe")
    file = shop.folder / "allowed_signers"
    file.write_text(f'zoe@bank.example namespaces="git" {zoe.public_line}\n')
    done = shop.run("access", "import-signers", file)
    assert 0 == done.code
    member = the_bank()["cards/deniz.yaml"].replace("deniz", "zoe")
    shop.commit(AYSE, {"system/zoe.yaml": done.out, "cards/zoe.yaml": member}, "Welcome Zoe")
    assert 0 == shop.run("sync").code
    shop.commit(zoe, {"cards/limits.yaml": patient("limits", "cards")}, "Wait longer")
    assert 0 == shop.run("sync").code


def test_a_pattern_is_not_imported_and_nothing_is_printed(shop: Shop) -> None:
    shop.begin()
    file = shop.folder / "allowed_signers"
    file.write_text(f"*@bank.example {person('zoe').public_line}\n")
    done = shop.run("access", "import-signers", file)
    assert (3, "") == (done.code, done.out)
    assert all(word in done.err for word in ("AO541", "allowed_signers:1"))
    file.write_bytes(b"\xff\xfe")
    assert 64 == shop.run("access", "import-signers", file).code


# --- OpenPGP


def test_a_change_signed_with_openpgp_is_applied_in_its_owners_name(shop: Shop) -> None:
    mert = certificate("mert")
    shop.begin({**the_bank(), "system/mert.yaml": certified("mert", public(mert))})
    made = sign_over(shop.repository, shop.commit(MERT, {ORDERS: patient()}), mert)
    assert ["mert"] == judgement(shop)["principals"]
    assert 0 == shop.run("sync").code
    assert {("mert", "")} == writers(shop, made)


def test_an_openpgp_key_of_nobody_proves_nobody(shop: Shop) -> None:
    shop.begin()
    sign_over(shop.repository, shop.commit(MERT, {ORDERS: patient()}), certificate("stranger"))
    assert ["AO502"] == [cause["code"] for cause in judgement(shop)["causes"]]


# --- trust: committer


def test_where_names_are_believed_the_first_line_says_so(shop: Shop) -> None:
    begin(shop, "committer", the_bank())
    shop.commit(MERT, {ORDERS: patient()}, signed=False)
    for verb in (("plan",), ("access", "check")):
        done = shop.run(*verb)
        assert 0 == done.code, done.err
        assert done.out.startswith("Names are believed")
        assert "**Names are believed" in shop.run(*verb, "-o", "markdown").out
    assert "committer" == shop.run("plan", "-o", "json").json["permission"]["trust"]
    shop.commit(MERT, {ORDERS: patient().replace("90", "95")}, claims=person("x"), signed=False)
    assert ["AO511"] == [cause["code"] for cause in judgement(shop)["causes"]]


# --- trust: host-attested


def test_a_squash_without_evidence_is_nobodys(hosted: Shop) -> None:
    squash(hosted, {ORDERS: patient()})
    assert ["AO513"] == [cause["code"] for cause in judgement(hosted)["causes"]]
    assert 4 == hosted.run("sync").code


def test_a_squash_is_charged_to_whoever_the_forge_says_merged_it(hosted: Shop) -> None:
    made = squash(hosted, {ORDERS: patient()})
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example", pullRequest="7")
    assert ["mert"] == judgement(hosted, "--evidence", file)["principals"]
    assert 0 == hosted.run("sync", "--evidence", file).code
    assert {("mert", "7")} == writers(hosted, made)


def test_evidence_may_come_in_the_environment(hosted: Shop) -> None:
    made = squash(hosted, {ORDERS: patient()})
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example")
    hosted.variables["APIOPS_EVIDENCE"] = file.read_text()
    assert 0 == hosted.run("plan").code
    hosted.variables["APIOPS_EVIDENCE"] = str(file)
    assert 0 == hosted.run("plan").code
    hosted.variables["APIOPS_EVIDENCE"] = "{"
    done = hosted.run("plan")
    assert (64, True) == (done.code, "AO516" in done.err)


def test_whoever_merged_needs_the_right(hosted: Shop) -> None:
    made = squash(hosted, {ORDERS: patient()})
    for address, code in (("deniz@bank.example", "AO520"), ("x@bank.example", "AO514")):
        file = evidence(hosted, commit=made, mergedBy=address)
        causes = judgement(hosted, "--evidence", file)["causes"]
        assert [code] == [cause["code"] for cause in causes]


@pytest.mark.parametrize("ref", ["refs/pull/7/head", "refs/merge-requests/7/head", ""])
def test_the_commits_of_the_pull_request_are_preferred_to_the_merger(
    hosted: Shop, ref: str
) -> None:
    head = pull_request(hosted, MERT, {ORDERS: patient()}, ref)
    made = squash(hosted, {ORDERS: patient()})
    found = {"pullRequest": "7"} if ref else {"head": head}
    file = evidence(hosted, commit=made, mergedBy="deniz@bank.example", **found)
    said = judgement(hosted, "--evidence", file)
    assert (["mert"], [head]) == (said["principals"], said["charged"])
    assert 0 == hosted.run("sync", "--evidence", file).code


@pytest.mark.parametrize("number", ["7", "8"])
def test_a_sync_fetches_the_heads_that_the_evidence_names(hosted: Shop, number: str) -> None:
    forge = pygit2.clone_repository(
        str(hosted.repository), str(hosted.folder / "forge.git"), bare=True
    )
    head = pull_request(hosted, MERT, {ORDERS: patient()})
    made = squash(hosted, {ORDERS: patient()})
    here = pygit2.Repository(str(hosted.repository))
    origin = here.remotes.create("origin", forge.path)
    origin.push(["refs/heads/topic:refs/pull/7/head"])
    here.branches.delete("topic")
    assert number == "7" or "refs/pull/8/head" not in forge.references
    said = evidence(hosted, commit=made, mergedBy="deniz@bank.example", pullRequest=number)
    done = hosted.run("sync", "--fetch", "origin", "--evidence", said)
    assert (0 if number == "7" else 4) == done.code, done.err
    assert (number == "7") is ("refs/pull/7/head" in here.references)
    assert head in here


def test_a_pull_request_by_a_stranger_stays_a_strangers_whoever_merges(hosted: Shop) -> None:
    head = pull_request(hosted, DENIZ, {ORDERS: patient()})
    made = squash(hosted, {ORDERS: patient()})
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example", head=head)
    said = judgement(hosted, "--evidence", file)
    assert (False, ["deniz"]) == (said["allowed"], said["principals"])


def test_a_squash_that_is_not_what_the_pull_request_says_is_charged_to_the_merger(
    hosted: Shop,
) -> None:
    head = pull_request(hosted, MERT, {ORDERS: patient()})
    made = squash(hosted, {ORDERS: patient().replace("90", "600")})
    file = evidence(hosted, commit=made, mergedBy="deniz@bank.example", head=head)
    said = judgement(hosted, "--evidence", file)
    assert not said["allowed"]
    assert {"deniz"} == {cause["principal"] for cause in said["causes"]}


def test_a_head_that_is_not_in_the_clone_leaves_the_merger(hosted: Shop) -> None:
    made = squash(hosted, {ORDERS: patient()})
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example", head="f" * 40)
    assert ["mert"] == judgement(hosted, "--evidence", file)["principals"]


def test_a_head_that_comes_after_its_squash_makes_no_circle(hosted: Shop) -> None:
    made = squash(hosted, {ORDERS: patient()})
    after = hosted.commit(MERT, {ORDERS: patient().replace("90", "95")})
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example", head=after)
    assert ["mert"] == judgement(hosted, "--evidence", file)["principals"]


def test_a_trailer_in_a_squash_message_is_nobodys_approval(hosted: Shop) -> None:
    hosted.commit(DENIZ, {ORDERS: patient()}, "Not mine")
    made = squash(
        hosted,
        {"payments/other.yaml": a_proxy("other")},
        "Squash (#8)\n\napiops-approve: ApiProxy/payments/orders",
    )
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example")
    causes = judgement(hosted, "--evidence", file)["causes"]
    assert ["AO520", "AO521"] == [cause["code"] for cause in causes]


def test_a_person_still_approves_with_their_own_signature(hosted: Shop) -> None:
    hosted.commit(DENIZ, {ORDERS: patient()}, "Not mine")
    hosted.commit(MERT, {}, "Fine\n\napiops-approve: ApiProxy/payments/orders")
    assert judgement(hosted)["allowed"]


def test_an_unsigned_commit_is_nobodys_whatever_the_evidence_says(hosted: Shop) -> None:
    made = hosted.commit(MERT, {ORDERS: patient()}, signed=False)
    file = evidence(hosted, commit=made, mergedBy="mert@bank.example")
    causes = judgement(hosted, "--evidence", file)["causes"]
    assert ["AO501"] == [cause["code"] for cause in causes]


def test_where_only_people_are_believed_a_forge_proves_nothing(shop: Shop) -> None:
    shop.begin({**the_bank(), "system/forge.yaml": certified("forge", public(FORGE), attests=True)})
    made = squash(shop, {ORDERS: patient()})
    file = evidence(shop, commit=made, mergedBy="mert@bank.example")
    causes = judgement(shop, "--evidence", file)["causes"]
    assert ["AO515"] == [cause["code"] for cause in causes]


def test_a_forge_with_roles_or_addresses_does_not_validate(shop: Shop) -> None:
    shop.commit(AYSE, {"system/forge.yaml": a_user(AYSE, "sysAdmin") + "  attests: true\n"})
    done = shop.run("validate")
    assert 3 == done.code
    assert "forge" in done.err + done.out
