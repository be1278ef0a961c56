"""The line from end to end, through the command line, on real Git and a real database."""

from pathlib import Path

import pytest

from apiops.age import writing
from tests.people import Person
from tests.shop import AYSE, DENIZ, MERT, Shop, a_proxy, the_bank
from tests.sops import to

CREDENTIAL = """\
apiVersion: apiops/v1
kind: Credential
metadata: {name: app, project: payments}
spec: {email: app@bank.example, fullName: App, password: correct-horse-battery}
"""
TIMEOUT = ("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_first_apply_writes_everything_and_a_second_plan_has_nothing_to_do(shop: Shop) -> None:
    first = shop.begin()
    plan = shop.run("plan")
    assert (0, f"No changes. Live matches {first[:7]}.\n") == (plan.code, plan.out)


def test_nothing_is_trusted_on_first_use(shop: Shop) -> None:
    shop.commit(AYSE, the_bank())
    shop.manager()
    done = shop.run("apply", "--yes")
    assert 4 == done.code
    assert "--introduction COMMIT --approver NAME" in done.err


def test_a_signed_change_is_applied_with_its_commit_as_the_reason(shop: Shop) -> None:
    shop.begin()
    made = shop.commit(
        MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Wait longer"
    )
    assert 0 == shop.run("sync").code
    entries = shop.run("audit", "list", "--commit", made, "-o", "json").json["entries"]
    update = next(e for e in entries if e["action"] == "update")
    assert ("mert", "Wait longer", made) == (
        update["principal"],
        update["reason"]["text"],
        update["reason"]["commit"],
    )
    assert {"deploy", "update"} <= {entry["action"] for entry in entries}


def test_a_commit_without_the_right_is_refused_with_the_rule_and_freezes_only_its_project(
    shop: Shop,
) -> None:
    shop.begin()
    shop.commit(DENIZ, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Not mine")
    shop.commit(DENIZ, {"cards/limits.yaml": a_proxy("limits", "cards").replace(*TIMEOUT)}, "Mine")
    done = shop.run("sync")
    assert 4 == done.code
    assert "R-not-member" in done.err
    report = shop.run("plan", "-o", "json").json["plan"]["changes"]
    assert {"orders"} == {change["id"]["name"] for change in report}
    denied = shop.run(
        "audit", "list", "--principal", "deniz", "--project", "payments", "-o", "json"
    )
    assert ["denied"] == sorted({entry["outcome"] for entry in denied.json["entries"]})


def test_an_unsigned_commit_proves_nothing(shop: Shop) -> None:
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, signed=False)
    done = shop.run("plan")
    assert 4 == done.code
    assert "not signed" in done.out


def test_a_change_by_hand_is_audited_found_as_drift_and_taken_back(shop: Shop) -> None:
    shop.begin()
    assert "No drift." in shop.run("drift").out
    by_hand = shop.run(
        *("manager", "set", "ApiProxy/payments/orders", "spec.settings.connection.readTimeout=90"),
        *("--as", "mert", "--sign-key", shop.person_key(MERT), "--reason", "incident 4711"),
    )
    assert 0 == by_hand.code, by_hand.err
    drift = shop.run("drift", "--detailed-exitcode")
    assert 2 == drift.code
    assert "settings.connection.readTimeout" in drift.out
    assert "incident 4711" in shop.run("audit", "list").out
    assert 0 == shop.run("sync").code
    assert 0 == shop.run("drift", "--detailed-exitcode").code


@pytest.mark.parametrize(("who", "as_"), [(DENIZ, "deniz"), (DENIZ, "mert")])
def test_by_hand_one_needs_the_right_and_the_key(shop: Shop, who: Person, as_: str) -> None:
    shop.begin()
    done = shop.run(
        *("manager", "set", "ApiProxy/payments/orders", "spec.description=x"),
        *("--as", as_, "--sign-key", shop.person_key(who), "--reason", "why not"),
    )
    assert 4 == done.code
    assert "No drift." in shop.run("drift").out


def test_what_the_repository_no_longer_has_is_deleted_and_nothing_else(shop: Shop) -> None:
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": None}, "Retire orders")
    assert 0 == shop.run("plan", "--no-prune", "--detailed-exitcode").code
    done = shop.run("sync", "-o", "json")
    assert 0 == done.code
    actions = [o["change"]["action"] for o in done.json["report"]["outcomes"]]
    assert ["undeploy", "delete"] == actions


def test_an_approved_digest_holds_only_for_the_plan_that_was_looked_at(shop: Shop) -> None:
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    digest = shop.run("plan", "-o", "json").json["plan"]["digest"]
    shop.commit(MERT, {"payments/extra.yaml": a_proxy("extra")})
    stale = shop.run("apply", "--approve", digest[:8])
    assert (5, True) == (stale.code, "AO620" in stale.err)
    digest = shop.run("plan", "-o", "json").json["plan"]["digest"]
    assert 0 == shop.run("apply", "--approve", digest[:8]).code


def test_a_plan_file_applies_once_and_is_refused_when_stale_or_altered(shop: Shop) -> None:
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    file = shop.folder / "plan.json"
    assert 0 == shop.run("plan", "--out", file).code
    altered = shop.folder / "altered.json"
    altered.write_text(file.read_text().replace("90", "91"))
    assert 5 == shop.run("apply", altered).code
    assert 0 == shop.run("apply", file).code
    assert 5 == shop.run("apply", file).code


def test_without_a_terminal_apply_asks_for_the_flag_it_needs(shop: Shop) -> None:
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)})
    done = shop.run("apply", "--no-input")
    assert 64 == done.code
    assert "--approve" in done.err


def test_an_invalid_project_is_stopped_and_the_others_go_on(shop: Shop) -> None:
    shop.begin()
    shop.commit(
        AYSE,
        {
            "payments/orders.yaml": a_proxy("orders").replace("readTimeout", "readTimeoutt"),
            "cards/limits.yaml": a_proxy("limits", "cards").replace(*TIMEOUT),
        },
    )
    done = shop.run("sync")
    assert 3 == done.code
    assert "AO203" in done.err
    assert "ApiProxy/cards/limits" in done.out
    assert "ApiProxy/payments/orders" not in done.out


def test_a_work_tree_can_be_planned_but_never_judged_or_applied(shop: Shop) -> None:
    shop.begin()
    (shop.repository / "payments/orders.yaml").write_text(a_proxy("orders").replace(*TIMEOUT))
    plan = shop.run("plan", "--worktree")
    assert 0 == plan.code
    assert "readTimeout" in plan.out
    assert "apiops apply" not in plan.out
    assert "--worktree" not in shop.run("apply", "--help").out
    assert "No changes." in shop.run("plan").out


def test_a_bare_repository_works_as_well(shop: Shop, tmp_path: Path) -> None:
    shop.begin()
    bare = tmp_path / "repo.git"
    bare.mkdir()
    for part in ("HEAD", "config", "objects", "refs"):
        source = shop.repository / ".git" / part
        (bare / part).symlink_to(source)
    done = shop.run("plan", "-C", bare, "--config", "apiops.toml")
    assert 0 == done.code, done.err


def test_a_run_that_only_lacks_the_key_of_a_secret_says_so_to_the_shell(shop: Shop) -> None:
    """Exit code 6 is about secrets, and a pipeline asks nothing else."""
    shop.begin()
    policy = to(shop.recipient, rule="encrypted_regex", pattern="^password$")
    sealed = writing.encrypt("app.yaml", CREDENTIAL.encode(), policy).content.decode()
    shop.commit(MERT, {"payments/app.yaml": sealed})
    done = shop.run("apply", "--yes")
    assert (6, True) == (done.code, "AO726" in done.out), done.out + done.err

    shop.variables["SOPS_AGE_KEY"] = shop.identity
    assert 0 == shop.run("apply", "--yes").code


def test_nobody_is_told_who_may_in_a_place_that_is_not_there(shop: Shop) -> None:
    shop.begin()
    there = shop.run("access", "who", "--can", "deploy", "--project", "payments")
    assert 0 == there.code, there.err
    for flag in ("--project", "--environment"):
        done = shop.run("access", "who", "--can", "deploy", flag, "paymnets")
        assert (1, True) == (done.code, "AO727" in done.err), done.err
