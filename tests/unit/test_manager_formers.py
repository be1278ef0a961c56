"""Former secrets come back where they stood, and nowhere else."""

from dataclasses import replace

import pytest

from apiops.errors import SecretError
from apiops.model.plan import Action
from apiops.model.resource import Resource
from apiops.model.secret import MARK
from apiops.ports import Batch
from tests.managers import (
    ENVIRONMENT,
    House,
    a_context,
    a_resource,
    a_write,
    found,
    secret_resource,
    settle,
    write_batch,
)


@pytest.fixture
def was(house: House) -> Resource:
    """A credential as it was: its password was replaced since."""
    settle(house.manager)
    test = a_write(Action.CREATE, a_resource("Environment", "test", {"type": "TEST"}, None))
    write_batch(house.manager, test, unit="system", base=1, number=2)
    first, secrets = secret_resource(house.manager, "first-plaintext")
    write_batch(house.manager, a_write(Action.CREATE, first, secrets=secrets), base=1, number=2)
    then, others = secret_resource(house.manager, "second-plaintext")
    update = a_write(Action.UPDATE, then, secrets=others, serial=1)
    write_batch(house.manager, update, base=2, number=3)
    return first


def put_back(house: House, resource: Resource, environment: str) -> None:
    leaf = resource.spec["password"][MARK]
    named = {MARK: {"environment": environment, "fingerprint": leaf["fingerprint"]}}
    resource = replace(resource, spec={**resource.spec, "password": named})
    live = found(house.manager, resource.id)
    assert live is not None
    write = a_write(Action.UPDATE, resource, serial=live.serial, digest="")
    house.manager.write(Batch("", "", "payments", None, None, (write,), a_context("ayse"), 0))


def test_it_comes_back_by_its_fingerprint(house: House, was: Resource) -> None:
    put_back(house, was, ENVIRONMENT)
    live = found(house.manager, was.id)
    assert live is not None
    leaf, before = live.spec["password"][MARK], was.spec["password"][MARK]
    assert before["fingerprint"] == leaf["fingerprint"]


def test_it_does_not_come_back_for_another_environment(house: House, was: Resource) -> None:
    """Whose workers would be given it."""
    before = found(house.manager, was.id)
    with pytest.raises(SecretError, match="whose value was not given"):
        put_back(house, was, "test")
    assert before == found(house.manager, was.id)
