"""Values for machines: JSON with a version, and one line of JSON per event.

`format_version` is a promise: a minor version adds fields, a major one breaks; readers ignore
fields that they do not know. Times are UTC in ISO 8601, keys are sorted.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from apiops.errors import ApiopsError, SpecInvalid
from apiops.model import codec
from apiops.model.access import Judgement, Verdicts
from apiops.model.view import AccessCheck, AuditTrail, Findings, PlanView
from apiops.ports import Event

VERSION: Final = "1.0"


def document(value: Any, kind: str) -> str:
    """A value as a JSON document of a kind, indented."""
    return written(envelope(value, kind), indent=2)


def lines(value: Any, kind: str) -> str:
    """A value as JSON lines: an audit trail one line per entry, anything else one line."""
    if isinstance(value, AuditTrail):
        return "".join(lines(entry, "entry") for entry in value.entries)
    return written(envelope(value, kind))


def event(event: Event) -> str:
    """Something that happened during a run, as one line of JSON."""
    tree = {"format_version": VERSION, "kind": "event", "event": asdict(event)}
    return written(tree)


def written(tree: Any, *, indent: int | None = None, ordered: bool = True) -> str:
    """A tree as JSON, its keys in order; `##[`, an order to a build server, is escaped in it."""
    text = json.dumps(tree, indent=indent, sort_keys=ordered, default=str) + "\n"
    return text.replace("##", "#\\u0023")


def envelope(value: Any, kind: str) -> dict[str, Any]:
    """The document: version, kind, and the value under the name of its kind."""
    return {"format_version": VERSION, "kind": kind, **_body(value, kind)}


def _body(value: Any, kind: str) -> dict[str, Any]:
    if isinstance(value, ApiopsError):
        return {kind: _error(value)}
    if isinstance(value, PlanView):
        return _plan(value)
    if isinstance(value, Findings):
        return {"diagnostics": _tree(value.sorted), "checked": value.checked}
    if isinstance(value, AccessCheck):
        return _check(value)
    if isinstance(value, AuditTrail):
        return {"entries": _tree(value.entries)}
    return {kind: _tree(value)}


def _error(error: ApiopsError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "location": _tree(error.location) if error.location else None,
        "exit_code": int(error.exit_code),
        "retryable": error.retryable,
        "diagnostics": _tree(error.diagnostics) if isinstance(error, SpecInvalid) else [],
    }


def _plan(view: PlanView) -> dict[str, Any]:
    """The plan as `codec` writes it (so the document is a plan file), and what was said of it."""
    return {
        "plan": _tree(view.plan),
        "summary": _tree(view.plan.summary),
        "permission": _permission(view.verdicts) if view.verdicts else None,
        "applicable": view.applicable,
        "drift": view.drift,
        "held": sorted(view.held),
        "uncompared": view.uncompared,
        "keyless": view.keyless,
        "notes": list(view.notes),
        "approvals": _tree(view.approvals) if view.approvals else None,
        "left": _tree(view.left),
        "breaking": _tree(view.breaking),
    }


def _check(view: AccessCheck) -> dict[str, Any]:
    return {
        "target": view.target,
        "head": _tree(view.head),
        "base": dict(view.base),
        "permission": _permission(view.verdicts),
    }


def _permission(verdicts: Verdicts) -> dict[str, Any]:
    return {
        "trust": verdicts.trust.value,
        "frozen": sorted(verdicts.frozen),
        "judgements": [_judgement(judged) for judged in verdicts.judgements],
    }


def _judgement(judged: Judgement) -> dict[str, Any]:
    """A judgement that names its change instead of repeating it."""
    resource, action, environment = judged.change.key
    return {
        **{name: node for name, node in _tree(judged).items() if name not in {"change", "needs"}},
        "change": {"resource": resource, "action": action, "environment": environment or None},
        "needs": [{"right": str(right), "scope": _tree(scope)} for right, scope in judged.needs],
    }


def _tree(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_tree(item) for item in value]
    return _sealed(codec.dump(value))


def _sealed(node: Any) -> Any:
    """The tree with nothing in the fields that are marked hidden, and only what JSON can say."""
    if isinstance(node, Mapping):
        empty = {"before", "after"} if node.get("hidden") is True else frozenset[str]()
        return {key: None if key in empty else _sealed(inner) for key, inner in node.items()}
    if isinstance(node, list):
        return [_sealed(inner) for inner in node]
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node
