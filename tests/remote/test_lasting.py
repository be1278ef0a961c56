"""A secret that a provider is to lose: the Manager keeps it, and deletes nothing that is in use."""

from pathlib import Path
from typing import Any

import pytest

from apiops.errors import PlanRefused
from apiops.model.resource import Resource
from apiops.plan import build
from tests.remote.gateway import Gateway, a_resource, done, left, secret, told

SECRETS = ("apiKey", "apiSecret", "serviceAccountJson")


def a_provider(**secrets: Any) -> Resource:
    return a_resource("LlmProvider", "Models", providerType="OPENAI", **secrets)


def a_route(provider: str) -> Resource:
    return a_resource(
        "ApiProxy",
        "chat",
        type="AI",
        clientRoute={"relativePathList": ["/chat"]},
        aiRouting={"llmProviderRefName": provider},
    )


@pytest.mark.parametrize("name", SECRETS)
def test_while_something_uses_it_the_plan_stops_before_anything_is_sent(
    tmp_path: Path, name: str
) -> None:
    with Gateway(tmp_path) as gateway:
        state = [a_provider(**{name: secret("k")}), a_route("models")]
        assert done(outcomes := gateway.apply(state)), told(outcomes)

        plan = gateway.plan([a_provider(), a_route("models")])

        (found,) = plan.guards
        assert ("AO619", "lasting", "payments") == (found.code, found.guard, found.unit)
        assert name in found.message
        assert "ApiProxy/payments/chat" in found.message
        with pytest.raises(PlanRefused, match="cannot be taken away") as refused:
            build.refuse(plan)
        assert "apiops explain AO619" in refused.value.hint


def test_a_proxy_that_lets_go_of_it_in_the_same_plan_is_too_late(tmp_path: Path) -> None:
    """Providers are written before the proxies that follow them."""
    with Gateway(tmp_path) as gateway:
        other = a_resource("LlmProvider", "other", providerType="OPENAI")
        state = [a_provider(apiKey=secret("k")), other, a_route("Models")]
        assert done(outcomes := gateway.apply(state)), told(outcomes)

        assert ["AO619"] == [
            found.code for found in gateway.plan([a_provider(), other, a_route("other")]).guards
        ]
        moved = [a_provider(apiKey=secret("k")), other, a_route("other")]
        assert done(outcomes := gateway.apply(moved)), told(outcomes)
        after = [a_provider(), other, a_route("other")]
        assert () == gateway.plan(after).guards
        assert done(outcomes := gateway.apply(after)), told(outcomes)
        assert "" == left(gateway.plan(after))


def test_a_secret_that_is_only_changed_is_no_matter(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([a_provider(apiKey=secret("k")), a_route("Models")]))
        after = [a_provider(apiKey=secret("new")), a_route("Models")]

        assert () == gateway.plan(after).guards
        assert done(outcomes := gateway.apply(after)), told(outcomes)
