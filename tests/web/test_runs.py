"""Runs over HTTP: what `apiops plan`, `apply` and `drift` do with `--manager https://…`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.token import Holder
from tests.remoteshop import CI, Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, DENIZ, MERT, a_proxy

TIMEOUT = ("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Remote]:
    with remote(tmp_path, database) as shop:
        yield shop


@pytest.fixture
def begun(shop: Remote) -> Remote:
    """The same, after the first apply by the person who answers for it."""
    shop.introduce()
    return shop


def test_a_first_apply_writes_everything_and_a_second_plan_has_nothing_to_do(begun: Remote) -> None:
    plan = begun.there("plan")
    assert (0, f"No changes. Live matches {begun.first[:7]}.\n") == (plan.code, plan.out)


def test_a_plan_is_the_same_through_either_door_byte_for_byte(begun: Remote) -> None:
    begun.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Wait")
    begun.commit(DENIZ, {"payments/more.yaml": a_proxy("more")}, "Not mine")
    begun.commit(AYSE, {"cards/limits.yaml": None, "cards/new.yaml": a_proxy("new", "cards")})
    begun.commit(MERT, {"payments/bad.yaml": a_proxy("bad").replace("readTimeout", "x")}, "Bad")
    for format in ("json", "text", "markdown"):
        here, there = (
            way("plan", "-q", "-o", format, "--out", begun.folder / name)
            for way, name in ((begun.here, "here"), (begun.there, "there"))
        )
        assert here == there
        assert here.out.startswith(("{", "Plan", "###", "<!--")), here.out
    assert (begun.folder / "here").read_bytes() == (begun.folder / "there").read_bytes()


def test_an_apply_has_the_commit_as_the_reason_and_http_as_its_door(begun: Remote) -> None:
    made = begun.commit(
        MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Wait longer"
    )
    assert 0 == begun.there("sync").code
    entries = begun.here("audit", "list", "--commit", made, "-o", "json").json["entries"]
    update = next(entry for entry in entries if entry["action"] == "update")
    assert ("mert", "Wait longer", made, "http", "127.0.0.1") == (
        update["principal"],
        update["reason"]["text"],
        update["reason"]["commit"],
        update["source"],
        update["address"],
    )


def test_the_committers_rights_count_and_not_the_tokens(begun: Remote) -> None:
    begun.commit(DENIZ, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Not mine")
    begun.commit(DENIZ, {"cards/limits.yaml": a_proxy("limits", "cards").replace(*TIMEOUT)}, "Mine")
    done = begun.there("sync")
    assert 4 == done.code
    assert "R-not-member" in done.err
    left = begun.there("plan", "-o", "json").json["plan"]["changes"]
    assert {"payments"} == {change["id"]["project"] for change in left}


def test_an_approved_digest_and_a_plan_file_hold_over_http_too(begun: Remote) -> None:
    begun.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    file = begun.folder / "plan.json"
    assert 0 == begun.there("plan", "--out", file).code
    begun.commit(MERT, {"payments/extra.yaml": a_proxy("extra")})
    stale = begun.there("apply", "--approve", "0123abcd")
    assert (5, True) == (stale.code, "AO620" in stale.err)
    assert 0 == begun.there("apply", file).code
    again = begun.there("apply", file)
    assert 5 == again.code


def test_drift_is_found_by_the_server_from_the_commits_that_it_keeps(begun: Remote) -> None:
    assert "No drift." in begun.there("drift").out
    by_hand = begun.here(
        *("manager", "set", "ApiProxy/payments/orders", "spec.settings.connection.readTimeout=90"),
        *("--as", "mert", "--sign-key", begun.person_key(MERT), "--reason", "incident 4711"),
    )
    assert 0 == by_hand.code, by_hand.err
    here, there = (way("drift", "-q", "-o", "json") for way in (begun.here, begun.there))
    assert here == there
    assert 2 == begun.there("drift", "--detailed-exitcode").code


def test_a_work_tree_is_not_submitted(begun: Remote) -> None:
    done = begun.there("plan", "--worktree")
    assert (64, True) == (done.code, "AO745" in done.err)


def test_without_a_token_or_with_another_nothing_is_said(begun: Remote) -> None:
    none = begun.there("plan", token="")
    assert (64, True) == (none.code, "AO908" in none.err)
    for token in ("apt_0123456789abcdef_" + "x" * 43, "x" * 100):
        done = begun.there("plan", token=token)
        assert (4, True) == (done.code, "AO781" in done.err)


def test_an_introduction_needs_the_approvers_own_token(shop: Remote) -> None:
    wish = ("apply", "--introduction", shop.first, "--approver", "ayse", "--yes")
    done = shop.there(*wish)
    assert (4, True) == (done.code, "AO780" in done.err)
    assert {} == shop.open.state(shop.lineage, "dev").applied


def test_a_service_may_be_bound_to_one_repository(begun: Remote) -> None:
    other = a_token(begun.open, "ci", *CI, kind=Holder.SERVICE, repository="b" * 40)
    done = begun.there("plan", token=other)
    assert (4, True) == (done.code, "AO780" in done.err)


def test_overrides_and_evidence_need_a_scope_of_their_own(begun: Remote) -> None:
    for more in (("--allow", "mass-delete"), ("--evidence", EVIDENCE % begun.first)):
        done = begun.there("plan", *more)
        assert (4, True) == (done.code, "AO780" in done.err), done.err


EVIDENCE = '[{"commit": "%s", "mergedBy": "ayse@bank.example"}]'


def test_a_person_sees_and_applies_only_units_that_they_may_see_whole(begun: Remote) -> None:
    begun.commit(AYSE, {"cards/limits.yaml": a_proxy("limits", "cards").replace(*TIMEOUT)}, "Both")
    begun.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Mine")
    mine = a_token(begun.open, "mert", "plan", "apply")
    changes = begun.there("plan", "-o", "json", token=mine).json["plan"]["changes"]
    assert {"payments"} == {change["id"]["project"] for change in changes}
    assert 0 == begun.there("sync", token=mine).code
    left = begun.there("plan", "-o", "json").json["plan"]["changes"]
    assert {"cards"} == {change["id"]["project"] for change in left}


def test_an_approved_apply_cannot_be_replayed(begun: Remote) -> None:
    begun.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    digest = begun.there("plan", "-o", "json").json["plan"]["digest"]
    assert 0 == begun.there("apply", "--approve", digest).code
    written = begun.open.verify().entries
    again = begun.there("apply", "--approve", digest)
    assert (5, True) == (again.code, "AO620" in again.err)
    assert written == begun.open.verify().entries


def test_a_token_that_is_revoked_between_plan_and_apply_applies_nothing(begun: Remote) -> None:
    begun.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    assert 0 == begun.there("plan").code
    by = AuditContext("ayse", "ayse", Reason("Stolen"), "run-x", Source.CONSOLE)
    begun.open.tokens.revoke(begun.token.split("_")[1], by)
    done = begun.there("apply", "--yes")
    assert (4, True) == (done.code, "AO781" in done.err)


def submitted(shop: Remote, head: str, repository: str, **order: str) -> tuple[int, str]:
    """Status and code of a plan of what somebody's own client says."""
    body, media = urllib3.encode_multipart_formdata(
        {
            "repository": repository,
            "head": head,
            "order": json.dumps(order),
            "pack": ("p", shop.story.open().pack([shop.first], [])),
        }
    )
    answer = urllib3.request(
        "POST",
        f"{shop.url}/v1/targets/dev/plans",
        body=body,
        headers={"Content-Type": media, "Authorization": f"Bearer {shop.token}"},
    )
    return answer.status, answer.json().get("code", "")


def test_what_a_client_claims_of_its_commits_counts_for_nothing(begun: Remote) -> None:
    lineage = begun.lineage
    assert (200, "") == submitted(begun, begun.first, lineage)
    assert (200, "") == submitted(begun, begun.first, lineage, commit="f" * 40)
    assert (422, "AO822") == submitted(begun, begun.first, "a" * 40)
    assert (422, "AO821") == submitted(begun, "f" * 40, lineage)
    assert (403, "AO780") == submitted(
        begun, begun.first, lineage, introduction=begun.first, approver="ayse"
    )


def test_the_doctor_looks_at_a_served_manager_and_at_the_token(begun: Remote) -> None:
    good = begun.there("doctor")
    assert (0, True) == (good.code, "is ready, and the token counts" in good.out), good.out
    assert "identities" not in good.out  # the server opens the secrets
    bad = begun.there("doctor", token="apt_0123456789abcdef_" + "x" * 43)
    assert "AO781" in bad.out


def test_what_needs_the_database_says_so(begun: Remote) -> None:
    for command in (("audit", "export"), ("manager", "migrate"), ("manager", "keys", "list")):
        done = begun.there(*command)
        assert (64, True) == (done.code, "AO748" in done.err), done.err
