"""Organisations, which the API does not list, and budgets, which it does not delete (ADR 40)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiops.model.outcome import Result
from apiops.model.resource import Resource
from tests.remote.gateway import Gateway, a_resource, done, left, told


@pytest.fixture(params=["", "organizations-bare-404"])
def gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    quirks = [request.param] if request.param else []
    with Gateway(tmp_path, *quirks) as gateway:
        yield gateway


def organization(code: str, **spec: Any) -> Resource:
    return a_resource("CredentialOrganization", code, **spec)


def proxy() -> Resource:
    return a_resource(
        "ApiProxy",
        "chat",
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/chat"]},
        routing={"addresses": [{"address": "https://chat.example"}]},
    )


def client() -> Resource:
    person = {"email": "a@bank.example", "fullName": "App", "password": "${PASSWORD}"}
    return a_resource("Credential", "app", **person, access=[{"name": "chat"}])


def budget(called: str, tokens: int, **target: str) -> Resource:
    limits = {"enabled": True, "tokensPerDay": tokens}
    return a_resource("AiBudget", called, target=target, budget=limits)


def held(gateway: Gateway) -> dict[str, Any]:
    rules: dict[str, Any] = gateway.payments.more.get("budgets", {})
    return {
        target: (one["budget"]["enabled"], one["budget"].get("tokensPerDay"))
        for target, one in rules.items()
    }


def test_an_organisation_that_others_made_is_neither_seen_nor_overwritten(
    gateway: Gateway,
) -> None:
    theirs = {"id": "0" * 24, "code": "bank", "nameDefault": "Theirs", "metadata": []}
    gateway.payments.more["organizations"] = {"bank": dict(theirs)}
    assert "" == left(gateway.plan([]))

    (outcome,) = gateway.apply([organization("bank", nameDefault="Ours")])

    assert (Result.FAILED, "AO763") == (outcome.result, outcome.code)
    assert theirs == gateway.payments.more["organizations"]["bank"]


def test_an_organisation_that_somebody_deleted_is_made_again(gateway: Gateway) -> None:
    state = [organization("bank", nameDefault="Bank")]
    assert done(gateway.apply(state))
    gateway.payments.more["organizations"].clear()

    assert ["create"] == [change.action for change in gateway.plan(state).changes]
    assert done(gateway.apply(state))
    assert "" == left(gateway.plan(state))


def test_parents_come_before_children_and_go_after_them(gateway: Gateway) -> None:
    state = [organization("a-branch", parentOrganizationCode="bank"), organization("bank")]
    assert done(outcomes := gateway.apply(state)), told(outcomes)

    outcomes = gateway.apply([])

    assert done(outcomes), told(outcomes)
    assert ["a-branch", "bank"] == [outcome.change.id.name for outcome in outcomes]
    assert {} == gateway.payments.more["organizations"]


def test_budgets_of_every_kind_of_target_are_found_again_by_name(gateway: Gateway) -> None:
    state = [
        proxy(),
        client(),
        organization("bank"),
        budget("everything", 9, type="PROJECT"),
        budget("models", 8, type="API_PROXY", name="chat"),
        budget("owner", 7, type="CREDENTIAL_ORGANIZATION", name="bank"),
        budget("one", 6, type="CREDENTIAL_ALLOWED_API_PROXY", name="chat", credential="app"),
    ]
    assert done(outcomes := gateway.apply(state)), told(outcomes)
    assert "" == left(gateway.plan(state))
    assert [(True, n) for n in (6, 7, 8, 9)] == sorted(held(gateway).values())
    gateway.payments.more["budgets"][gateway.payments.id]["budget"]["tokensPerDay"] = 99

    assert ["everything"] == [change.id.name for change in gateway.plan(state).changes]


def test_a_budget_that_is_left_out_is_off_and_then_nothing_is_left_to_do(
    gateway: Gateway,
) -> None:
    assert done(gateway.apply([budget("everything", 9, type="PROJECT")]))

    assert done(gateway.apply([]))
    assert [False] == [enabled for enabled, _ in held(gateway).values()]
    assert "" == left(gateway.plan([]))


def test_the_budget_of_a_proxy_that_goes_goes_first(gateway: Gateway) -> None:
    assert done(gateway.apply([proxy(), budget("models", 8, type="API_PROXY", name="chat")]))

    outcomes = gateway.apply([])

    assert done(outcomes), told(outcomes)
    assert ["models", "chat"] == [outcome.change.id.name for outcome in outcomes]
    assert "" == left(gateway.plan([]))
