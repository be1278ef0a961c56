"""Where pages of the API contradict each other in what a read shows: whatever holds, a second plan
is empty, and an edit in the console is drift all the same.

Drawn states meet these by luck (test_convergence.py); here each meets what it is about.
"""

from pathlib import Path

import pytest

from apiops.model.resource import Resource
from tests.remote.gateway import Gateway, a_resource, done, left, secret, told


def a_proxy(**policy: object) -> Resource:
    return a_resource(
        "ApiProxy",
        "orders",
        type="REVERSE_PROXY",
        clientRoute={"relativePathList": ["/orders"]},
        policies={"request": [{"name": "slow", **policy}]},
    )


THROTTLE = a_proxy(type="policy-api-based-throttling", spec={"cacheErrorHandlingType": "CONTINUE"})
QUOTA = {
    "identitySource": "VARIABLE",
    "targetAudienceRuleList": [{"operator": "EQ", "value": "a"}],
    "outOfTargetAction": "GENERAL_QUOTA",
    "generalQuotaMode": "TOTAL",
    "generalQuotaPermittedMessageCount": 0,
    "generalQuotaTimeIntervalPeriodLength": 1,
    "generalQuotaTimeInterval": "ONE_DAY",
}
STORE = {"file": secret("QUJD"), "password": secret("p"), "keyStoreType": "JKS"}
FTP = {"host": "x", "username": "u", "password": secret("p"), "protocol": "sftp"}
SEARCH = {"elasticHostList": [{"host": "x"}], "elasticsearchType": "READ_WRITE"}

CASES: dict[str, Resource] = {
    "policy-types-of-old": THROTTLE,
    "throttling-says-allow": THROTTLE,
    "limits-say-ignore": a_resource("Rlcl", "slow", cacheErrorHandlingType="CONTINUE"),
    "limits-in-brief": a_resource("Rlcl", "slow", **QUOTA),
    "types-collide": a_resource("Connection", "find", type="elasticsearch", **SEARCH),
    "protocols-in-capitals": a_resource("Connection", "files", type="ftp", **FTP),
    "keystores-reduced": a_resource("Keystore", "store", environments={"dev": STORE}),
}
"""Quirk → what it is about."""


@pytest.mark.parametrize("quirk", CASES)
def test_a_second_plan_is_empty(tmp_path: Path, quirk: str) -> None:
    with Gateway(tmp_path, quirk) as gateway:
        outcomes = gateway.apply([CASES[quirk]])

        assert done(outcomes), told(outcomes)
        assert "" == left(gateway.plan([CASES[quirk]]))


def test_a_variable_in_a_secret_field_that_comes_back_as_stars_is_no_drift(tmp_path: Path) -> None:
    """5.2, and 5.4: `${…}` stands there as text, which lists hide all the same."""
    hook = {"fullUrl": "https://x", "value": "v"}
    hidden = [
        a_resource("Connection", "db", type="database", jdbcUrl="jdbc:x", password="${DB}"),
        a_resource("Connection", "log", type="graylog", hostname="x", tlsTrustCertChainFile="QQ"),
        a_resource("Connection", "hook", type="webhook", **hook,
                   headerList=[{"name": "X-Token", "value": "${TOKEN}"}]),
    ]  # fmt: skip
    with Gateway(tmp_path, "connection-secrets-masked") as gateway:
        assert done(gateway.apply(hidden))
        assert "" == left(gateway.plan(hidden))
        gateway.payments.connections["db"]["jdbcUrl"] = "jdbc:y"
        gateway.payments.connections["hook"]["headerList"].append({"name": "Y", "value": "z"})

        assert {"db", "hook"} == {one.id.name for one in gateway.plan(hidden).changes}


@pytest.mark.parametrize(
    ("quirk", "field", "other"),
    [
        ("limits-say-ignore", "cacheErrorHandlingType", "FAIL"),
        ("types-collide", "elasticsearchType", "READ"),
        ("protocols-in-capitals", "protocol", "ftp"),
    ],
)
def test_another_word_than_what_was_written_is_drift(
    tmp_path: Path, quirk: str, field: str, other: str
) -> None:
    """What means the same is no licence to mean anything."""
    wanted = CASES[quirk]
    with Gateway(tmp_path, quirk) as gateway:
        assert done(gateway.apply([wanted]))
        held = gateway.payments.connections or gateway.payments.more["rlcl"]
        held[wanted.id.name][field] = other

        (change,) = gateway.plan([wanted]).changes
        assert ("update", [f"spec.{field}"]) == (change.action, [f.path for f in change.fields])


def test_an_agent_whose_language_model_no_call_takes_is_said_and_nothing_else_is_lost(
    tmp_path: Path,
) -> None:
    """1.10 #58: one page has the call for agents, another refuses it."""
    provider = a_resource("LlmProvider", "l1", providerType="OPENAI", apiKey=secret("k"))
    agent = a_resource(
        "ApiProxy",
        "agent",
        type="A2A",
        clientRoute={"relativePathList": ["/agent"]},
        aiRouting={"llmProviderRefName": "l1", "modelId": "m"},
    )
    with Gateway(tmp_path) as gateway:
        gateway.world.quirks.add("agents-without-ai-routing")
        outcomes = gateway.apply([provider, agent])
        (failed,) = [one for one in outcomes if one.result.value != "done"]
        assert ("agent", "AO763") == (failed.change.id.name, failed.code)
        assert "ai-routing" in str(failed.message)

        gateway.world.quirks.clear()
        assert done(gateway.apply([provider, agent]))
        assert "" == left(gateway.plan([provider, agent]))
        assert ["agent"] == list(gateway.payments.proxies)


def test_a_share_of_errors_is_sent_in_the_word_of_settings(tmp_path: Path) -> None:
    """1.10 #32: PERCENTAGE is what AI routing calls it."""
    proxy = a_resource(
        "ApiProxy",
        "orders",
        type="EMPTY_API",
        clientRoute={"relativePathList": ["/orders"]},
        settings={"circuitBreaker": {"enumErrorThresholdType": "PERCENTAGE"}},
        endpoints=[{"name": "/x", "httpMethod": "GET", "cache": {"cacheActive": True}}],
    )
    with Gateway(tmp_path) as gateway:
        assert done(gateway.apply([proxy]))
        assert "" == left(gateway.plan([proxy]))
        held = gateway.payments.proxies["orders"]

        assert "PERCENT" == held.settings["circuit-breaker"]["enumErrorThresholdType"]
        assert "CONTINUE" == held.endpoints[0]["cache"]["handlingAction"]
        assert [] == gateway.world.violations
