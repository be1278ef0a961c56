"""What there is to say about verdicts: who needed what, and why a change is denied."""

from collections.abc import Iterator, Mapping

from apiops.model.access import Cause, Judgement, Right, Scope, Trust, Verdicts
from apiops.render import words


def allowed_needs(verdicts: Verdicts) -> tuple[tuple[str, Right, Scope], ...]:
    """Who needed and had which right where: each combination once, in the plan's order."""
    rows = (
        (", ".join(judged.principals) or "nobody charged", right, scope)
        for judged in verdicts.judgements
        if judged.allowed
        for right, scope in judged.needs
    )
    return tuple(dict.fromkeys(rows))


def denial(
    judged: Judgement, trust: Trust, subjects: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Everything about a denied change as labelled lines; what to do comes last."""
    lines = [line for cause in judged.causes for line in _cause(cause, subjects)]
    if judged.could:
        names = approvers(judged.could)
        if trust is Trust.SIGNED:
            names += f"   by a signed commit that says: apiops-approve: {judged.change.id}"
        lines.append(("approve", names))
    lines.append(("next", remedy(judged)))
    return tuple(lines)


def _cause(cause: Cause, subjects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Why a change is denied: the commit, the right, the rule."""
    subject = subjects.get(cause.commit, "")
    quoted = f' "{words.cut(subject)}"' if subject else ""
    if cause.commit:
        yield "commit", f"{cause.commit[:7]}{quoted}   by {cause.principal or 'nobody known'}"
    if cause.verdict is not None:
        yield "needs", f"{cause.verdict.right} in {cause.verdict.scope}"
    yield "why", f"{cause.code}  {cause.message}"
    if cause.verdict is not None and cause.verdict.rule not in cause.message:
        told = (cause.verdict.rule, cause.verdict.explanation)
        yield "rule", " – ".join(part for part in told if part)


def approvers(names: tuple[str, ...]) -> str:
    """Who could approve a change; a long list is cut."""
    most = 2 * words.FEW
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def remedy(judged: Judgement) -> str:
    """What to do about a denied change: the hint of each cause, and where to read more."""
    hints = tuple(dict.fromkeys(cause.hint for cause in judged.causes if cause.hint))
    codes = tuple(dict.fromkeys(cause.code for cause in judged.causes))
    if not hints:
        return words.advice(codes[-1]) if codes else "revert the change"
    return f"{'; '.join(hints)}  ({', '.join(map(words.explain, codes))})"


def frozen(name: str) -> str:
    """That a unit stays where it is because a change in it is denied."""
    return f"{words.unit(name)} stays at its last applied commit until then; other projects go on"
