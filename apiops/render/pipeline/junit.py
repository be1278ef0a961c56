"""JUnit's XML, which every build server reads: a test case for each change, or for each remark.

There is no standard for it; this is the common part that Jenkins, GitLab and Azure agree upon.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from apiops.model.diagnostic import Severity
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Change
from apiops.model.view import PlanView
from apiops.render.facts import remarks
from apiops.render.facts.remarks import Remark
from apiops.render.ink import clean

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case: what it is about, its name, and what is said of it."""

    about: str
    name: str
    failures: tuple[Remark, ...] = ()
    skipped: str = ""


def suite(value: Any, name: str) -> str:
    """A document with one suite, called after what the value is."""
    cases = tuple(_cases(value)) or (_Case("apiops", "nothing to report"),)
    root = ET.Element("testsuites")
    numbers = {
        "tests": len(cases),
        "failures": sum(bool(case.failures) for case in cases),
        "errors": 0,
        "skipped": sum(bool(case.skipped) for case in cases),
    }
    attributes = {key: str(number) for key, number in numbers.items()}
    below = ET.SubElement(root, "testsuite", {"name": f"apiops {name}", **attributes})
    for case in cases:
        _write(below, case)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"


def _cases(value: Any) -> Iterator[_Case]:
    """A case for every change of a value that has changes, and one for whatever else is said."""
    bad: dict[Key, list[Remark]] = {}
    others = []
    for remark in remarks.of(value):
        if remark.change is None:
            others.append(remark)
        elif remark.severity is Severity.ERROR:
            bad.setdefault(remark.change, []).append(remark)
    if isinstance(value, PlanView):
        yield from (_change(change, bad) for change in value.plan.changes)
    if isinstance(value, RunReport):
        yield from (_change(one.change, bad, _waiting(one)) for one in value.outcomes)
    for one in others:
        failures = (one,) if one.severity is Severity.ERROR else ()
        yield _Case(one.about, f"{one.code} {one.message}", failures)


def _change(change: Change, bad: Mapping[Key, Sequence[Remark]], waiting: str = "") -> _Case:
    name = " ".join(filter(None, (change.action.value, change.environment)))
    return _Case(str(change.id), name, tuple(bad.get(change.key, ())), waiting)


def _waiting(outcome: Outcome) -> str:
    if outcome.result not in {Result.BLOCKED, Result.REFUSED}:
        return ""
    return f"{outcome.code} {outcome.message}".strip() or outcome.result.value


def _write(below: ET.Element, case: _Case) -> None:
    attributes = {"classname": clean(case.about), "name": clean(case.name)}
    element = ET.SubElement(below, "testcase", attributes)
    if case.skipped:
        ET.SubElement(element, "skipped", {"message": clean(case.skipped)})
    for remark in case.failures:
        at = f"{remark.location}\n" if remark.location else ""
        attributes = {"type": remark.code, "message": clean(remark.message)}
        failure = ET.SubElement(element, "failure", attributes)
        failure.text = "\n".join(map(clean, f"{at}{remark.text}".splitlines()))
