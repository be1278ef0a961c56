"""What a client may call follows from its access and from approved subscriptions alone."""

import pytest

from apiops.model import entitlement
from apiops.model.entitlement import Entitlement

ORDERS = Entitlement("API_PROXY", "orders")


def subscription(state, credential="partner", **more):
    return {"credential": credential, "target": {"name": "orders"}, "state": state, **more}


@pytest.mark.parametrize(
    ("state", "expected"),
    [("REQUESTED", ()), ("APPROVED", (ORDERS,)), ("REJECTED", ()), ("REVOKED", ()), (None, ())],
)
def test_an_approved_subscription_gives_access_and_no_other(state, expected):
    assert expected == entitlement.of("partner", {}, [subscription(state)])


def test_a_subscription_of_somebody_else_gives_nothing():
    assert () == entitlement.of("partner", {}, [subscription("APPROVED", "other")])


def test_a_group_and_a_proxy_of_one_name_are_two_things():
    group = {"name": "orders", "type": "API_PROXY_GROUP"}
    approved = [subscription("APPROVED"), {**subscription("APPROVED"), "target": group}]
    assert (ORDERS, Entitlement("API_PROXY_GROUP", "orders")) == entitlement.of(
        "partner", {}, approved
    )


@pytest.mark.parametrize(
    ("own", "subscribed", "until"),
    [
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (None, "2026-01-01T00:00:00Z", ""),
        ("2026-01-01T00:00:00Z", None, ""),
    ],
)
def test_of_two_ends_the_later_counts(own, subscribed, until):
    credential = {"access": [{"name": "orders", "expireTime": own}]}
    approved = [subscription("APPROVED", expireTime=subscribed)]
    assert (Entitlement("API_PROXY", "orders", until),) == entitlement.of(
        "partner", credential, approved
    )


def test_a_revocation_leaves_what_the_credential_has_itself():
    credential = {"access": [{"name": "orders"}]}
    assert (ORDERS,) == entitlement.of("partner", credential, [subscription("REVOKED")])
