"""The words that all formats share: signs, counts, and values made short and safe to show.

A secret leaf is shown as `(hidden)` wherever it stands; a long value is cut, with its length.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from apiops.model import codes, secret
from apiops.model.access import Cause, Right, Scope, Verdicts
from apiops.model.diagnostic import Severity
from apiops.model.outcome import Result, RunReport
from apiops.model.plan import Action, Change, FieldChange, GuardFinding, Summary
from apiops.model.view import Findings, PlanView

LONGEST: Final = 60
"""Characters of a value that are shown before it is cut."""

SIGNS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.DEPLOY: "»",
    Action.UNDEPLOY: "«",
}

FEW: Final = 3
"""How many names are written out before the rest is counted."""

BELIEVED: Final = (
    "Names are believed: this target trusts committer names without signatures."
    " Anyone can write any name."
)
CHANGED_HIDDEN: Final = f"changed {secret.HIDDEN}"
NOT_COMPARED: Final = "not compared"
UNSET: Final = "unset"


def plural(number: int, noun: str) -> str:
    """The number with its noun: `1 error`, `2 errors`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    stem = noun[:-1] + "ie" if noun.endswith("y") else noun
    return f"{number:,} {stem}s"


def counts(summary: Summary) -> str:
    """The counts of a plan: what there is of each action, then what stays."""
    found = [(getattr(summary, action.value), action.value) for action in Action]
    shown = [f"{number:,} {name}" for number, name in found if number]
    return "   ".join([*shown, f"{summary.unchanged:,} unchanged"])


def unit(name: str) -> str:
    """A unit, in words."""
    return "System tier" if name == "system" else f"project {name}"


def what(change: Change) -> str:
    """What a change is about, without its sign."""
    if change.action is Action.DEPLOY:
        return f"deploy {change.id} → {change.environment}"
    if change.action is Action.UNDEPLOY:
        return f"undeploy {change.id} ← {change.environment}"
    return str(change.id)


def marks(change: Change, *, drift: bool = False) -> tuple[str, ...]:
    """What is special about a change; that it drifted goes without saying in a drift report."""
    told = [
        f"renamed from {change.renamed_from}" if change.renamed_from else "",
        "adopted: it exists in the Manager already" if change.adopts else "",
        "drifted: changed in the Manager since the last apply"
        if change.drifted and not drift
        else "",
    ]
    return tuple(mark for mark in told if mark)


def difference(field: FieldChange) -> str:
    """The old and new value of a field; of a secret only that it changed."""
    if field.hidden:
        return CHANGED_HIDDEN
    return f"{value(field.before)} → {value(field.after)}"


def value(node: Any) -> str:
    """A value as JSON on one line, cut when long; None is `unset`."""
    if node is None:
        return UNSET
    shown = masked(node)
    if shown == secret.HIDDEN:
        return secret.HIDDEN
    text = json.dumps(shown, ensure_ascii=False, default=str)
    if len(text) <= LONGEST:
        return text
    length = len(shown) if isinstance(shown, str) else len(text)
    return f"{text[:LONGEST]}… ({length:,} characters)"


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, or its beginning and how long it is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"


def masked(node: Any) -> Any:
    """The tree with `(hidden)` for whatever is marked as a secret, well-formed leaf or not."""
    if isinstance(node, Mapping):
        if secret.MARK in node:
            return secret.HIDDEN
        return {key: masked(inner) for key, inner in node.items()}
    if isinstance(node, list | tuple):
        return [masked(inner) for inner in node]
    return node


def origin(view: PlanView) -> str:
    """Where a plan comes from and what it is for: revision, subject, people, target."""
    plan = view.plan
    target = plan.target
    if plan.environment != plan.target:
        target = f"{plan.target} (environment {plan.environment})"
    subject = f' "{cut(plan.head.subject)}"' if plan.head.subject else ""
    people = makers(view)
    parts = [
        f"revision {plan.head.short}{subject}",
        f"by {', '.join(people)}" if people else "",
        f"for {target}",
    ]
    return "   ".join(part for part in parts if part)


def makers(view: PlanView) -> tuple[str, ...]:
    """The principals who answer for the changes, each once; more than three are counted."""
    judgements = view.verdicts.judgements if view.verdicts else ()
    names = tuple(dict.fromkeys(name for judged in judgements for name in judged.principals))
    return names if len(names) <= FEW else (*names[:FEW], f"{len(names) - FEW} more")


def nothing(view: PlanView) -> str:
    """What a plan without changes says."""
    if view.plan.stopped or view.plan.guards:
        return f"No changes in what could be planned at {view.plan.head.short}."
    if view.drift:
        return f"No drift. Live matches {view.plan.head.short}."
    return f"No changes. Live matches {view.plan.head.short}."


def gone(view: PlanView, change: Change) -> str:
    """Where a deleted resource went: the commit that removed it, as far as it is known."""
    if change.action is not Action.DELETE:
        return ""
    judgements = view.verdicts.judgements if view.verdicts else ()
    for judged in judgements:
        if judged.change.key == change.key and judged.charged:
            return f"removed in {judged.charged[-1][:7]}"
    return f"not in {view.plan.head.short}"


def guarding(finding: GuardFinding) -> str:
    """What a guard stops and what to do about it, or that it was overridden."""
    if finding.overridden:
        return "overridden, which is recorded in the audit log"
    stops = "everything" if finding.unit is None else unit(finding.unit)
    return f"stops {stops}; {advice(finding.code)}"


def advice(code: str) -> str:
    """How to mend what a code is about, and where to read more."""
    known = codes.ALL.get(code)
    return f"{known.fix}  ({explain(code)})" if known else explain(code)


def explain(code: str) -> str:
    """The command that explains a code."""
    return f"apiops explain {code}"


def stopped(name: str) -> str:
    """That a unit was not planned, and why."""
    return f"{unit(name)} is neither planned nor pruned: its specifications have errors"


def lead(view: PlanView) -> str:
    """What stands before the command that applies a plan."""
    held = any(unit in view.held for unit in view.plan.units)
    return "To apply the rest, exactly as shown:" if held else "To apply exactly this:"


def notes(view: PlanView) -> tuple[str, ...]:
    """What a reader must know beside the changes."""
    if not view.uncompared:
        return view.notes
    why = "no age identity" if view.keyless else "they could not be opened"
    return (f"{plural(view.uncompared, 'secret field')} not compared: {why}", *view.notes)


def why_not(view: PlanView) -> str:
    """Why a plan with changes cannot be applied, and what to do about it."""
    if view.drift:
        return "To see what a run would do about it:  apiops plan"
    if view.refused:
        return "A guard stops this plan; nothing can be applied."
    if not view.plan.head.commit:
        return "This is the work tree. Only a commit can be applied: commit, then plan again."
    return "Every unit with changes stays where it is; nothing can be applied."


def allowed_needs(verdicts: Verdicts) -> tuple[tuple[str, Right, Scope], ...]:
    """Who needed and had which right where: each combination once, in the plan's order."""
    rows = (
        (", ".join(judged.principals) or "nobody charged", right, scope)
        for judged in verdicts.judgements
        if judged.allowed
        for right, scope in judged.needs
    )
    return tuple(dict.fromkeys(rows))


def cause(cause: Cause, subjects: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Why a change is denied, as labelled lines: the commit, the right, the rule."""
    subject = subjects.get(cause.commit, "")
    quoted = f' "{cut(subject)}"' if subject else ""
    signer = f"signed by {cause.principal}" if cause.principal else "signed by nobody known"
    lines = [("commit", f"{cause.commit[:7]}{quoted}   {signer}")] if cause.commit else []
    if cause.verdict is not None:
        lines.append(("needs", f"{cause.verdict.right} in {cause.verdict.scope}"))
    lines.append(("why", f"{cause.code}  {cause.message}"))
    if cause.verdict is not None:
        lines.append(
            ("rule", " – ".join(filter(None, (cause.verdict.rule, cause.verdict.explanation))))
        )
    return tuple(lines)


def approvers(names: tuple[str, ...]) -> str:
    """Who could approve a change; a long list is cut."""
    most = 2 * FEW
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def frozen(name: str) -> str:
    """That a unit stays where it is because a change in it is denied."""
    return f"{unit(name)} stays at its last applied commit until then; other projects go on"


def tally(findings: Findings) -> str:
    """How many findings of each severity, in how many files, of how many checked."""
    if not findings.diagnostics:
        return f"No findings. {plural(findings.checked, 'file')} checked."
    numbers = [
        plural(findings.count(severity), severity.value)
        for severity in Severity
        if findings.count(severity)
    ]
    checked = f" ({findings.checked:,} checked)" if findings.checked else ""
    return f"{', '.join(numbers)} in {plural(findings.files, 'file')}{checked}"


def success(report: RunReport) -> str:
    """One line that says what a run did, for what, and how long it took."""
    done = report.count(Result.DONE)
    others = [
        f"{report.count(result):,} {result.value}"
        for result in Result
        if result is not Result.DONE and report.count(result)
    ]
    did = f"Applied {plural(done, 'change')}" if done or others else "Nothing to apply"
    rest = f" ({', '.join(others)})" if others else ""
    head = f" at {report.head[:7]}" if report.head else ""
    return f"{did} to {report.target}{head}{rest} in {seconds(report.seconds)}.   run {report.run}"


def seconds(number: float) -> str:
    """A duration as people say it."""
    minute = 60
    if number < minute:
        return f"{number:.1f} s"
    return f"{int(number // minute)} min {int(number % minute)} s"


def place(report: RunReport, name: str) -> str:
    """At which commit a unit is after a run."""
    commit = report.applied.get(name, "")
    now = f"at {commit[:7]}" if commit else "never applied"
    return f"frozen {now}" if name in report.frozen else f"now {now}" if commit else now


def after(report: RunReport) -> tuple[str, ...]:
    """What to do about what was not done: one line per code."""
    faults = dict.fromkeys(
        outcome.code
        for outcome in report.outcomes
        if outcome.code and outcome.result is not Result.DONE
    )
    return tuple(f"{code}: {advice(code)}" for code in faults)
