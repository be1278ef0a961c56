"""The table of kinds, the models and the payload schemas say the same."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from apiops.access import roles
from apiops.model import kinds
from apiops.model.kinds import KINDS, Home, Kind
from apiops.model.kinds.equivalence import EQUIVALENCES, Equivalence
from apiops.spec import catalog, marks, publish

ALL = list(KINDS.values())
NAMES = [kind.name for kind in ALL]
SCHEMAS = Path(__file__).parents[2] / "schemas"


def inside_models(pattern: str) -> bool:
    """Whether a pattern means fields of a model, and not of payloads or of anything below."""
    return pattern != "*" and not pattern.endswith((".*", "**"))


def model(kind: Kind) -> type[BaseModel]:
    module, name = kind.model.split(":")
    return getattr(importlib.import_module(module), name)


def lead(kind: Kind, pattern: str) -> dict:
    """The published schema node that a pattern leads to; KeyError if there is none."""
    tree = catalog.kind(kind.name)
    here = tree["properties"]["spec"]
    for step in pattern.split(".") if pattern else []:
        here = publish.resolved(tree, here)
        if step != "*":
            here = here["properties"][step]
        elif "items" in here:
            here = here["items"]
        else:
            entry = here["additionalProperties"]
            here = entry if isinstance(entry, dict) else next(iter(here["properties"].values()))
    return here


def of_payload(kind: Kind, pattern: str) -> bool:
    """Whether a pattern leads to a payload's type, or to a field that one of its schemas has."""
    for one in kind.payloads:
        start = "".join(f"{part}." for part in (one.path, one.inside) if part)
        known = SCHEMAS.joinpath(one.family).glob("*.json")
        name = f'"{pattern.removeprefix(start)}"'
        if pattern.startswith(start) and any(name in file.read_text() for file in known):
            return True
        if pattern == f"{one.path}.{one.type}":
            return True
    return False


def marked(
    tree: dict, node: dict, mark: str, seen: tuple[str, ...] = (), path: str = ""
) -> set[str]:
    """The patterns of all nodes below that carry a mark."""
    found = {path} if mark in node else set()
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        if name in seen or name in publish.SHARED or "." in name:
            return found
        return found | marked(tree, tree["definitions"][name], mark, (*seen, name), path)
    for part in (*node.get("allOf", ()), *node.get("anyOf", ())):
        if "if" not in part:
            found |= marked(tree, part, mark, seen, path)
    children = [
        (name, child) for name, child in node.get("properties", {}).items() if child is not True
    ]
    children += [
        ("*", node[k]) for k in ("items", "additionalProperties") if isinstance(node.get(k), dict)
    ]
    for name, child in children:
        found |= marked(tree, child, mark, seen, f"{path}.{name}".strip("."))
    return found


def test_there_are_the_kinds_that_the_vendor_has_and_those_that_tiers_need() -> None:
    vendor = {
        "EnvironmentVariable", "IpGroup", "AiPreset", "LlmProviderDefinition", "LlmModel",
        "Certificate", "Key", "Keystore", "Jwk", "Connection", "LlmProvider", "VectorDb",
        "KnowledgeBase", "CredentialOrganization", "Credential", "GlobalPolicy", "PolicyGroup",
        "ApiProxy", "ApiProxyGroup", "Rlcl", "AiBudget", "AiGatewaySettings", "Geolocation",
    }  # fmt: skip
    tiers = {"Environment", "Project", "Team", "Role", "Membership", "User", "Subscription"}
    assert vendor | tiers == set(KINDS)


def test_kinds_stand_in_the_order_of_their_waves() -> None:
    assert sorted(kind.wave for kind in ALL) == [kind.wave for kind in ALL]


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_a_reference_goes_to_an_earlier_wave_or_to_its_own_kind(kind: Kind) -> None:
    for reference in kind.references:
        target = KINDS[reference.kind]
        assert target.wave < kind.wave or target is kind
        assert reference.system <= (target.home in {Home.SYSTEM, Home.EITHER})


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_every_path_of_the_table_is_a_field_of_the_model(kind: Kind) -> None:
    alike = EQUIVALENCES.get(kind.name, Equivalence())
    same = (path for path in (*alike.filled, *alike.words, *alike.loose) if inside_models(path))
    for path in (*kind.keyed, *kind.immutable, *kind.merges, *kind.files, *kind.write_only, *same):
        assert of_payload(kind, path) or lead(kind, path) is not None
    if kind.steps is not None:
        states = lead(kind, kind.steps.field)["anyOf"][0]["enum"]
        assert set(states) == set(kind.steps.after)
        assert set(states) >= {state for after in kind.steps.after.values() for state in after}
    for secret in kind.secrets:
        lead(kind, secret.path)
        if secret.switch:
            lead(kind, f"{secret.path.rpartition('.')[0]}.{secret.switch.field}".strip("."))
    for reference in kind.references:
        if not reference.marked:
            lead(kind, reference.path)


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_what_a_payload_marks_is_marked_there(kind: Kind) -> None:
    """What the table says of it (that it is bound) would be about nothing otherwise."""
    families = {payload.family for payload in kind.payloads}
    schemas = [catalog.payload(one, type_) for one in families for type_ in catalog.types(one)]
    for reference in (one for one in kind.references if one.marked):
        (depth,) = {
            len(f"{one.path}.{one.inside}".strip(".").split(".")) if one.path else 0
            for one in kind.payloads
        }
        steps = reference.path.split(".")[depth:]
        nodes = [node for schema in schemas for node in below(schema, schema, steps)]
        assert reference.kind in {one.get("x-apiops-reference") for one in nodes}


def below(schema: dict, node: dict, steps: list[str]) -> list[dict]:
    """The schema nodes that a pattern leads to."""
    if "$ref" in node:
        node = schema["definitions"][node["$ref"].removeprefix("#/definitions/")]
    if not steps:
        return [node]
    fields = {**node.get("properties", {}), "*": node.get("items", {})}
    inner = fields.values() if steps[0] == "*" else [fields.get(steps[0], {})]
    return [one for each in inner if each for one in below(schema, each, steps[1:])]


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_keys_of_lists_are_fields_of_their_items(kind: Kind) -> None:
    tree = catalog.kind(kind.name)
    for path, fields in kind.keyed.items():
        items = publish.resolved(tree, publish.resolved(tree, lead(kind, path))["items"])
        for field in fields.split("+") if fields else ():
            assert field in items["properties"], path
        assert bool(fields) == ("properties" in items), path


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_table_and_model_name_the_same_secrets(kind: Kind) -> None:
    tree = catalog.kind(kind.name)
    assert {secret.path for secret in kind.secrets} == marked(
        tree, tree["properties"]["spec"], "x-apiops-secret"
    )


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_table_and_model_name_the_same_merges(kind: Kind) -> None:
    tree = catalog.kind(kind.name)
    found = marked(tree, tree["properties"]["spec"], "x-apiops-merges")
    maps = {"trafficLog"}  # a mapping of names has no model of its own
    assert set(kind.merges) - maps == found


@pytest.mark.parametrize("kind", ALL, ids=NAMES)
def test_every_field_has_a_description(kind: Kind) -> None:
    def look(part: type[BaseModel]) -> None:
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"

    look(model(kind))
    for name, part in vars(importlib.import_module(kind.model.split(":")[0])).items():
        if isinstance(part, type) and issubclass(part, BaseModel):
            look(part), name


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("orders", True), ("API Developer", True), ("a", True), ("v1.2_x-y", True),
        ("", False), (" a", False), ("a ", False), ("-a", False), ("a/b", False), ("é", False),
        ("a" * 128, True), ("a" * 129, False),
    ],
)  # fmt: skip
def test_names_are_letters_digits_blanks_and_three_signs(name: str, good: bool) -> None:
    assert good == bool(re.fullmatch(kinds.NAME, name))


def test_the_built_in_roles_are_those_that_decisions_know() -> None:
    assert frozenset(roles.ROLES) == KINDS["Role"].builtin


def test_several_fields_together_identify_an_endpoint() -> None:
    endpoint = {"name": "/pets", "httpMethod": "GET", "active": True}
    assert ("/pets", "GET") == kinds.item_key(endpoint, KINDS["ApiProxy"].keyed["endpoints"])


def test_a_variable_that_people_may_read_is_no_secret() -> None:
    spec = {"values": {"dev": {"value": "x", "visible": True}, "prod": {"value": "y"}}}
    found = {
        path: secret.required for path, secret in marks.secret_paths("EnvironmentVariable", spec)
    }
    assert {("values", "dev", "value"): False, ("values", "prod", "value"): True} == found


def test_the_environment_of_a_secret_is_a_part_of_its_path() -> None:
    spec = {"values": {"prod": {"value": "y"}}}
    [(path, secret)] = marks.secret_paths("EnvironmentVariable", spec)
    assert secret.environment is not None
    assert "prod" == path[secret.environment]


def test_secrets_of_policies_and_connections_are_found_by_their_type() -> None:
    proxy = {
        "policies": {
            "request": [
                {"name": "a", "type": "policy-oidc", "spec": {"clientSecret": "x"}},
                {
                    "name": "b",
                    "type": "ai-mcp-call-llm",
                    "spec": {"mcpServer": {"bearerToken": "x"}},
                },
                {"name": "c", "type": "no-such-type", "spec": {"clientSecret": "x"}},
                {"name": "d", "type": "policy-script", "spec": {"scriptBody": "x"}},
            ]
        }
    }
    found = {path: secret.required for path, secret in marks.secret_paths("ApiProxy", proxy)}
    base = ("policies", "request")
    assert {
        (*base, 0, "spec", "clientSecret"): True,
        (*base, 1, "spec", "mcpServer", "bearerToken"): True,
        (*base, 3, "spec", "scriptBody"): False,
    } == found
    connection = {"type": "snmp", "authPassphrase": "x", "password": "not a field of snmp"}
    assert [("authPassphrase",)] == [
        path for path, _ in marks.secret_paths("Connection", connection)
    ]


def test_references_are_found_in_fields_keys_lists_and_payloads() -> None:
    spec = {
        "aiRouting": {"llmProviderRefName": "openai"},
        "trafficLog": {"prod": {"connectors": {"elastic": {}}}},
        "policies": {"request": [{"type": "policy-white-ip", "spec": {"ipGroupIdList": ["hq"]}}]},
        "deployments": [{"environment": "prod"}],
    }
    assert {
        marks.Mention(("deployments", 0, "environment"), "Environment", "prod", system=True),
        marks.Mention(("trafficLog", "prod"), "Environment", "prod", system=True),
        marks.Mention(
            ("trafficLog", "prod", "connectors", "elastic"), "Connection", "elastic", system=False
        ),
        marks.Mention(("aiRouting", "llmProviderRefName"), "LlmProvider", "openai", system=False),
        marks.Mention(
            ("policies", "request", 0, "spec", "ipGroupIdList", 0), "IpGroup", "hq", system=False
        ),
    } == set(marks.references("ApiProxy", spec))


def test_the_type_beside_a_name_says_what_it_means() -> None:
    spec = {"access": [{"name": "a"}, {"name": "b", "type": "API_PROXY_GROUP"}]}
    assert [("ApiProxy", "a"), ("ApiProxyGroup", "b")] == [
        (mention.kind, mention.name) for mention in marks.references("Credential", spec)
    ]
    budget = {"target": {"type": "PROJECT", "name": "nothing is meant"}}
    assert [] == list(marks.references("AiBudget", budget))


def test_policies_that_stand_by_themselves_have_the_marks_of_their_type() -> None:
    policy = {"_class": "oidc-auth", "active": True, "clientSecret": "x"}
    assert [("clientSecret",)] == [path for path, _ in marks.secret_paths("GlobalPolicy", policy)]
    group = {"policyList": [{"_class": "ip-white", "ipGroupIdList": ["offices"]}]}
    assert [("IpGroup", ("policyList", 0, "ipGroupIdList", 0))] == [
        (mention.kind, mention.path) for mention in marks.references("PolicyGroup", group)
    ]


@pytest.mark.parametrize(
    "spec", [{"policies": 5}, {"policies": {"request": {"a": 1}}}, {"settings": []}, {}]
)
def test_walkers_pass_over_what_has_another_shape(spec: dict) -> None:
    assert [] == list(marks.secret_paths("ApiProxy", spec))
    assert [] == list(marks.references("ApiProxy", spec))
