"""What there is to say about verdicts: who needed what, and why a change is denied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from apiops.model.access import Cause, Judgement, Right, Scope, Trust, Verdicts
from apiops.model.view import PermissionMatrix
from apiops.render import words
from apiops.render.facts import plan

NOTHING: Final = "No change to judge: nothing differs."
HEADINGS: Final = ("change", "commit", "signer", "right needed", "verdict", "rule", "next")
NOBODY: Final = "nobody known"
ALIKE: Final = 8
"""How many changes that are denied alike are named; the rest is counted."""

Lines = tuple[tuple[str, str], ...]
"""What there is to say, as labelled lines."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A row of the table of verdicts: an allowed change, or one cause why another is denied."""

    change: str
    commit: str
    signer: str
    needs: tuple[str, ...]
    allowed: bool
    rule: str
    next: str = ""

    @property
    def verdict(self) -> str:
        """The verdict in one word."""
        return "allowed" if self.allowed else "denied"


def rulings(verdicts: Verdicts) -> tuple[Ruling, ...]:
    """What was ruled on every change: denials first, otherwise in the plan's order."""
    judgements = sorted(verdicts.judgements, key=lambda judged: judged.allowed)
    return tuple(row for judged in judgements for row in _rulings(judged))


def _rulings(judged: Judgement) -> Iterator[Ruling]:
    change = f"{plan.SIGNS[judged.change.action]} {plan.what(judged.change)}"
    needs = tuple(f"{right} in {scope}" for right, scope in judged.needs)
    if judged.allowed:
        signers = ", ".join(judged.principals) or NOBODY
        rules = ", ".join(judged.rules)
        yield Ruling(change, commits(judged.charged), signers, needs, allowed=True, rule=rules)
    for cause in judged.causes:
        verdict = cause.verdict
        yield Ruling(
            change,
            commits((cause.commit,) if cause.commit else ()),
            cause.principal or NOBODY,
            (f"{verdict.right} in {verdict.scope}",) if verdict else needs,
            allowed=False,
            rule=verdict.rule if verdict else cause.code,
            next=_next(judged, cause),
        )


def _next(judged: Judgement, cause: Cause) -> str:
    """What to do about one cause, and who could."""
    hint = cause.hint or words.advice(cause.code)
    if not judged.could:
        return hint
    return f"{_named(hint, judged)}; could approve: {approvers(judged.could)}"


def _named(hint: str, judged: Judgement) -> str:
    """A hint that names the resource at hand."""
    return hint.replace("KIND/PROJECT/NAME", str(judged.change.id))


def commits(ids: tuple[str, ...]) -> str:
    """Commits by their first digits; of many the newest."""
    shown = [id[:7] for id in ids[-words.FEW :]]
    more = len(ids) - len(shown)
    return ", ".join(shown) + (f" and {more:,} before" if more else "")


def summary(verdicts: Verdicts) -> str:
    """How many changes are allowed and denied."""
    denied = len(verdicts.denied)
    allowed = len(verdicts.judgements) - denied
    return f"{allowed:,} allowed, {denied:,} denied"


def allowed_needs(verdicts: Verdicts) -> tuple[tuple[str, Right, Scope], ...]:
    """Who needed and had which right where: each combination once, in the plan's order."""
    rows = (
        (", ".join(judged.principals) or "nobody charged", right, scope)
        for judged in verdicts.judgements
        if judged.allowed
        for right, scope in judged.needs
    )
    return tuple(dict.fromkeys(rows))


def denials(
    verdicts: Verdicts, subjects: Mapping[str, str]
) -> tuple[tuple[tuple[str, ...], Lines], ...]:
    """The denied changes with what there is to say of them: what is the same is said once."""
    grouped: dict[Lines, list[str]] = {}
    for judged in verdicts.denied:
        title = f"{plan.SIGNS[judged.change.action]} {plan.what(judged.change)}"
        grouped.setdefault(denial(judged, verdicts.trust, subjects), []).append(title)
    return tuple((_few(titles), lines) for lines, titles in grouped.items())


def _few(titles: list[str]) -> tuple[str, ...]:
    if len(titles) <= ALIKE:
        return tuple(titles)
    kept = titles[: ALIKE - 1]
    return (*kept, f"and {words.plural(len(titles) - len(kept), 'more change')}")


def denial(judged: Judgement, trust: Trust, subjects: Mapping[str, str]) -> Lines:
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
    verdict = cause.verdict
    if verdict is None:
        yield "why", f"{cause.code}  {cause.message}"
        return
    yield "needs", f"{verdict.right} in {verdict.scope}"
    yield "why", f"{cause.code} {verdict.rule}   {verdict.because or cause.message}"


def approvers(names: tuple[str, ...]) -> str:
    """Who could approve a change; a long list is cut."""
    most = 2 * words.FEW
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def remedy(judged: Judgement) -> str:
    """What to do about a denied change: the hint of each cause, and where to read more."""
    hints = tuple(
        dict.fromkeys(_named(cause.hint, judged) for cause in judged.causes if cause.hint)
    )
    codes = tuple(dict.fromkeys(cause.code for cause in judged.causes))
    if not hints:
        return words.advice(codes[-1]) if codes else "revert the change"
    return f"{'; '.join(hints)}  ({', '.join(map(words.explain, codes))})"


def frozen(name: str) -> str:
    """That a unit stays where it is because a change in it is denied."""
    return f"{words.unit(name)} stays at its last applied commit until then; other projects go on"


def matrix_title(matrix: PermissionMatrix) -> str:
    """What a matrix shows."""
    said = "with what each right brings along" if matrix.expanded else "as the roles name them"
    return f"Rights of the built-in roles, {said}"


def legend(matrix: PermissionMatrix) -> str:
    """What the letters of a matrix mean."""
    return ", ".join(f"{letter} {verb}" for letter, verb in matrix.letters.items())
