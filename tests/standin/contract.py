"""Requests and answers against the vendor's OpenAPI document, except where pages contradict it.

What the document is known to say wrongly has a number in 1.10 of the reference; those places are
listed here by that number and are not judged.
"""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

DOCUMENT = Path(__file__).parents[1] / "fixtures" / "apinizer" / "openapi.yaml.gz"

UNJUDGED = {
    r"(POST|PUT) .*/apiProxies/url/": "1.10 #21, #24: no EMPTY_API, other routingInfo",
    r"(POST|PUT) .*/apiProxies/file/": "1.10 #8: multipart",
    r"PUT .*/(ai|mcp|a2a)-routing/": "1.10 #12: opaque",
    r".* .*/certificates/": "1.10 #8, #9: typed as strings",
    r"PATCH .*/settings/(connection|mtls|metadata|routing-status|addresses|error-handling|custom-message)/": "1.10 #24, #27–#31",
    r"GET .*/apiProxies/\{x\}/policies/": "1.10 #38, #41",
    r"GET .*/apiProxies/\{x\}/": "1.10 #20, #26",
    r"GET .*/apiProxies/": "1.10 #20: neither AI nor MCP nor A2A",
    r"GET .*/apiProxies/forpromotion": "1.10 #12",
    r"(POST|PUT) .*/rlcl/(\{n\}/)?": "1.10 #54: two values of eight",
    r"PUT .*/rlcl/\{n\}/endpoints/": "1.10 #54: typed as the policy of that name",
    r"PUT .*/rlcl/\{n\}/condition/": "2.3: a rule that holds others has no variable of its own",
    r"PUT .*/credentials/\{u\}/token/": "1.10 #12, #45: units typed as objects",
    r".* .*/trafficLogSettings/.*": "2.5.8: connectors are keyed by name or UUID",
}
"""Method and path (a pattern) → why the document does not count there."""

STAGED = ("deploy", "deployTargetEnvironmentNameList")
SPELLED = ("s", "what", "list", "flavour")
"""Steps of the stand-in's routes that are words of the API and nobody's names."""


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path with `{}` for every name) → operation."""
    tree = yaml.load(
        gzip.decompress(DOCUMENT.read_bytes()), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    _definitions().update(tree["components"]["schemas"])
    return {
        (method.upper(), _bare(path)): operation
        for path, item in tree["paths"].items()
        for method, operation in item.items()
    }


@cache
def _definitions() -> dict[str, Any]:
    return {}


def _bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.removeprefix("/apiops"))


def spelled(template: str, names: dict[str, str]) -> str:
    """The operation as the document has it, with the words that one route stands for."""
    for step in SPELLED:
        template = template.replace(f"{{{step}}}", names.get(step, ""))
    return template


def request(method: str, template: str, body: Any, quirks: set[str]) -> list[str]:
    """What is wrong with a JSON request."""
    operation = _judged(method, template)
    if operation is None or body is None:
        return []
    content = operation.get("requestBody", {}).get("content", {})
    schema = next((one.get("schema") for kind, one in content.items() if "json" in kind), None)
    return _faults(f"request {method} {template}", schema, _unwrapped(template, schema, body))


def _unwrapped(template: str, schema: Any, body: Any) -> Any:
    """2.5.3: pages have seven settings in an object of their own, which the document leaves out."""
    named = _definitions().get(str((schema or {}).get("$ref", "")).rpartition("/")[2], {})
    known = named.get("properties", {})
    inner = [value for name, value in body.items() if name not in (*known, *STAGED)]
    one_of_its_own = "/settings/" in template and len(inner) == 1 and isinstance(inner[0], dict)
    return inner[0] if one_of_its_own else body


def answer(method: str, template: str, content: bytes, quirks: set[str]) -> list[str]:
    """What is wrong with a JSON answer; quirks are contradictions themselves and not judged."""
    operation = _judged(method, template)
    if operation is None or quirks or not content.startswith(b"{"):
        return []
    content_ = operation.get("responses", {}).get("200", {}).get("content", {})
    schema = next((one.get("schema") for one in content_.values()), None)
    return _faults(f"answer to {method} {template}", schema, json.loads(content))


def known(method: str, template: str) -> bool:
    """Whether the document has it, or says it wrongly under a number."""
    spoken = any(re.fullmatch(pattern, f"{method} {template}") for pattern in UNJUDGED)
    return spoken or (method, _bare(template)) in operations()


@cache
def _judged(method: str, template: str) -> dict[str, Any] | None:
    if any(re.fullmatch(pattern, f"{method} {template}") for pattern in UNJUDGED):
        return None
    return operations().get((method, _bare(template)))


def _faults(where: str, schema: Any, value: Any) -> list[str]:
    if schema is None:
        return []
    found = _validator(json.dumps(schema)).iter_errors(_present(value))
    return [
        f"{where}: {'/'.join(map(str, one.instance_path))}: {one.message[:200]}" for one in found
    ]


@cache
def _validator(schema: str) -> jsonschema_rs.Draft7Validator:
    """What is `oneOf` of named types is told apart by its `type` alone, and judged as its base."""
    tree = {"allOf": [_translated(json.loads(schema))], "definitions": _named()}
    return jsonschema_rs.Draft7Validator(tree)


@cache
def _named() -> dict[str, Any]:
    """Enumerations that the generator made objects without fields say nothing (1.10 #12)."""
    return {
        name: {} if name.startswith("Enum") and one.get("type") == "object" else _translated(one)
        for name, one in _definitions().items()
    }


def _translated(node: Any) -> Any:
    """OpenAPI 3.0 as draft-07: references point elsewhere, a discriminator replaces `oneOf`."""
    if isinstance(node, dict):
        kept = {k: v for k, v in node.items() if k not in ("discriminator", "xml", "example")}
        kept.pop("oneOf", None)
        if isinstance(kept.get("enum"), list) and not kept["enum"]:
            kept.pop("enum")  # 1.10 #12: enums that the generator left empty
        return {
            k: v.replace("#/components/schemas/", "#/definitions/")
            if k == "$ref"
            else _translated(v)
            for k, v in kept.items()
        }
    return [_translated(item) for item in node] if isinstance(node, list) else node


def _present(node: Any) -> Any:
    """Null is how the wire says absent (7 #8)."""
    if isinstance(node, dict):
        return {k: _present(v) for k, v in node.items() if v is not None}
    return [_present(item) for item in node] if isinstance(node, list) else node
