"""Shape and meaning of documents: what is refused, in which words, and that two engines agree."""

import copy
import importlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
import referencing
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from apiops.model import codes
from apiops.model.kinds import KINDS
from apiops.spec import catalog, faults, generate, publish, schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = list(KINDS)
Document = dict[str, Any]
Change = Callable[[Document], object]


def example(kind: str) -> Document:
    return yaml.safe_load(catalog.example(kind))


def changed(kind: str, change: Change) -> Document:
    document = example(kind)
    change(document)
    return document


def only(kind: str, change: Change) -> schema.Fault:
    found = schema.check(kind, changed(kind, change))
    assert 1 == len(found), found
    return found[0]


def put(path: str, value: Any) -> Change:
    """A change that sets the field at a dotted path."""

    def change(document: Document) -> None:
        *steps, last = (int(s) if s.isdigit() else s for s in path.split("."))
        here: Any = document
        for step in steps:
            here = here.setdefault(step, {}) if isinstance(here, dict) else here[step]
        here[last] = value

    return change


def drop(path: str) -> Change:
    def change(document: Document) -> None:
        *steps, last = (int(s) if s.isdigit() else s for s in path.split("."))
        here: Any = document
        for step in steps:
            here = here[step]
        del here[last]

    return change


# --- what is checked in -------------------------------------------------------------------------


def test_generated_files_are_up_to_date() -> None:
    stale = [
        path
        for path, text in generate.files().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert [] == stale, "run `apiops schema --write .`"


def test_every_schema_file_has_a_source() -> None:
    generated = {path for path in generate.files() if path.startswith("schemas/")}
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "schemas").glob("*.json")}
    assert generated == found


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_has_a_valid_schema_under_both_drafts(kind: str) -> None:
    jsonschema.Draft7Validator.check_schema(catalog.kind(kind))
    old = jsonschema.Draft7Validator(catalog.kind(kind))
    bare = {key: value for key, value in catalog.kind(kind).items() if key != "$schema"}
    new = jsonschema.Draft202012Validator(bare)
    for document in (
        example(kind),
        changed(kind, put("spec.nothing", 1)),
        changed(kind, put("spec", [])),
    ):
        assert old.is_valid(document) == new.is_valid(document)


@pytest.mark.parametrize("kind", NAMES)
def test_the_schema_of_any_kind_leads_to_that_of_the_kind(kind: str) -> None:
    known = [
        (f"{name}.json", referencing.Resource.from_contents(catalog.kind(name))) for name in NAMES
    ]
    registry = referencing.Registry().with_resources(known)
    tree = json.loads((catalog.directory() / generate.ANY).read_text())
    any_kind = jsonschema.Draft7Validator(tree, registry=registry)
    assert any_kind.is_valid(example(kind))
    assert not any_kind.is_valid(changed(kind, put("spec.nothing", 1)))


@pytest.mark.parametrize("kind", NAMES)
def test_every_example_is_right(kind: str) -> None:
    assert () == schema.check(kind, example(kind))
    assert () == schema.meaning(kind, example(kind))
    first = (catalog.directory() / "examples" / f"{kind}.yaml").read_text().splitlines()[0]
    assert f"# yaml-language-server: $schema=../{kind}.json" == first


@pytest.mark.parametrize("family", [catalog.POLICIES, catalog.CONNECTIONS])
def test_payload_schemas_are_valid_described_and_closed_unless_they_say_why(family: str) -> None:
    for type_ in catalog.types(family):
        tree = catalog.payload(family, type_)
        jsonschema.Draft7Validator.check_schema(tree)
        assert tree["title"], type_
        assert tree["description"].endswith("."), type_
        for part in (tree, *tree.get("definitions", {}).values()):
            assert part["additionalProperties"] is False or "$comment" in part, type_
            for name, field in part["properties"].items():
                assert field["description"].endswith("."), f"{type_}: {name}"


def test_there_is_a_schema_for_each_type_that_the_vendor_names() -> None:
    assert 14 == len(catalog.types(catalog.CONNECTIONS))
    fixture = ROOT.parent / "shared/fixtures/apinizer/openapi.yaml"
    tree = yaml.load(fixture.read_bytes(), Loader=yaml.CSafeLoader)
    named = set(tree["components"]["schemas"]["PolicyDTO"]["discriminator"]["mapping"])
    assert 45 == len(named)
    assert named <= set(catalog.types(catalog.POLICIES))
    assert 61 == len(catalog.types(catalog.POLICIES))


# --- words --------------------------------------------------------------------------------------

WORDS: list[tuple[str, Change, str, tuple[Any, ...], str, str]] = [
    ("ApiProxy", put("spec.rooting", {}), "AO203", ("spec", "rooting"),
     "unknown field 'rooting' in spec", 'did you mean "routing"?'),
    ("ApiProxy", put("metadata.label", {}), "AO203", ("metadata", "label"),
     "unknown field 'label' in metadata", 'did you mean "labels"?'),
    ("ApiProxy", drop("spec.type"), "AO204", ("spec",),
     "field 'type' is missing in spec", "apiops explain ApiProxy.spec.type"),
    ("ApiProxy", put("spec.settings.connection.connectTimeout", "ten"), "AO205",
     ("spec", "settings", "connection", "connectTimeout"),
     "spec.settings.connection.connectTimeout must be a whole number, not a text",
     "apiops explain ApiProxy.spec.settings.connection.connectTimeout"),
    ("ApiProxy", put("spec.description", 8080), "AO205", ("spec", "description"),
     "spec.description must be a text, not a number; put it in quotes",
     "apiops explain ApiProxy.spec.description"),
    ("ApiProxy", put("spec.policies", None), "AO205", ("spec", "policies"),
     "spec.policies must be a mapping, not null (nothing)", "apiops explain ApiProxy.spec.policies"),
    ("ApiProxy", put("spec.settings.cors.allowCredentials", value=False), "AO205",
     ("spec", "settings", "cors", "allowCredentials"),
     "spec.settings.cors.allowCredentials must be a text in quotes: true, false",
     "apiops explain ApiProxy.spec.settings.cors.allowCredentials"),
    ("ApiProxy", put("spec.type", "OPENAPI"), "AO206", ("spec", "type"),
     "spec.type cannot be 'OPENAPI'", 'did you mean "OPEN_API"?'),
    ("Environment", put("spec.type", "moon"), "AO206", ("spec", "type"),
     "spec.type cannot be 'moon': PRODUCTION, SANDBOX, TEST", "apiops explain Environment.spec.type"),
    ("ApiProxy", put("spec.policies.request.1.type", "policy-api-based-throtling"), "AO206",
     ("spec", "policies", "request", 1, "type"),
     "spec.policies.request[1].type cannot be 'policy-api-based-throtling'",
     'did you mean "policy-api-based-throttling"?'),
    ("ApiProxy", put("spec.policies.request.0.spec", {"jwtAlgorithm": "RS256"}), "AO204",
     ("spec", "policies", "request", 0, "spec"),
     "field 'jwtSignatureAlgorithm' is missing in spec.policies.request[0].spec",
     "apiops explain policy-auth-jwt.jwtSignatureAlgorithm"),
    ("Connection", put("spec.maxPoolSize", "many"), "AO205", ("spec", "maxPoolSize"),
     "spec.maxPoolSize must be a whole number, not a text", "apiops explain database.maxPoolSize"),
    ("ApiProxy", put("spec.clientRoute.relativePathList.0", "orders"), "AO207",
     ("spec", "clientRoute", "relativePathList", 0),
     "spec.clientRoute.relativePathList[0] must begin with /",
     "apiops explain ApiProxy.spec.clientRoute.relativePathList"),
    ("ApiProxy", put("spec.clientRoute.relativePathList.0", "/"), "AO207",
     ("spec", "clientRoute", "relativePathList", 0),
     "spec.clientRoute.relativePathList[0] must have at least 2 characters",
     "apiops explain ApiProxy.spec.clientRoute.relativePathList"),
    ("ApiProxy", put("spec.settings.idempotency", {"retentionInDays": 31}), "AO208",
     ("spec", "settings", "idempotency", "retentionInDays"),
     "spec.settings.idempotency.retentionInDays must be at most 30",
     "apiops explain ApiProxy.spec.settings.idempotency.retentionInDays"),
    ("ApiProxy", put("spec.clientRoute.relativePathList", []), "AO209",
     ("spec", "clientRoute", "relativePathList"),
     "spec.clientRoute.relativePathList must have at least 1 entries",
     "apiops explain ApiProxy.spec.clientRoute.relativePathList"),
    ("LlmProvider", put("spec.apiKey", 5), "AO211", ("spec", "apiKey"),
     "spec.apiKey must be a secret: ${NAME} or {$secret: file.sops.yaml#key}",
     "apiops explain LlmProvider.spec.apiKey"),
    ("EnvironmentVariable", put("metadata.name", "DB-PASSWORD"), "AO212", ("metadata", "name"),
     "metadata.name: 'DB-PASSWORD' is not allowed as a name",
     "apiops explain EnvironmentVariable.metadata.name"),
    ("IpGroup", put("metadata.name", "offices\n"), "AO212", ("metadata", "name"),
     "metadata.name: 'offices\\n' is not allowed as a name", "apiops explain IpGroup.metadata.name"),
    ("Environment", put("metadata.project", "payments"), "AO203", ("metadata", "project"),
     "unknown field 'project' in metadata", "apiops explain Environment.metadata"),
    ("IpGroup", put("apiVersion", "apiops/v2"), "AO202", ("apiVersion",),
     "apiVersion must be apiops/v1", "write `apiVersion: apiops/v1`"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "code", "path", "message", "hint"), WORDS)
def test_a_fault_says_what_where_and_what_next(
    kind: str, change: Change, code: str, path: tuple[Any, ...], message: str, hint: str
) -> None:
    fault = next(f for f in schema.check(kind, changed(kind, change)) if f.code == code)
    assert (path, message, hint) == (fault.path, fault.message, fault.hint)
    assert fault.code in codes.ALL
    assert (code in {"AO203", "AO204"}) == fault.on_key


def test_an_unknown_kind_is_told_with_the_nearest_one() -> None:
    [fault] = schema.check("ApiProxi", {"kind": "ApiProxi"})
    assert ("AO201", 'did you mean "ApiProxy"?') == (fault.code, fault.hint)


def test_a_misspelt_field_that_is_required_is_one_finding() -> None:
    def change(document: Document) -> None:
        document["spec"]["clientRoutes"] = document["spec"].pop("clientRoute")

    assert ("AO203", ("spec", "clientRoutes")) == (
        only("ApiProxy", change).code,
        only("ApiProxy", change).path,
    )


def test_a_misspelt_type_is_one_finding_however_many_fields_depend_on_it() -> None:
    assert "AO206" == only("Connection", put("spec.type", "databse")).code


def test_every_cause_is_reported_in_one_go() -> None:
    def change(document: Document) -> None:
        for one in (
            put("spec.rooting", 1),
            drop("spec.type"),
            put("spec.description", 1),
            put("metadata.x", 1),
        ):
            one(document)

    assert ["AO203", "AO204", "AO205", "AO203"] == [
        fault.code for fault in schema.check("ApiProxy", changed("ApiProxy", change))
    ]


@pytest.mark.parametrize("value", ["hunter2", "", "$NAME", "ENC[something else"])
def test_plaintext_in_a_secret_field_is_left_to_the_loader_and_never_repeated(value: str) -> None:
    assert () == schema.check("LlmProvider", changed("LlmProvider", put("spec.apiKey", value)))
    validator = jsonschema.Draft7Validator(catalog.kind("LlmProvider"))
    assert not validator.is_valid(changed("LlmProvider", put("spec.apiKey", value)))


@pytest.mark.parametrize(
    "value",
    [
        "${OPENAI_KEY}", "Bearer ${TOKEN}", "${param:key}", "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]",
        {"$secret": "a.sops.yaml#k"}, {"$secretFile": "k.age"}, {"$secret": {"environment": "test"}},
    ],
)  # fmt: skip
def test_a_secret_field_takes_every_form_of_a_secret(value: Any) -> None:
    document = changed("LlmProvider", put("spec.apiKey", value))
    assert jsonschema_rs.is_valid(catalog.kind("LlmProvider"), document)
    assert () == schema.meaning("LlmProvider", document)


def test_a_fault_never_repeats_a_value_except_of_a_choice() -> None:
    secret = "correct-horse-battery"
    for path in ("spec.routing", "spec.settings.connection.readTimeout", "spec.settings.keys.secretKey",
                 "spec.clientRoute.relativePathList.0", "spec.endpoints", "metadata.labels"):  # fmt: skip
        for fault in schema.check("ApiProxy", changed("ApiProxy", put(path, secret))):
            assert secret not in fault.message + fault.hint


@pytest.mark.parametrize(
    "path",
    [
        "spec.settings.connection.connectTimeout", "spec.settings.cors.corsActive", "spec.type",
        "spec.routing.addresses.0.weight", "spec.policies.request.0.active", "spec.clientRoute.methodList",
        "spec.policies.request.1.spec.messageCountForInterval",
        "spec.policies.request.1.spec.throttlingInterval",
    ],
)  # fmt: skip
def test_a_parameter_may_stand_for_any_number_boolean_or_choice(path: str) -> None:
    value = ["${param:x}"] if path.endswith("List") else "${param:x}"
    assert () == schema.check("ApiProxy", changed("ApiProxy", put(path, value)))


def test_null_clears_where_fields_are_merged_and_nowhere_else() -> None:
    for path in ("spec.settings.cors", "spec.settings.connection.readTimeout", "spec.settings.keys.secretKey",
                 "spec.metadata.sharingType", "spec.routing.enabled", "spec.settings.mtls.supportedProtocolList"):  # fmt: skip
        assert () == schema.check("ApiProxy", changed("ApiProxy", put(path, None))), path
    for path in (
        "spec.description",
        "spec.settings.cors.maxAge",
        "spec.deployments",
        "spec.source.url",
    ):
        assert "AO205" == only("ApiProxy", put(path, None)).code, path


# --- meaning ------------------------------------------------------------------------------------

AI = {"llmProviderRefName": "openai", "modelId": "m"}
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdiW0zQSU3Vn6KMEwjCTpxNTdXPyDTWFv9SoFV7+8aM"


def proxy(type_: str, **fields: Any) -> Change:
    def change(document: Document) -> None:
        document["spec"] = {"type": type_, "clientRoute": {"relativePathList": ["/x"]}, **fields}

    return change


MISFITS: list[tuple[str, Change, str]] = [
    ("ApiProxy", proxy("OPEN_API"), "type OPEN_API needs source.file or source.url"),
    ("ApiProxy", proxy("EMPTY_API", source={"file": "x"}), "type EMPTY_API has no source"),
    ("ApiProxy", proxy("OPEN_API", source={"file": "x", "url": "https://x"}), "name file or url, not both"),
    ("ApiProxy", proxy("AI"), "type AI needs aiRouting"),
    ("ApiProxy", proxy("AI", aiRouting=AI, routing={}), "type AI has aiRouting instead of routing"),
    ("ApiProxy", proxy("AI", aiRouting={}), "name llmProviderRefName, or give a primaryPool"),
    ("ApiProxy", proxy("AI", aiRouting=AI, settings={"ntlm": {}}), "type AI has no settings.ntlm"),
    ("ApiProxy", proxy("EMPTY_API", aiRouting=AI), "type EMPTY_API has no aiRouting"),
    ("ApiProxy", proxy("MCP", mcpRouting={"routingMode": "PASSTHROUGH"}), "PASSTHROUGH needs backendServers"),
    ("ApiProxy", put("spec.settings.cors", {"allowOriginList": ["*"], "allowCredentials": "true"}),
     "origin * cannot go with allowCredentials"),
    ("ApiProxy", put("spec.policies.request.1.name", "LOGIN"), "two policies have the name 'LOGIN'"),
    ("ApiProxy", put("spec.deployments.1.environment", "test"), "the same deployment is written twice"),
    ("ApiProxy", put("spec.settings.cache", {"handlingAction": "STOP", "variableList": [
        {"name": "v", "type": "HEADER"}]}), "a variable whose type is HEADER needs headerName"),
    ("ApiProxy", put("spec.policies.request.0.condition", {"conditionRuleList": [
        {"conditionCriteria": "VALUE"}]}), "a VALUE rule needs firstVariable and valueComparisonOperator"),
    ("EnvironmentVariable", put("spec.global", value=True), "a global variable needs globalValue and has no values"),
    ("EnvironmentVariable", put("spec.values", {}), "a variable that is not global needs values"),
    ("Membership", put("spec.user", "ada"), "name exactly one of user and team"),
    ("Membership", put("spec", {"user": "ada"}), "a user's membership needs at least one role"),
    ("Team", put("spec.members.1.user", "ada"), "user named more than once: ada"),
    ("Role", put("spec.permissions", [{"category": "AUDIT", "actions": ["VIEW"]}] * 2),
     "category named more than once: AUDIT"),
    ("User", put("spec.keys.0.key", "ssh-ed25519 AAAA"), "not an OpenSSH public key"),
    ("User", put("spec.keys.0.key", "my key!"), "not an OpenSSH public key"),
    ("User", put("spec.keys.0", {"key": ED25519, "validFrom": "2026-02-01", "validUntil": "2026-01-01T00:00Z"}),
     "validUntil must be after validFrom"),
    ("User", put("spec.keys.0.validFrom", "2026-02-30"), "day"),
    ("IpGroup", put("spec.ipList", ["203.0.113.300"]), "not an IP address or network"),
    ("Credential", put("spec.token", {"tokenNeverExpires": False}), "needs tokenExpiresInAmount"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "message"), MISFITS)
def test_fields_that_do_not_fit_together_are_refused(
    kind: str, change: Change, message: str
) -> None:
    document = changed(kind, change)
    assert () == schema.check(kind, document)
    found = schema.meaning(kind, document)
    assert ["AO210"] == [fault.code for fault in found]
    assert message in found[0].message
    assert "spec" == found[0].path[0]


def test_each_creation_type_has_a_smallest_proxy() -> None:
    source = {"file": "x"}
    smallest: dict[str, dict[str, Any]] = {
        "OPEN_API": {"source": source}, "SWAGGER": {"source": source}, "WSDL": {"source": source},
        "REVERSE_PROXY": {}, "EMPTY_API": {}, "AI": {"aiRouting": AI},
        "MCP": {"mcpRouting": {"routingMode": "TOOL_EXPOSE"}}, "A2A": {"a2aRouting": {}, "aiRouting": AI},
    }  # fmt: skip
    for type_, fields in smallest.items():
        document = changed("ApiProxy", proxy(type_, **fields))
        assert ((), ()) == (
            schema.check("ApiProxy", document),
            schema.meaning("ApiProxy", document),
        )


# --- two engines, two stages, one voice ---------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "/x", "x\n", "${param:x}", "${X}", "VALUE", "GET", "true", "2026-01-01", "ä"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "type", "$secret", "value", "x"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    return [path, *(p for key, child in children for p in places(child, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Document]:
    """An example with up to three fields set, taken away or added."""
    kind = draw(st.sampled_from(NAMES))
    document = copy.deepcopy(example(kind))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([p for p in places(document) if len(p) > 1] or [("spec",)]))
        here: Any = document
        for step in path[:-1]:
            here = here[step]
        action = draw(st.sampled_from(["set", "drop", "add"]))
        if action == "drop" and isinstance(here, dict):
            here.pop(path[-1], None)
        elif action == "add" and isinstance(here, dict):
            here[draw(st.sampled_from(["extra", "name", "type", "description", "enabled"]))] = draw(
                VALUES
            )
        else:
            here[path[-1]] = draw(VALUES)
    return kind, document


REPORTERS = {kind: faults._validator(kind) for kind in NAMES}
DECIDERS = {kind: jsonschema_rs.Draft7Validator(catalog.kind(kind)) for kind in NAMES}


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_the_fast_engine_and_the_reporting_engine_agree(case: tuple[str, Document]) -> None:
    kind, document = case
    assert REPORTERS[kind].is_valid(document) == DECIDERS[kind].is_valid(document)


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_what_a_schema_refuses_has_a_fault_unless_it_is_plaintext(
    case: tuple[str, Document],
) -> None:
    kind, document = case
    found = schema.check(kind, document)
    if found:
        assert not DECIDERS[kind].is_valid(document)
        assert all(fault.code in codes.ALL and fault.message for fault in found)
    else:
        left = list(REPORTERS[kind].iter_errors(document))
        assert all("x-apiops-secret" in error.schema for error in left)


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_what_the_schema_passes_the_model_refuses_only_for_its_meaning(
    case: tuple[str, Document],
) -> None:
    kind, document = case
    if schema.check(kind, document) or "${param:" in json.dumps(document):
        return
    module, name = KINDS[kind].model.split(":")
    assert {"value_error"} >= refusals(
        getattr(importlib.import_module(module), name), document["spec"]
    )


def refusals(model: type[BaseModel], spec: Any) -> set[str]:
    """The types of pydantic's errors."""
    try:
        model.model_validate(spec)
    except ValidationError as error:
        return {fault["type"] for fault in error.errors()}
    return set()


def test_patterns_mean_the_same_in_both_engines() -> None:
    for pattern in (
        publish.PARAMETER,
        publish.SEALED_TEXT,
        *(kind.names for kind in KINDS.values()),
    ):
        for text in (
            "a",
            "a\n",
            "${param:x}",
            "${param:x}\n",
            "${X}",
            "ENC[AES256_GCM,x",
            "\n${X}",
        ):
            tree = {"pattern": pattern}
            strict = bool(faults._ecma(pattern).search(text))
            assert strict == jsonschema_rs.Draft7Validator(tree).is_valid(text), (pattern, text)
