"""What there is to say about audit entries and the chain that they form."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apiops.model import secret
from apiops.model.audit import AuditEntry, ChainReport, KeyView, ProofReport, Reason
from apiops.render import words

HEADINGS: Final = ("#", "when (UTC)", "who", "did", "what", "why")

PLAIN: Final = ("done", "noted")
"""Outcomes that need no word: a row was changed, or something was noted that changes none."""

Difference = tuple[str, str]
"""Path, and the values before and after in words."""


def row(entry: AuditEntry) -> tuple[str, ...]:
    """An entry as one row below HEADINGS."""
    did = entry.action if entry.outcome in PLAIN else f"{entry.action} ({entry.outcome})"
    who = entry.principal or "nobody known"
    return (str(entry.seq), when(entry), who, did, what(entry), why(entry.reason))


def when(entry: AuditEntry) -> str:
    """The time of an entry, UTC, to the second."""
    return entry.at.strftime("%Y-%m-%d %H:%M:%S")


def what(entry: AuditEntry) -> str:
    """What an entry is about."""
    about = str(entry.resource) if entry.resource is not None else "–"
    return f"{about} → {entry.environment}" if entry.environment else about


def why(reason: Reason) -> str:
    """The reason of a write on one line: commit and first line, or a person's words."""
    text = words.cut(reason.text)
    return f"{reason.commit[:7]} {text}" if reason.commit else text


def deed(entry: AuditEntry) -> str:
    """What an entry records, as a heading."""
    result = "" if entry.outcome in PLAIN else f" – {entry.outcome}"
    return f"{entry.action} {what(entry)}{result}"


def lines(entry: AuditEntry) -> tuple[tuple[str, str], ...]:
    """Everything about an entry but the change itself, as labelled lines."""
    reason = entry.reason
    others = [commit[:7] for commit in reason.commits if commit != reason.commit]
    told = (
        ("when", f"{when(entry)} UTC"),
        ("who", entry.principal or "nobody known"),
        ("claimed", entry.actor if entry.actor != entry.principal else ""),
        ("tier", entry.tier),
        ("why", reason.text),
        ("commit", reason.commit),
        ("also", ", ".join(others)),
        ("signer", reason.signer),
        ("request", reason.pull_request),
        ("overrode", ", ".join(reason.overrides)),
        ("approved", ", ".join(reason.approvers)),
        ("run", f"{entry.run} through {entry.source}"),
        ("from", entry.address),
        ("digest", entry.digest),
        ("previous", entry.previous),
    )
    return tuple((label, text) for label, text in told if text)


def delta(before: Any, after: Any) -> tuple[Difference, ...]:
    """The leaves in which two states differ, by path; secrets are told apart by fingerprint."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return tuple(
        (path, words.change(old.get(path), new.get(path)))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def chain(report: ChainReport) -> tuple[str, ...]:
    """Whether the chain holds; when it does not, where and what that means."""
    if report.first_bad is None:
        good = f"The audit chain holds: {words.plural(report.entries, 'entry')} checked"
        if not report.head:
            return (f"{good}.",)
        return (f"{good}, head {report.head[:16]}.", _proven(report))
    return (
        f"The audit chain is broken at entry {report.first_bad}: {report.problem}",
        f"{words.plural(report.entries, 'entry')} checked; nothing from there on proves anything.",
        "Keep a copy of the database as it is and compare its head with one kept elsewhere.",
    )


def _proven(report: ChainReport) -> str:
    if not report.proven:
        return "No signed checkpoint covers it yet: apiops audit checkpoint"
    many = words.plural(report.checkpoints, "signed checkpoint")
    return f"{many} found; the last covers entries 1 to {report.proven:,}."


def proof(report: ProofReport) -> str:
    """What a proof proved, in one sentence."""
    log = f"the log {report.origin} with {words.plural(report.size, 'entry')}"
    if report.since is not None:
        return f"Proven: {log} begins as it was with {report.since:,}."
    return f"Proven: this entry is in {log}."


KEY_HEADINGS: Final = (
    "environment",
    "purpose",
    "key",
    "state",
    "since (UTC)",
    "values",
    "wrapped by",
)


def key(view: KeyView) -> tuple[str, ...]:
    """A key version as one row below KEY_HEADINGS."""
    until = view.until if view.state == "retiring" else None
    return (
        view.environment or "(Manager)",
        view.purpose,
        view.kid,
        f"{view.state} until {until:%Y-%m-%d %H:%M:%S}" if until else view.state,
        view.created.strftime("%Y-%m-%d %H:%M:%S"),
        "" if view.values is None else f"{view.values:,}",
        view.wrapper,
    )


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and secret.MARK in node:
        leaf = node[secret.MARK]
        fingerprint = leaf.get("fingerprint") if isinstance(leaf, Mapping) else None
        yield path, {secret.MARK: fingerprint}
    elif isinstance(node, Mapping) and node:
        for key, inner in node.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list | tuple) and node:
        for index, inner in enumerate(node):
            yield from _leaves(inner, f"{path}[{index}]")
    elif node is not None:
        yield path, node
