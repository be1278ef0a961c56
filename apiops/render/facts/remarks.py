"""What a pipeline shows beside the code: one remark for each thing that somebody must look at.

Annotations, SARIF, JUnit and code quality reports differ only in how they write a remark; what is
worth one is decided here.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from apiops.errors import ApiopsError, SpecInvalid
from apiops.model import codes
from apiops.model.breaking import RULES
from apiops.model.diagnostic import Code, Diagnostic, Location, Severity
from apiops.model.outcome import Outcome, Result, RunReport
from apiops.model.plan import Action, Change
from apiops.model.view import Findings, PlanView
from apiops.render import words
from apiops.render.facts import permission, plan

DELETES: Final = "deletes"
DRIFTED: Final = "drifted"
"""What a remark is called that has no code, because nothing is wrong with it."""

NAMED: Final = (
    Code(
        DELETES,
        "A resource is deleted",
        "No manifest describes it any more, and prune is on.",
        "Approve the plan if it is meant; otherwise bring the manifest back.",
    ),
    Code(
        DRIFTED,
        "A resource was changed in the Manager",
        "It differs from what was applied last, and no commit asks for that.",
        "Apply to correct it, or write the change into its manifest: `apiops export`.",
    ),
    *(
        Code(
            rule,
            told.rstrip("."),
            "Those who call the API by the document that was applied may rely on it.",
            "Keep what was there beside what is new; or, if it is meant, say why in the message of "
            "the commit: `apiops-break: ApiProxy/PROJECT/NAME REASON`.",
        )
        for rule, told in RULES.items()
    ),
)

_ORDER: Final = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to show: how bad it is, its code or name, what, where if known, what to do.

    `about` is the file or resource that it is about, `change` the key of the change, if it is
    about one.
    """

    severity: Severity
    code: str
    message: str
    about: str
    location: Location | None = None
    hint: str = ""
    change: tuple[str, str, str] | None = None

    @property
    def text(self) -> str:
        """The message and, on a line of its own, what to do."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def of(value: Any) -> tuple[Remark, ...]:
    """The remarks on a value, the worst first. Raises LookupError for what has none."""
    for kind, tell in _TELLERS:
        if isinstance(value, kind):
            return tuple(sorted(tell(value), key=lambda remark: _ORDER.index(remark.severity)))
    raise LookupError(f"{type(value).__name__} has no remarks")


def explained(name: str) -> Code:
    """What a remark's code or name means; of one that only another version knows, where to ask."""
    return _EXPLAINED.get(name) or Code(name, name, f"See {name}.", words.explain(name))


def fingerprints(remarks: Iterable[Remark]) -> Iterator[tuple[Remark, str]]:
    """Each remark with what it is known by in the next run: never its line, which moves.

    SHA-256 over code, subject and message; equal ones are numbered.
    """
    seen: Counter[str] = Counter()
    for remark in remarks:
        path = remark.location.path if remark.location else ""
        known = f"{remark.code}\0{remark.about}\0{path}\0{remark.message}"
        seen[known] += 1
        yield remark, hashlib.sha256(f"{known}\0{seen[known]}".encode()).hexdigest()


def _findings(findings: Findings) -> Iterator[Remark]:
    return map(_finding, findings.sorted)


def _finding(found: Diagnostic) -> Remark:
    at = found.location
    return Remark(found.severity, found.code, found.message, at.path, at, found.hint)


def _plan(view: PlanView) -> Iterator[Remark]:
    for guard in view.plan.guards:
        severity = Severity.NOTE if guard.overridden else Severity.ERROR
        about = "the plan" if guard.unit is None else words.unit(guard.unit)
        yield Remark(severity, guard.code, guard.message, about, hint=plan.guarding(guard))
    for unit, code in sorted(view.plan.stopped.items()):
        yield Remark(Severity.ERROR, code, plan.stopped(unit), words.unit(unit))
    yield from _denials(view)
    for broken in view.breaking:
        hint = f"it is meant: {broken.reason}" if broken.reason else ""
        for one in broken.breaks:
            message = f"{broken.id} breaks those who call it: {one.message}"
            yield Remark(Severity.WARNING, one.rule, message, str(broken.id), one.location, hint)
    for change in view.left:
        message = f"{plan.what(change)} was changed in the Manager, and is left so"
        yield _change(Severity.WARNING, DRIFTED, message, change)
    removals = plan.removals(view)
    for change in view.plan.changes:
        if view.drift:
            message = f"{plan.what(change)} was changed in the Manager since the last apply"
            yield _change(Severity.WARNING, DRIFTED, message, change)
        elif change.action is Action.DELETE:
            message = f"deletes {change.id}: {plan.place(view, change, removals)}"
            yield _change(Severity.WARNING, DELETES, message, change)


def _denials(view: PlanView) -> Iterator[Remark]:
    for judged in view.verdicts.denied if view.verdicts else ():
        for cause in judged.causes:
            hint = permission.remedy(judged)
            yield _change(Severity.ERROR, cause.code, cause.message, judged.change, hint)


def _change(severity: Severity, code: str, message: str, change: Change, hint: str = "") -> Remark:
    return Remark(severity, code, message, str(change.id), change.location, hint, change.key)


def _report(report: RunReport) -> Iterator[Remark]:
    for outcome in report.outcomes:
        if outcome.result is not Result.DONE:
            yield _outcome(outcome)
    for unit, why in sorted(report.stuck.items()):
        code, _, message = why.partition(" ")
        yield Remark(Severity.ERROR, code, message, words.unit(unit), hint=words.advice(code))


def _outcome(outcome: Outcome) -> Remark:
    waits = outcome.result in {Result.BLOCKED, Result.REFUSED}
    severity = Severity.WARNING if waits else Severity.ERROR
    message = f"{plan.what(outcome.change)} {outcome.result.value}: {outcome.message}"
    return _change(severity, outcome.code, message, outcome.change, words.advice(outcome.code))


def _error(error: ApiopsError) -> Iterator[Remark]:
    if isinstance(error, SpecInvalid):
        yield from map(_finding, error.diagnostics)
        return
    about = error.location.path if error.location else "apiops"
    hint = error.hint or words.explain(error.code)
    yield Remark(Severity.ERROR, error.code, error.message, about, error.location, hint)


_TELLERS: Final[tuple[tuple[type, Callable[[Any], Iterator[Remark]]], ...]] = (
    (Findings, _findings),
    (PlanView, _plan),
    (RunReport, _report),
    (ApiopsError, _error),
)

_EXPLAINED: Final = codes.ALL | {code.id: code for code in NAMED}
