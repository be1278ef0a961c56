"""The two-person rule: what an environment that asks for approvals lets through, and what not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.model.token import Holder
from tests.people import Person, person
from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, DENIZ, MERT, Shop, a_member, a_proxy, a_user, the_bank

ORDERS = "payments/orders.yaml"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
ZEYNEP, CANAN = person("zeynep"), person("canan")


def an_environment(approvals: int) -> str:
    return (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\n"
        f"spec: {{type: TEST, approvals: {approvals}}}\n"
    )


def a_bank(approvals: int = 1) -> dict[str, str]:
    """Zeynep and Canan may change what Mert may; Deniz may not."""
    return {
        **the_bank(),
        "system/dev.yaml": an_environment(approvals),
        "system/zeynep.yaml": a_user(ZEYNEP),
        "system/canan.yaml": a_user(CANAN),
        "payments/zeynep.yaml": a_member(ZEYNEP, "payments", "Project Owner"),
        "payments/canan.yaml": a_member(CANAN, "payments", "Project Owner"),
    }


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Mert changed a proxy of a project, and somebody else has to approve it."""
    shop = Shop(tmp_path)
    shop.begin(a_bank())
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    return shop


def digest(shop: Shop) -> str:
    found: str = shop.run("plan", "-o", "json").json["plan"]["digest"]
    return found


def word(plan: str) -> str:
    return f"apiops-approve-plan: {plan}"


def approve(shop: Shop, who: Person, plan: str, *more: str) -> tuple[int, str]:
    key = shop.person_key(who)
    done = shop.run("approve", plan, "--as", who.name.lower(), "--sign-key", key, *more)
    return done.code, done.err


def applied(shop: Shop) -> tuple[int, str]:
    done = shop.run("apply", "--yes")
    return done.code, done.err


def approvers(shop: Shop) -> list[str]:
    """Who approved the newest update, as its entry has it."""
    entries = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"]
    found: list[str] = entries[0]["reason"]["approvers"]
    return found


def test_without_an_approval_a_plan_is_shown_and_not_carried_out(shop: Shop) -> None:
    plan = shop.run("plan")
    assert (0, True) == (plan.code, "needs the approval of 1 person" in plan.out)
    told = shop.run("plan", "-o", "json").json
    assert f"ayse, canan, zeynep could: apiops approve {told['plan']['digest']}" in plan.out
    assert {
        "wanted": 1,
        "given": [],
        "passed_over": [],
        "could": ["ayse", "canan", "zeynep"],
        "environment": "dev",
        "part": False,
    } == told["approvals"]
    code, said = applied(shop)
    assert (5, True) == (code, "AO614" in said), said
    assert 5 == shop.run("sync").code
    assert "1 update" in shop.run("plan").out


def test_a_word_in_the_manager_lets_it_go_and_stands_in_the_entries(shop: Shop) -> None:
    assert 0 == approve(shop, ZEYNEP, digest(shop))[0]
    assert "approved by zeynep (entry" in shop.run("plan").out
    assert 0 == applied(shop)[0]
    assert ["zeynep"] == approvers(shop)
    assert 0 == shop.run("audit", "verify").code


def test_so_does_a_signed_tag(shop: Shop) -> None:
    shop.story.tag(ZEYNEP, "go", word(digest(shop)))
    assert "approved by zeynep (tag go)" in shop.run("plan").out
    assert 0 == applied(shop)[0]
    assert ["zeynep"] == approvers(shop)


def test_and_a_signed_empty_commit_on_top(shop: Shop) -> None:
    plan = digest(shop)
    made = shop.commit(ZEYNEP, {}, f"Approve\n\n{word(plan)}")
    assert plan != digest(shop)
    assert f"approved by zeynep (commit {made[:7]})" in shop.run("plan").out
    assert 0 == applied(shop)[0]
    assert ["zeynep"] == approvers(shop)


@pytest.mark.parametrize("way", ["tag", "commit"])
@pytest.mark.parametrize(
    ("who", "told"),
    [
        (MERT, "who made some of it"),
        (DENIZ, "does not count"),
        (person("stranger"), "a key of no user"),
    ],
)
def test_the_word_of_a_maker_or_of_somebody_without_the_right_is_passed_over(
    shop: Shop, way: str, who: Person, told: str
) -> None:
    plan = digest(shop)
    if way == "tag":
        shop.story.tag(who, "go", word(plan))
    else:
        shop.commit(who, {}, f"Approve\n\n{word(plan)}")
    code, said = applied(shop)
    assert (5, True, True) == (code, "AO614" in said, told in said), said


@pytest.mark.parametrize(("who", "told"), [(MERT, "who made some of it"), (DENIZ, "is needed")])
def test_in_the_manager_it_is_denied_and_recorded(shop: Shop, who: Person, told: str) -> None:
    code, said = approve(shop, who, digest(shop))
    assert (4, True, True) == (code, "AO616" in said, told in said), said
    (entry,) = shop.run("audit", "list", "--outcome", "denied", "-o", "json").json["entries"]
    assert who.name.lower() == entry["principal"]
    assert 5 == applied(shop)[0]


def test_a_key_that_is_not_theirs_gives_nobodys_word(shop: Shop) -> None:
    key = shop.person_key(MERT)
    done = shop.run("approve", digest(shop), "--as", "zeynep", "--sign-key", key)
    assert (4, True) == (done.code, "AO502" in done.err), done.err
    assert 64 == shop.run("approve", digest(shop)).code


def test_a_word_is_for_one_plan_and_not_for_what_comes_after_it(shop: Shop) -> None:
    old = digest(shop)
    assert 0 == approve(shop, ZEYNEP, old)[0]
    shop.story.tag(CANAN, "go", word(old))
    shop.commit(MERT, {ORDERS: CHANGED.replace("readTimeout: 90", "readTimeout: 3600")}, "Longer")
    assert 5 == applied(shop)[0]
    code, said = approve(shop, ZEYNEP, old)
    assert (5, True) == (code, "AO620" in said), said


def test_a_content_smuggled_in_below_the_approval_is_another_plan(shop: Shop) -> None:
    plan = digest(shop)
    shop.commit(MERT, {ORDERS: CHANGED.replace("readTimeout: 90", "readTimeout: 3600")}, "Longer")
    shop.commit(ZEYNEP, {}, f"Approve\n\n{word(plan)}")
    assert 5 == applied(shop)[0]


def test_an_approval_that_was_picked_over_is_not_their_own(shop: Shop) -> None:
    plan = digest(shop)
    shop.commit(MERT, {}, f"Approve\n\n{word(plan)}", claims=ZEYNEP)
    shop.story.commit(DENIZ, {}, f"Approve\n\n{word(plan)}", signed=False, claims=ZEYNEP)
    assert 5 == applied(shop)[0]


def test_eight_digits_of_a_digest_are_no_word_in_git(shop: Shop) -> None:
    shop.story.tag(ZEYNEP, "go", word(digest(shop)[:8]))
    assert 5 == applied(shop)[0]


def test_a_word_that_was_taken_back_does_not_count(shop: Shop) -> None:
    plan = digest(shop)
    assert 0 == approve(shop, ZEYNEP, plan)[0]
    assert 0 == approve(shop, ZEYNEP, plan, "--withdraw")[0]
    assert 5 == applied(shop)[0]


def test_one_person_counts_once_however_they_say_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin(a_bank(2))
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    plan = digest(shop)
    assert 0 == approve(shop, ZEYNEP, plan)[0]
    shop.story.tag(ZEYNEP, "go", word(plan))
    shop.story.tag(ZEYNEP, "go-again", word(plan))
    code, said = applied(shop)
    assert (5, True) == (code, "1 more person" in said), said
    shop.story.tag(CANAN, "me-too", word(plan))
    assert 0 == applied(shop)[0]
    assert ["zeynep", "canan"] == sorted(approvers(shop), reverse=True)


def test_a_commit_that_asks_for_fewer_needs_as_many_itself(shop: Shop) -> None:
    shop.commit(AYSE, {"system/dev.yaml": an_environment(0)}, "Ask nobody")
    code, said = applied(shop)
    assert (5, True) == (code, "AO614" in said), said


def test_whoever_loses_the_right_in_the_range_has_no_say_in_it(shop: Shop) -> None:
    shop.commit(AYSE, {"payments/zeynep.yaml": None}, "Less")
    shop.story.tag(ZEYNEP, "go", word(digest(shop)))
    code, said = applied(shop)
    assert (5, True) == (code, "AO614" in said), said


def test_where_nobody_has_to_approve_a_word_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin(a_bank(0))
    shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
    code, said = approve(shop, ZEYNEP, digest(shop))
    assert (5, True) == (code, "AO615" in said), said
    assert 0 == applied(shop)[0]


def test_in_an_emergency_the_number_is_lowered_by_hand_for_one_run(shop: Shop) -> None:
    key = shop.person_key(AYSE)
    by = ("--as", "ayse", "--sign-key", key, "--reason", "incident 4711")
    done = shop.run("manager", "set", "Environment/dev", "spec.approvals=0", *by)
    assert 0 == done.code, done.err
    assert 0 == applied(shop)[0]
    shop.commit(MERT, {ORDERS: a_proxy("orders")}, "Back again")
    code, said = applied(shop)
    assert (5, True) == (code, "AO614" in said), said


@pytest.fixture
def far(tmp_path: Path, database: str) -> Iterator[Remote]:
    """The same over HTTP, on each engine."""
    with remote(tmp_path, database, a_bank()) as shop:
        shop.introduce()
        shop.commit(MERT, {ORDERS: CHANGED}, "Wait longer")
        yield shop


def test_over_http_a_token_is_who_approves(far: Remote) -> None:
    plan = far.there("plan", "-o", "json").json["plan"]["digest"]
    refused = far.there("apply", "--yes")
    assert (5, True) == (refused.code, "AO614" in refused.err), refused.err
    zeynep, mert = (a_token(far.open, name, "plan", "approve") for name in ("zeynep", "mert"))
    assert 4 == far.there("approve", plan, token=mert).code
    assert 4 == far.there("approve", plan).code  # a service's token is for no such thing
    assert 64 == far.there("approve", plan, "--as", "zeynep", token=zeynep).code
    done = far.there("approve", plan, token=zeynep)
    assert 0 == done.code, done.err
    assert 0 == far.there("apply", "--yes").code


def test_over_http_a_tag_goes_along_with_the_commits(far: Remote) -> None:
    plan = far.there("plan", "-o", "json").json["plan"]["digest"]
    far.story.tag(DENIZ, "mine", word(plan))
    assert 5 == far.there("apply", "--yes").code
    far.story.tag(ZEYNEP, "go", word(plan))
    done = far.there("apply", "--yes")
    assert 0 == done.code, done.err


def test_a_service_cannot_have_the_scope(far: Remote) -> None:
    with pytest.raises(Exception, match="scope"):
        a_token(far.open, "ci", "approve", kind=Holder.SERVICE)


def test_where_nobody_else_holds_the_right_it_says_what_to_do(shop: Shop) -> None:
    shop.commit(AYSE, {"system/dev.yaml": an_environment(2)}, "Ask two")
    plan = shop.run("plan")
    assert "nobody else holds every right that it takes" in plan.out
    assert "could: apiops approve" not in plan.out
