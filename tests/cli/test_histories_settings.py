"""The target's settings, where they lie beside the specifications: whoever commits can write them."""

from pathlib import Path

import pytest

from tests.histories import CEM, LIMITS, ORDERS, Tale, approves, limits, orders
from tests.people import Person
from tests.shop import AYSE, DENIZ, MERT, SETTINGS


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


MOVED = SETTINGS + 'environment = "test"\n'
TEST = "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: test}\nspec: {type: TEST}\n"


@pytest.mark.parametrize("who", [CEM, MERT])
def test_nobody_moves_a_target_to_another_environment(tale: Tale, who: Person) -> None:
    """A right that is limited to test would count in production otherwise."""
    tale.commit(AYSE, {"system/test.yaml": TEST})
    tale.settle()
    bad = tale.commit(who, {"apiops.toml": MOVED})
    tale.commit(DENIZ, {LIMITS: limits(90)})
    verdicts = tale.plan()
    assert (bad,) == verdicts["update Target/dev"].guilty
    assert not verdicts["update ApiProxy/cards/limits"].allowed, "all stays under such settings"
    assert 4 == tale.sync().code
    assert 60 == tale.live()["cards/limits"]


def test_an_admin_may_and_may_approve(tale: Tale) -> None:
    tale.commit(CEM, {"apiops.toml": SETTINGS + 'environment = "dev" # as before\n'})
    tale.commit(MERT, {ORDERS: orders(90)})
    assert 4 == tale.sync().code
    tale.commit(AYSE, {}, approves("Target/dev"))
    tale.settle()
    assert 90 == tale.live()["payments/orders"]
    tale.commit(AYSE, {"apiops.toml": SETTINGS})
    tale.settle()


def test_another_target_and_the_look_of_things_are_no_matter(tale: Tale) -> None:
    text = 'color = "never"\n' + SETTINGS + '[targets.other]\nmanager = "sqlite:///x.db"\n'
    tale.commit(CEM, {"apiops.toml": text})
    assert {} == tale.plan("--target", "dev")
    assert 0 == tale.run("sync", "--target", "dev").code


def test_settings_elsewhere_are_the_operators(tale: Tale) -> None:
    elsewhere = tale.folder / "operator.toml"
    database = f'[targets.dev]\nmanager = "sqlite:///{tale.folder}/dev.db"\n'
    elsewhere.write_text(database)
    tale.commit(CEM, {"apiops.toml": MOVED})
    assert 0 == tale.run("sync", "--config", elsewhere).code
