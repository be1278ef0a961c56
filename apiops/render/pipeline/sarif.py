"""SARIF 2.1.0 (OASIS), for code scanning: rules are our codes, results our remarks.

A result's fingerprint has no line in it, so a finding that moves stays the same finding.
"""

from typing import Any, Final
from urllib.parse import quote

from apiops import __version__
from apiops.model.diagnostic import Location, Severity
from apiops.render import machine
from apiops.render.facts import remarks
from apiops.render.facts.remarks import Remark

SHOWN: Final = 5_000
"""Results of one upload that code scanning shows."""

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

ANCHOR: Final = Location("apiops.toml", 1)
"""Where a result stands that has no place: code scanning refuses a whole log for one without."""

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def log(value: Any) -> str:
    """A SARIF log with one run; its paths are relative to the repository's root."""
    told = remarks.of(value)
    shown = tuple(remarks.fingerprints(told))[:SHOWN]
    names = sorted({remark.code for remark, _ in shown})
    rules = [_rule(name) for name in names]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "apiops", "version": __version__, "rules": rules}},
        "invocations": [_invocation(len(told) - len(shown))],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "The repository's root."}}},
        "results": [_result(remark, known, names.index(remark.code)) for remark, known in shown],
    }
    return machine.written(
        {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ordered=False
    )


def _invocation(left_out: int) -> dict[str, Any]:
    if not left_out:
        return {"executionSuccessful": True}
    text = f"{left_out:,} more remarks are left out: `apiops validate -o json` has all of them."
    notice = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notice]}


def _rule(name: str) -> dict[str, Any]:
    known = remarks.explained(name)
    return {
        "id": name,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "help": {"text": known.fix},
    }


def _result(remark: Remark, known: str, rule: int) -> dict[str, Any]:
    return {
        "ruleId": remark.code,
        "ruleIndex": rule,
        "level": LEVELS[remark.severity],
        "message": {"text": remark.text},
        "partialFingerprints": {"apiops/v1": known},
        "locations": [_location(remark)],
    }


def _location(remark: Remark) -> dict[str, Any]:
    """Where it is; what is in no file of the repository is said by name, and stands in `ANCHOR`."""
    at = remark.location
    if at is not None and at.path and not at.path.startswith(("/", "../")):
        return {"physicalLocation": _place(at)}
    name = {"fullyQualifiedName": remark.about}
    return {"physicalLocation": _place(ANCHOR), "logicalLocations": [name]}


def _place(at: Location) -> dict[str, Any]:
    column = {"startColumn": at.column} if at.column else {}
    return {
        "artifactLocation": {"uri": quote(at.path, errors="replace"), "uriBaseId": "ROOT"},
        "region": {"startLine": at.line or 1, **column},
    }
