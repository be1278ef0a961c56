"""What there is to say about verdicts: who needed what, and why a change is denied."""

from collections.abc import Mapping

from apiops.model.access import Cause, Judgement, Right, Scope, Verdicts
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


def cause(cause: Cause, subjects: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Why a change is denied, as labelled lines: the commit, the right, the rule."""
    subject = subjects.get(cause.commit, "")
    quoted = f' "{words.cut(subject)}"' if subject else ""
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


def remedy(judged: Judgement) -> str:
    """What to do about a denied change."""
    return words.advice(judged.causes[-1].code) if judged.causes else "revert the change"


def approvers(names: tuple[str, ...]) -> str:
    """Who could approve a change; a long list is cut."""
    most = 2 * words.FEW
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def frozen(name: str) -> str:
    """That a unit stays where it is because a change in it is denied."""
    return f"{words.unit(name)} stays at its last applied commit until then; other projects go on"
