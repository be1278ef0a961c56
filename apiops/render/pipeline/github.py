"""Annotations by GitHub's workflow commands, within the number that GitHub shows of a step.

Beyond ten of a level GitHub drops the rest without a word, so the tenth says how many there are.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from apiops.model.diagnostic import Severity
from apiops.render.facts import remarks
from apiops.render.facts.remarks import Remark
from apiops.render.ink import clean

SHOWN: Final = 10
"""Annotations of one level that GitHub shows of a step."""

LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def annotations(value: Any) -> str:
    """One workflow command a line; nothing for a value without remarks."""
    told = remarks.of(value)
    lines = (
        line
        for severity in Severity
        for line in _level(severity, [one for one in told if one.severity is severity])
    )
    return "".join(f"{line}\n" for line in lines)


def _level(severity: Severity, told: list[Remark]) -> Iterator[str]:
    room = SHOWN if len(told) <= SHOWN else SHOWN - 1
    yield from map(_command, told[:room])
    if len(told) > room:
        more = f"{len(told) - room:,} more of this level: see the job summary"
        yield f"::{LEVELS[severity]} title=apiops::{more}"


def _command(remark: Remark) -> str:
    at = remark.location
    known = [("file", at.path), ("line", at.line), ("col", at.column)] if at else []
    properties = [*known, ("title", f"apiops {remark.code}".rstrip())]
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties if value)
    return f"::{LEVELS[remark.severity]} {told}::{_message(remark.text.splitlines())}"


def _message(lines: Iterable[str]) -> str:
    return "%0A".join(clean(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    """The runner's own escapes; without them a file's name could end the command."""
    escaped = clean(text).replace("%", "%25").replace(":", "%3A")
    return escaped.replace(",", "%2C")
