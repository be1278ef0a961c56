"""Rights that are limited to environments, in a Manager that has several of them."""

from pathlib import Path

import pytest

from tests.histories import ORDERS, Tale, orders
from tests.people import Person, person
from tests.shop import MERT, a_member, a_user

BEA = person("bea")
"""A developer in payments, limited to dev."""

PROD = (
    "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: prod}\nspec: {type: PRODUCTION}\n"
)
BOTH = "    - environment: dev\n    - environment: prod\n"
SETTING = """\
apiVersion: apiops/v1
kind: EnvironmentVariable
metadata: {name: BACKEND, project: payments}
spec:
  values:
    dev: {value: %s, visible: true}
    prod: {value: %s, visible: true}
"""
VARIABLE = "payments/backend.yaml"
OF_VARIABLE = "EnvironmentVariable/payments/BACKEND"


def limited(who: Person, role: str, environments: str) -> str:
    member = a_member(who, "payments", role)
    return member.replace("]}", f"], environments: [{environments}]}}")


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(
        tmp_path,
        {
            "system/prod.yaml": PROD,
            "system/bea.yaml": a_user(BEA),
            "payments/bea.yaml": limited(BEA, "API Developer", "dev"),
            ORDERS: orders(60).replace("    - environment: dev\n", BOTH),
            VARIABLE: SETTING % ("one", "one"),
        },
    )


def test_a_limited_right_sets_the_value_of_its_own_environment(tale: Tale) -> None:
    tale.commit(BEA, {VARIABLE: SETTING % ("two", "one")})
    tale.settle()


@pytest.mark.parametrize(
    "text",
    [SETTING % ("one", "two"), SETTING % ("two", "two"), SETTING.partition("    prod")[0] % "one"],
    ids=["other", "both", "taken out"],
)
def test_a_limited_right_does_not_set_the_value_of_another(tale: Tale, text: str) -> None:
    bad = tale.commit(BEA, {VARIABLE: text})
    judged = tale.judged(f"update {OF_VARIABLE}")
    assert ((bad,), ("R-environment-limit",)) == (judged.guilty, judged.rules)
    assert 4 == tale.sync().code


def test_a_limited_right_does_not_delete_what_others_use(tale: Tale) -> None:
    bad = tale.commit(BEA, {VARIABLE: None})
    assert (bad,) == tale.judged(f"delete {OF_VARIABLE}").guilty


def test_a_limited_right_does_not_make_what_others_will_use(tale: Tale) -> None:
    made = (SETTING % ("one", "one")).replace("BACKEND", "OTHER")
    bad = tale.commit(BEA, {"payments/other.yaml": made})
    assert (bad,) == tale.judged("create EnvironmentVariable/payments/OTHER").guilty


def test_what_a_limited_right_changed_is_not_deployed_elsewhere(tale: Tale) -> None:
    """The proxy runs in both, so its new content would go to both."""
    bad = tale.commit(BEA, {ORDERS: orders(90).replace("    - environment: dev\n", BOTH)})
    judged = tale.judged("deploy ApiProxy/payments/orders → prod")
    assert ((bad,), ("R-environment-limit",)) == (judged.guilty, judged.rules)
    assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


def test_undeploying_first_does_not_open_a_way_around(tale: Tale) -> None:
    """Taken out, changed and put back: whoever puts it back need not have looked at the change."""
    out = tale.commit(BEA, {ORDERS: orders(60)})
    tale.commit(BEA, {ORDERS: orders(90)})
    tale.commit(MERT, {ORDERS: orders(90).replace("    - environment: dev\n", BOTH)})
    verdicts = tale.plan()
    assert (out,) == verdicts["deploy ApiProxy/payments/orders → prod"].guilty
    assert 4 == tale.sync().code


def test_a_deployment_moves_only_with_the_right_in_both(tale: Tale) -> None:
    moved = orders(60).replace("- environment: dev", "- environment: prod")
    tale.commit(MERT, {ORDERS: orders(60)})
    tale.settle()
    bad = tale.commit(BEA, {ORDERS: moved})
    verdicts = tale.plan()
    assert verdicts["undeploy ApiProxy/payments/orders → dev"].allowed
    assert (bad,) == verdicts["deploy ApiProxy/payments/orders → prod"].guilty


def test_a_limited_right_does_not_lift_its_own_limit(tale: Tale) -> None:
    bad = tale.commit(BEA, {"payments/bea.yaml": a_member(BEA, "payments", "API Developer")})
    assert (bad,) == tale.judged("update Membership/payments/bea").guilty
