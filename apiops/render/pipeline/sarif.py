"""SARIF 2.1.0 (OASIS), for code scanning: rules are our codes, results our remarks.

A result's fingerprint has no line in it, so a finding that moves stays the same finding.
"""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from apiops import __version__
from apiops.model import codes
from apiops.model.diagnostic import Location, Severity
from apiops.render import machine
from apiops.render.facts import remarks
from apiops.render.facts.remarks import Remark

SHOWN: Final = 5_000
"""Results of one upload that code scanning shows."""

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def log(value: Any) -> str:
    """A SARIF log with one run; its paths are relative to the repository's root."""
    told = remarks.of(value)
    shown = tuple(remarks.fingerprints(told))[:SHOWN]
    names = sorted({remark.code for remark, _ in shown})
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "apiops", "version": __version__, "rules": _rules(names)}},
        "invocations": [_invocation(len(told) - len(shown))],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "The repository's root."}}},
        "results": [_result(remark, known, names.index(remark.code)) for remark, known in shown],
    }
    return machine.written({"version": "2.1.0", "runs": [run]}, indent=2, ordered=False)


def _invocation(left_out: int) -> dict[str, Any]:
    if not left_out:
        return {"executionSuccessful": True}
    text = f"{left_out:,} more remarks are left out: `apiops validate -o json` has all of them."
    notice = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notice]}


def _rules(names: Iterable[str]) -> list[dict[str, Any]]:
    return [_rule(name) for name in names]


def _rule(name: str) -> dict[str, Any]:
    known = codes.ALL.get(name)
    if known is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "help": {"text": known.fix},
    }


def _result(remark: Remark, known: str, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": remark.code,
        "ruleIndex": rule,
        "level": LEVELS[remark.severity],
        "message": {"text": remark.text},
        "partialFingerprints": {"apiops/v1": known},
    }
    if remark.location is not None:
        result["locations"] = [{"physicalLocation": _place(remark.location)}]
    return result


def _place(at: Location) -> dict[str, Any]:
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(at.path, errors="replace"), "uriBaseId": "ROOT"}
    }
    if at.line:
        column = {"startColumn": at.column} if at.column else {}
        place["region"] = {"startLine": at.line, **column}
    return place
