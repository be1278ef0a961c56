"""Rights that move inside a range, keys that come and go, and inputs that many share: on real Git."""

from pathlib import Path

import pytest

from tests.histories import (
    CEM,
    LIMITS,
    ORDERS,
    REFUNDS,
    SELIN,
    Tale,
    approves,
    limits,
    orders,
    refunds,
)
from tests.people import Person, person
from tests.shop import AYSE, DENIZ, MERT, a_member, a_user

OF_ORDERS = "update ApiProxy/payments/orders"
OF_LIMITS = "update ApiProxy/cards/limits"
NEW = person("cem-new-key")
"""The person behind cem's next key."""


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def with_keys(who: Person, *keys: str) -> str:
    """A User with these key entries (YAML flow)."""
    head = a_user(who).partition("  keys:")[0]
    return f"{head}  keys: [{', '.join(keys)}]\n"


def key(who: Person, **more: str) -> str:
    rest = "".join(f", {name}: {value}" for name, value in more.items())
    return f'{{key: "{who.public_line}"{rest}}}'


def test_a_grant_in_the_range_helps_only_from_the_next_run_on(tale: Tale) -> None:
    granted = tale.commit(MERT, {"payments/cem.yaml": a_member(CEM, "payments", "API Developer")})
    tale.commit(CEM, {ORDERS: orders(90)})
    verdicts = tale.plan()
    assert verdicts["create Membership/payments/cem"].allowed
    assert not verdicts[OF_ORDERS].allowed
    assert 4 == tale.sync().code
    assert 0 == tale.run("sync", "--ref", granted).code
    assert tale.judged().allowed, "the frozen commit is judged anew"
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_a_grant_in_another_unit_helps_in_the_next_run_without_ado(tale: Tale) -> None:
    """System tier and project are applied apart, so a role given there is there the next time."""
    tale.commit(AYSE, {"system/cem.yaml": a_user(CEM, "sysProjectManager")})
    tale.commit(CEM, {ORDERS: orders(90)})
    assert 4 == tale.sync().code
    assert 0 == tale.sync().code
    assert 90 == tale.live()["payments/orders"]


def test_nobody_grants_themselves_anything(tale: Tale) -> None:
    tale.commit(CEM, {"payments/cem.yaml": a_member(CEM, "payments", "Project Owner")})
    tale.commit(CEM, {ORDERS: orders(90)})
    for _ in range(2):
        assert 4 == tale.sync().code
    assert "Membership/payments/cem" not in tale.resources()
    assert 60 == tale.live()["payments/orders"]


def test_a_revocation_counts_for_every_commit_above_it(tale: Tale) -> None:
    tale.commit(MERT, {"payments/selin.yaml": None})
    late = tale.commit(SELIN, {ORDERS: orders(90)})
    judged = tale.judged()
    assert ((late,), ("R-not-member",)) == (judged.guilty, judged.rules)


def test_a_revocation_does_not_reach_back(tale: Tale) -> None:
    tale.commit(SELIN, {ORDERS: orders(90)})
    tale.commit(MERT, {"payments/selin.yaml": None})
    assert tale.judged().allowed
    tale.settle()
    assert 90 == tale.live()["payments/orders"]
    assert "Membership/payments/selin" not in tale.resources()


def test_a_revocation_by_one_without_the_right_does_not_count(tale: Tale) -> None:
    tale.commit(CEM, {"cards/selin.yaml": None})
    tale.commit(SELIN, {ORDERS: orders(90)})
    verdicts = tale.plan()
    assert verdicts[OF_ORDERS].allowed
    assert not verdicts["delete Membership/cards/selin"].allowed


def test_a_revocation_counts_through_a_merge_that_drops_it(tale: Tale) -> None:
    left = tale.commit(MERT, {"payments/selin.yaml": None})
    right = tale.commit(DENIZ, {LIMITS: limits(90)}, branch="topic", parents=[tale.base])
    member = a_member(SELIN, "payments", "API Developer")
    files = {LIMITS: limits(90), "payments/selin.yaml": member}
    tale.commit(CEM, files, "Merge", parents=[left, right])
    late = tale.commit(SELIN, {ORDERS: orders(90)})
    assert late in tale.judged().guilty


def test_a_key_revoked_in_the_range_proves_nothing_above_it(tale: Tale) -> None:
    tale.commit(SELIN, {LIMITS: limits(90)})
    tale.commit(AYSE, {"system/selin.yaml": with_keys(SELIN, key(SELIN, revoked="true"))})
    late = tale.commit(SELIN, {ORDERS: orders(90)})
    verdicts = tale.plan()
    assert ((late,), ("AO506",)) == (verdicts[OF_ORDERS].guilty, verdicts[OF_ORDERS].codes)
    assert verdicts[OF_LIMITS].allowed


def test_a_revoked_key_is_felt_by_what_waits(tale: Tale) -> None:
    """Applied history stays; what that key signed and nobody applied yet needs an approval."""
    tale.commit(SELIN, {LIMITS: limits(90)})
    tale.settle()
    tale.commit(SELIN, {ORDERS: orders(90)})
    revoked = tale.commit(
        AYSE,
        {"system/selin.yaml": with_keys(SELIN, key(SELIN, revoked="true"))},
        branch="keys",
        parents=[tale.standing()["system"]],
    )
    tale.story.merge(AYSE, revoked)
    assert 0 == tale.sync().code, "signed below the revocation, in the same run"
    tale.commit(SELIN, {ORDERS: orders(91)})
    assert ("AO506",) == tale.judged().codes
    tale.commit(MERT, {}, approves("ApiProxy/payments/orders"))
    tale.settle()
    assert {"payments/orders": 91, "cards/limits": 90} == tale.live()


@pytest.mark.parametrize(
    "window", [{"validUntil": '"2026-01-01T00:00:00Z"'}, {"validFrom": '"2999-01-01T00:00:00Z"'}]
)
def test_a_key_outside_of_its_window_proves_nothing(tale: Tale, window: dict[str, str]) -> None:
    tale.commit(AYSE, {"system/selin.yaml": with_keys(SELIN, key(SELIN, **window))})
    tale.settle()
    tale.commit(SELIN, {ORDERS: orders(90)})
    assert ("AO505",) == tale.judged().codes


def test_a_key_is_rotated_in_two_steps(tale: Tale) -> None:
    both = with_keys(SELIN, key(SELIN), key(NEW))
    tale.commit(AYSE, {"system/selin.yaml": both})
    tale.commit(NEW, {ORDERS: orders(90)}, claims=SELIN)
    assert ("AO502",) == tale.judged().codes
    assert 4 == tale.sync().code
    assert ("selin",) == tale.judged().principals
    tale.settle()
    tale.commit(AYSE, {"system/selin.yaml": with_keys(SELIN, key(NEW))})
    tale.settle()
    tale.commit(SELIN, {ORDERS: orders(91)})
    assert ("AO502",) == tale.judged().codes


def test_nobody_registers_a_key_for_another(tale: Tale) -> None:
    tale.commit(CEM, {"system/mert.yaml": with_keys(MERT, key(MERT), key(NEW))})
    tale.commit(NEW, {ORDERS: orders(90)}, claims=MERT)
    for _ in range(2):
        assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


def test_a_disabled_user_holds_nothing_above_the_commit_that_disables(tale: Tale) -> None:
    disabled = a_user(SELIN).replace("spec:\n", "spec:\n  enabled: false\n")
    tale.commit(AYSE, {"system/selin.yaml": disabled})
    late = tale.commit(SELIN, {ORDERS: orders(90)})
    assert (late,) == tale.judged().guilty


SHARED = {
    "parameters.yaml": "parameters:\n  wait: {type: integer, default: 60}\n",
    "targets/dev/params.yaml": "wait: 60\n",
    ORDERS: orders(60).replace("readTimeout: 60", 'readTimeout: "${param:wait}"'),
    LIMITS: limits(60).replace("readTimeout: 60", 'readTimeout: "${param:wait}"'),
}


@pytest.fixture
def shared(tmp_path: Path) -> Tale:
    """The bank with a parameter that both projects use."""
    return Tale(tmp_path, SHARED)


@pytest.mark.parametrize(
    "files",
    [
        {"targets/dev/params.yaml": "wait: 90\n"},
        {
            "targets/dev/params.yaml": "{}\n",
            "parameters.yaml": SHARED["parameters.yaml"].replace("60", "90"),
        },
    ],
    ids=["value", "default"],
)
def test_a_parameter_is_charged_for_every_resource_that_it_changes(
    shared: Tale, files: dict[str, str]
) -> None:
    made = shared.commit(MERT, files)
    verdicts = shared.plan()
    assert verdicts[OF_ORDERS].allowed
    assert (made,) == verdicts[OF_LIMITS].guilty
    assert 4 == shared.sync().code
    assert {"payments/orders": 90, "cards/limits": 60} == shared.live()


def test_a_parameter_that_changes_nothing_is_nobodys_business(shared: Tale) -> None:
    shared.commit(CEM, {"targets/dev/params.yaml": "wait: 60 # as before\n"})
    shared.commit(CEM, {"targets/test/params.yaml": "wait: 90\n"})
    assert {} == shared.plan()


def a_patch(of: str, timeout: int) -> str:
    head = orders(60) if of == ORDERS else limits(60)
    metadata = "\n".join(head.splitlines()[:3])
    return f"{metadata}\nspec: {{settings: {{connection: {{readTimeout: {timeout}}}}}}}\n"


def test_a_patch_is_charged_for_the_resource_that_it_changes(tale: Tale) -> None:
    made = tale.commit(MERT, {"targets/dev/patches/cards.yaml": a_patch(LIMITS, 90)})
    judged = tale.judged(OF_LIMITS)
    assert ((made,), ("mert",)) == (judged.guilty, judged.principals)
    tale.commit(MERT, {"targets/dev/patches/cards.yaml": None})
    tale.commit(MERT, {"targets/dev/patches/mine.yaml": a_patch(ORDERS, 90)})
    tale.settle()
    assert {"payments/orders": 90, "cards/limits": 60} == tale.live()


def test_taking_a_patch_away_is_a_change_too(tmp_path: Path) -> None:
    tale = Tale(tmp_path, {"targets/dev/patches/mine.yaml": a_patch(ORDERS, 90)})
    assert 90 == tale.live()["payments/orders"]
    made = tale.commit(CEM, {"targets/dev/patches/mine.yaml": None})
    assert (made,) == tale.judged().guilty


def test_a_file_that_a_manifest_refers_to_is_part_of_it(tmp_path: Path) -> None:
    api = "openapi: 3.0.3\ninfo: {title: Orders, version: '1'}\npaths: {}\n"
    manifest = (
        orders(60)
        .replace("type: REVERSE_PROXY", "type: OPEN_API\n  source: {file: ./orders.api.yaml}")
        .replace("    - environment: dev", "    []")
    )
    tale = Tale(tmp_path, {ORDERS: manifest, "payments/orders.api.yaml": api})
    made = tale.commit(CEM, {"payments/orders.api.yaml": api.replace("'1'", "'2'")})
    assert (made,) == tale.judged().guilty
    tale.commit(CEM, {"payments/orders.api.yaml": api})
    tale.commit(MERT, {"payments/orders.api.yaml": api.replace("'1'", "'3'")})
    tale.settle()


def test_one_waits_and_the_others_go_on_run_after_run(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    for timeout in (70, 80):
        tale.commit(DENIZ, {LIMITS: limits(timeout)})
        tale.commit(MERT, {REFUNDS: refunds(timeout)})
        assert 4 == tale.sync().code
        assert {"payments/orders": 60, "cards/limits": timeout} == tale.live()
    assert (bad,) == tale.judged().guilty
    tale.commit(SELIN, {}, approves("ApiProxy/payments/orders"))
    tale.settle()
    assert {"payments/orders": 90, "payments/refunds": 80, "cards/limits": 80} == tale.live()
