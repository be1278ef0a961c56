"""Attacks on what an environment demands: a second person, a freeze, documents that break nobody."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyrage
import pytest
import urllib3

from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.resource import ResourceId
from tests.cli.test_approvals import (
    CANAN,
    CHANGED,
    ORDERS,
    ZEYNEP,
    a_bank,
    an_environment,
    approve,
    digest,
    word,
)
from tests.cli.test_attacks import SECRET
from tests.cli.test_breaking import DOCUMENT, FILE, LESS, PROXY
from tests.cli.test_gates import NOW
from tests.cli.test_gates import an_environment as a_freeze
from tests.people import Person, person
from tests.remote.bank import VendorShop, the_vendor_bank
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, DENIZ, MERT, SETTINGS, Done, Shop, a_member, a_proxy, a_user

PROXY_ID = ResourceId("ApiProxy", "payments", "orders")
PUPPET = person("puppet")
LONGER = a_proxy("limits", "cards").replace("readTimeout: 60", "readTimeout: 90")
VARIABLE = "payments/limit.yaml"
NOTHING: Mapping[str, str] = {}
AN_IP_GROUP = """\
apiVersion: apiops/v1
kind: IpGroup
metadata: {name: office, project: payments}
spec: {ipList: [10.0.0.1]}
"""


def a_variable(dev: str, prod: str) -> str:
    values = (
        f"{name}: {{value: {value}, visible: true}}"
        for name, value in (("dev", dev), ("prod", prod))
    )
    return (
        "apiVersion: apiops/v1\nkind: EnvironmentVariable\n"
        "metadata: {name: limit, project: payments}\n"
        f"spec: {{values: {{{', '.join(values)}}}}}\n"
    )


@pytest.fixture
def far(tmp_path: Path, database: str) -> Iterator[Remote]:
    """Over HTTP: Mert changed a proxy, and somebody else has to approve it."""
    with remote(tmp_path, database, a_bank()) as shop:
        shop.introduce()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        yield shop


def test_whoever_sees_a_project_alone_is_held_to_what_the_environment_demands(far: Remote) -> None:
    mine = a_token(far.open, "mert", "plan", "apply")
    assert "needs the approval of 1 person" in far.there("plan", token=mine).out
    done = far.there("apply", "--yes", token=mine)
    assert (5, True) == (done.code, "AO614" in done.err), done.err
    assert "the digest that the pipeline's plan has" in done.err


def test_a_freeze_holds_them_too(tmp_path: Path, database: str) -> None:
    with remote(tmp_path, database, {**a_bank(0), "system/dev.yaml": a_freeze(*NOW)}) as far:
        mine = a_token(far.open, "ayse", "plan", "apply", "override")
        begun = ("--introduction", far.first, "--approver", "ayse", "--yes")
        assert 0 == far.there("apply", *begun, token=mine).code
        far.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        done = far.there("apply", "--yes", token=a_token(far.open, "mert", "plan", "apply"))
        assert (5, True) == (done.code, "AO613" in done.err), done.err


def test_a_plan_of_what_is_not_settled_tells_of_the_approval_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin(a_bank())
    assert "No changes" in shop.run("plan").out
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    plan = shop.run("plan")
    assert "needs the approval of 1 person" in plan.out


TWO_TARGETS = SETTINGS + '\n[targets.prod]\nmanager = "sqlite:///../dev.db"\n'
BOTH = "    - environment: prod\n"


def a_production(spec: str = "approvals: 1") -> str:
    return (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: prod}\n"
        f"spec: {{type: PRODUCTION, {spec}}}\n"
    )


def two_targets(folder: Path, production: str, files: Mapping[str, str] = NOTHING) -> Shop:
    """One Manager for an environment that asks nobody, and for one that demands something."""
    shop = Shop(folder)
    bank = {
        **a_bank(0),
        "apiops.toml": TWO_TARGETS,
        "system/prod.yaml": production,
        ORDERS: a_proxy("orders") + BOTH,
        **files,
    }
    first = shop.commit(AYSE, bank, "Describe the bank")
    shop.variables["APIOPS_TARGET"] = "dev"
    assert 0 == shop.manager().code
    done = shop.run("apply", "--introduction", first, "--approver", "ayse", "--yes")
    assert 0 == done.code, done.err
    return shop


def held_up(shop: Shop, code: str = "AO614") -> None:
    done = shop.run("apply", "--yes")
    assert (5, True) == (done.code, code in done.err), done.out + done.err


def test_what_production_demands_is_not_lowered_by_way_of_another_target(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production())
    shop.commit(AYSE, {"system/prod.yaml": a_production("approvals: 0")}, "Ask nobody")
    held_up(shop)


def test_nor_is_its_environment_deleted(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production(), {ORDERS: a_proxy("orders")})
    shop.commit(AYSE, {"system/prod.yaml": None}, "Away")
    held_up(shop)


def test_nor_is_a_person_made_up_who_could_approve(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production())
    puppet = {
        "system/puppet.yaml": a_user(PUPPET),
        "payments/puppet.yaml": a_member(PUPPET, "payments", "Project Owner"),
    }
    shop.commit(AYSE, puppet, "A colleague")
    held_up(shop)


def test_nor_is_what_every_worker_receives_at_once_changed(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production())
    shop.commit(MERT, {"payments/office.yaml": AN_IP_GROUP}, "Let the office in")
    held_up(shop)


def test_nor_is_a_proxy_deployed_there(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production())
    shop.commit(MERT, {ORDERS: CHANGED + BOTH}, "Wait longer")
    held_up(shop)
    assert "for prod it needs the approval of 1 person" in shop.run("plan").out


def test_nor_is_one_deleted_that_runs_there(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production())
    shop.commit(MERT, {ORDERS: None}, "Away")
    held_up(shop)


def test_what_is_for_the_other_environment_alone_asks_nobody(tmp_path: Path) -> None:
    files = {ORDERS: a_proxy("orders"), VARIABLE: a_variable("one", "one")}
    shop = two_targets(tmp_path, a_production(), files)
    shop.commit(MERT, {ORDERS: CHANGED, VARIABLE: a_variable("two", "one")}, "Only here")
    done = shop.run("apply", "--yes")
    assert 0 == done.code, done.err
    shop.commit(MERT, {VARIABLE: a_variable("two", "two")}, "There too")
    held_up(shop)


def test_nor_is_a_document_that_breaks_callers_there(tmp_path: Path) -> None:
    documented = {
        FILE: DOCUMENT,
        ORDERS: PROXY.replace("{environment: dev}", "{environment: dev}, {environment: prod}"),
    }
    shop = two_targets(tmp_path, a_production("breakingChanges: REFUSE"), documented)
    shop.commit(MERT, {FILE: LESS}, "Another document")
    held_up(shop, "AO618")


def test_a_freeze_of_production_is_not_ended_by_way_of_another_target(tmp_path: Path) -> None:
    freeze = a_freeze(*NOW).replace("name: dev", "name: prod")
    shop = two_targets(tmp_path, freeze)
    shop.commit(AYSE, {"system/prod.yaml": a_production("approvals: 0")}, "End the freeze")
    held_up(shop, "AO613")


@pytest.fixture
def waiting(tmp_path: Path) -> Shop:
    """Mert changed a proxy, and somebody else has to approve it."""
    shop = Shop(tmp_path)
    shop.begin(a_bank())
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    return shop


def by_hand(shop: Shop, who: Person, *words: str) -> Done:
    proof = ("--as", who.name.lower(), "--sign-key", str(shop.person_key(who)))
    return shop.run("manager", "set", *words, *proof, "--reason", "incident 4711")


def drifting(shop: Shop, connect: int) -> None:
    """Somebody changes the proxy behind every door."""
    context = AuditContext("mert", "mert", Reason("By hand"), "run-hand", Source.CONSOLE)
    patch = {"settings": {"connection": {"connectTimeout": connect}}}
    with contextlib.closing(shop.open_manager()) as manager:
        manager.change(PROXY_ID, patch, principal="mert", context=context)


def test_some_digits_of_a_digest_are_no_word_in_the_manager_either(waiting: Shop) -> None:
    """Eight digits are soon found for another plan, by trying."""
    code, said = approve(waiting, ZEYNEP, digest(waiting)[:8])
    assert (5, True) == (code, "AO621" in said), said


def test_a_signed_word_is_taken_back_in_the_manager(waiting: Shop) -> None:
    """Whoever has a tag's object can send it again, so to delete the tag is not enough."""
    plan = digest(waiting)
    waiting.story.tag(ZEYNEP, "go", word(plan))
    assert 0 == approve(waiting, ZEYNEP, plan, "--withdraw")[0]
    held_up(waiting)
    assert "tag go was taken back by zeynep" in waiting.run("plan").out
    assert 0 == approve(waiting, ZEYNEP, plan)[0]
    assert 0 == waiting.run("apply", "--yes").code


def test_a_key_that_has_expired_gives_no_word_in_the_manager(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    old = a_user(ZEYNEP) + "      validUntil: 2020-01-01T00:00:00Z\n"
    shop.begin({**a_bank(), "system/zeynep.yaml": old})
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    code, said = approve(shop, ZEYNEP, digest(shop))
    assert (4, True) == (code, "AO505" in said), said
    held_up(shop)


def test_a_right_that_was_taken_away_is_not_back_because_anybody_reverts_it(waiting: Shop) -> None:
    """What is as it was applied takes no right; the word of who left would count again."""
    waiting.commit(AYSE, {"payments/zeynep.yaml": None}, "Zeynep leaves")
    again = {"payments/zeynep.yaml": a_member(ZEYNEP, "payments", "Project Owner")}
    waiting.commit(DENIZ, again, "Back", signed=False)
    waiting.story.tag(ZEYNEP, "go", word(digest(waiting)))
    held_up(waiting)


def test_whoever_made_what_another_answers_for_is_no_second_person(waiting: Shop) -> None:
    """Canan may not change what Ayşe then answers for."""
    change = CHANGED.replace("readTimeout: 90", "readTimeout: 91")
    made = waiting.commit(CANAN, {ORDERS: change, "cards/limits.yaml": LONGER}, "Longer")
    resources = "apiops-approve: ApiProxy/payments/orders\napiops-approve: ApiProxy/cards/limits"
    waiting.commit(AYSE, {}, f"Approve {made[:7]}\n\n{resources}")
    waiting.commit(AYSE, {"cards/limits.yaml": a_proxy("limits", "cards")}, "Not that")
    waiting.story.tag(CANAN, "go", word(digest(waiting)))
    held_up(waiting)
    assert "is the word of canan, who made some of it" in waiting.run("plan").out


def test_what_was_denied_when_a_plan_was_approved_does_not_go_along_with_it(waiting: Shop) -> None:
    waiting.commit(MERT, {"cards/limits.yaml": LONGER}, "Not his")
    waiting.story.tag(AYSE, "go", word(digest(waiting)))
    assert "approved by ayse" in waiting.run("plan").out
    waiting.commit(DENIZ, {}, "Let it\n\napiops-approve: ApiProxy/cards/limits")
    held_up(waiting)


def test_words_given_in_every_way_are_counted_together(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin(a_bank(3))
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    plan = digest(shop)
    assert 0 == approve(shop, ZEYNEP, plan)[0]
    shop.story.tag(AYSE, "go", word(plan))
    held_up(shop)
    shop.commit(CANAN, {}, f"Approve\n\n{word(plan)}")
    done = shop.run("apply", "--yes")
    assert 0 == done.code, done.err


def test_an_empty_commit_approves_a_plan_that_sets_drift_right(waiting: Shop) -> None:
    """Mert's commit answers for it, and not the newest, in which Zeynep approves."""


def test_nobody_approves_alone_what_sets_drift_right(waiting: Shop) -> None:
    waiting.story.tag(ZEYNEP, "go", word(digest(waiting)))
    assert 0 == waiting.run("apply", "--yes").code
    drifting(waiting, 11)
    waiting.commit(MERT, {}, f"Approve\n\n{word(digest(waiting))}")
    held_up(waiting)


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ("ApiProxy/payments/orders", "spec.settings.connection.connectTimeout=11"),
        ("User/zeynep", "spec.email=other@bank.example"),
        ("IpGroup/payments/office", 'spec.ipList=["0.0.0.0/0"]'),
    ],
)
def test_by_hand_nothing_is_changed_where_it_takes_more_than_one(
    tmp_path: Path, resource: str, said: str
) -> None:
    shop = Shop(tmp_path)
    shop.begin({**a_bank(), "payments/office.yaml": AN_IP_GROUP})
    done = by_hand(shop, AYSE, resource, said)
    assert (5, True) == (done.code, "AO628" in done.err), done.err
    assert 0 == by_hand(shop, AYSE, "Environment/dev", "spec.approvals=0").code
    assert 0 == by_hand(shop, AYSE, resource, said).code


def test_nor_over_http_by_the_calls_that_a_vendor_has(tmp_path: Path, database: str) -> None:
    with remote(tmp_path, database, {**a_bank(), "payments/office.yaml": AN_IP_GROUP}) as far:
        far.introduce()
        mine = a_token(far.open, "mert", "read", "write")
        proxy = "/apiops/projects/payments/apiProxies/orders"
        group = {"ipGroupName": "office", "ipList": ["0.0.0.0/0"]}
        for method, path, body in (
            ("DELETE", f"{proxy}/environments/dev/", None),
            ("POST", f"{proxy}/environments/dev/", None),
            ("DELETE", f"{proxy}/", None),
            ("PUT", "/apiops/projects/payments/ipGroups/office/", group),
        ):
            answer = urllib3.request(
                method, far.url + path, json=body, headers={"Authorization": f"Bearer {mine}"}
            )
            assert 400 == answer.status, answer.data
            assert b"only one person wants" in answer.data, answer.data
        assert "No changes" in far.there("plan").out


def test_a_vendors_manager_that_no_longer_lists_an_environment_ends_nothing_it_demands(
    tmp_path: Path,
) -> None:
    """What a token is shown there, others decide; what is demanded stands in the ledger."""
    with VendorShop(tmp_path) as bank:
        bank.begin({**the_vendor_bank(), "system/dev.yaml": an_environment(1)})
        bank.world.environments.pop("dev")
        bank.commit(MERT, {"payments/office.yaml": AN_IP_GROUP}, "Let the office in")
        held_up(bank)


def test_a_tag_below_a_commit_that_approves_goes_along_over_http_whatever_else_is_tagged(
    tmp_path: Path, database: str
) -> None:
    with remote(tmp_path, database, a_bank(2)) as far:
        far.introduce()
        far.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        plan = far.there("plan", "-o", "json").json["plan"]["digest"]
        far.story.tag(ZEYNEP, "go", word(plan))
        for number in range(60):
            far.story.tag(MERT, f"a{number}", "Nothing")
        far.commit(CANAN, {}, f"Approve\n\n{word(plan)}")
        done = far.there("apply", "--yes")
        assert 0 == done.code, done.err


MEANT = "apiops-break: ApiProxy/payments/orders nobody minds"


@pytest.mark.parametrize(("said", "code"), [("", 5), ("\n" + MEANT, 0)])
def test_that_callers_break_is_meant_says_nobody_who_may_not_change_it(
    tmp_path: Path, said: str, code: int
) -> None:
    """Deniz may not; Mert, who approves the content, is asked for his own word on that too."""
    shop = Shop(tmp_path)
    environment = an_environment(0).replace("approvals: 0", "breakingChanges: REFUSE")
    shop.begin({**a_bank(0), "system/dev.yaml": environment, ORDERS: PROXY, FILE: DOCUMENT})
    shop.commit(DENIZ, {FILE: LESS}, f"Less\n\n{MEANT}")
    shop.commit(MERT, {}, f"Well\n\napiops-approve: ApiProxy/payments/orders{said}")
    done = shop.run("apply", "--yes")
    assert (code, code == 5) == (done.code, "AO618" in done.err), done.err


def test_whoever_approves_over_http_is_shown_no_more_than_they_may_see(
    tmp_path: Path, database: str
) -> None:
    with remote(tmp_path, database, a_bank()) as far:
        far.introduce()
        far.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        far.commit(MERT, {"cards/limits.yaml": LONGER}, "Not his")
        plan = far.there("plan", "-o", "json").json["plan"]["digest"]
        zeynep = a_token(far.open, "zeynep", "plan", "approve")
        done = far.there("approve", plan, "-o", "json", token=zeynep)
        assert 0 == done.code, done.err
        assert {"orders"} == {one["id"]["name"] for one in done.json["plan"]["changes"]}
        assert "limits" not in done.out
        assert plan == done.json["plan"]["digest"]
        assert ["zeynep"] == [one["principal"] for one in done.json["approvals"]["given"]]


def test_a_target_that_is_suspended_is_not_reached_by_way_of_another(tmp_path: Path) -> None:
    shop = two_targets(tmp_path, a_production("approvals: 0"))
    key = shop.person_key(AYSE)
    by = ("--as", "ayse", "--sign-key", key, "--reason", "incident 4711", "--target", "prod")
    assert 0 == shop.run("suspend", *by).code
    shop.commit(MERT, {ORDERS: CHANGED + BOTH}, "Wait longer")
    assert "prod is suspended" in shop.run("plan").out
    held_up(shop, "AO617")
    shop.commit(MERT, {ORDERS: a_proxy("orders") + BOTH, "payments/more.yaml": a_proxy("more")})
    assert 0 == shop.run("apply", "--yes").code
    shop.commit(MERT, {ORDERS: CHANGED + BOTH}, "Wait longer")
    assert 0 == shop.run("resume", *by).code
    assert 0 == shop.run("apply", "--yes").code


def sealed(shop: Shop, value: str) -> bytes:
    return pyrage.encrypt(value.encode(), [pyrage.x25519.Recipient.from_str(shop.recipient)])


def test_without_the_keys_nobody_is_told_to_approve_another_plan(tmp_path: Path) -> None:
    """What is applied is the plan with the keys, so a word for that without would count for none."""
    shop = Shop(tmp_path)
    shop.variables["SOPS_AGE_KEY"] = shop.identity
    secret = {"payments/partner.yaml": SECRET % "{$secretFile: partner.age}"}
    shop.begin({**a_bank(), **secret, "payments/partner.age": sealed(shop, "one")})
    shop.commit(MERT, {"payments/partner.age": sealed(shop, "two")}, "Another password")
    plan = digest(shop)
    del shop.variables["SOPS_AGE_KEY"]
    assert "take the digest that the pipeline's plan has" in shop.run("plan").out
    for one in (plan, digest(shop)):
        code, said = approve(shop, ZEYNEP, one)
        assert (5, True) == (code, "secrets were not compared here" in said), said
    shop.story.tag(ZEYNEP, "go", word(plan))
    held_up(shop)
    shop.variables["SOPS_AGE_KEY"] = shop.identity
    assert 0 == shop.run("apply", "--yes").code
