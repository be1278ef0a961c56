"""Where a walk through a spec stands: how people read the place, which of a kind's paths it is,
and where the desired document says it.

A kind names its paths as dotted patterns (`model.kinds.SecretField`); a person reads
`spec.policies.request[throttle].type`; a document is addressed by keys and indexes. A `Place`
carries the three side by side, so that no walk has to translate between them.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apiops.model.kinds import KINDS, SecretField

Path = tuple[str | int, ...]
"""Keys and list indexes from the top of a document (`("spec", "policies", "request", 0)`)."""

Names = tuple[str, ...]
"""Keys from the top of `spec`, with `ITEM` for each step into a list."""

ITEM: Final = "[]"

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """One place: `names` to match patterns, `text` for people, `source` to find its position."""

    names: Names = ()
    text: str = "spec"
    source: Path = ("spec",)

    def field(self, key: str) -> "Place":
        """The place of a key of the mapping here."""
        step = f".{key}" if _BARE.match(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
        return Place((*self.names, key), f"{self.text}{step}", (*self.source, key))

    def item(self, label: object, index: int | None) -> "Place":
        """The place of an item of the list here; without `index` the desired list has it not."""
        source = self.source if index is None else (*self.source, index)
        return Place((*self.names, ITEM), f"{self.text}[{label}]", source)


TOP: Final = Place()
"""The top of `spec`."""

LABELS: Final = Place(("labels",), "metadata.labels", ("metadata", "labels"))
"""The labels, which are compared like a field of the spec."""


def matches(pattern: str, names: Names) -> bool:
    """Whether a kind's pattern means this place: `*` one step, `**` any number of steps."""
    return _matches(_steps(pattern), names)


@lru_cache(maxsize=65536)
def merges(kind: str, names: Names) -> bool:
    """Whether a key left out of the mapping here is somebody else's, by the name of the kind."""
    return any(matches(pattern, names) for pattern in KINDS[kind].merges)


@lru_cache(maxsize=65536)
def key_of(kind: str, names: Names) -> str | None:
    """What identifies the items of the list here: fields, `""` for a set, None for position."""
    keyed = KINDS[kind].keyed
    return next((key for pattern, key in keyed.items() if matches(pattern, names)), None)


@lru_cache(maxsize=65536)
def secrets(kind: str, names: Names) -> tuple[SecretField, ...]:
    """The fields of the kind that this place is, in which no plaintext may stand."""
    fields = KINDS[kind].secrets
    return tuple(one for one in fields if one.required and matches(one.path, names))


@lru_cache(maxsize=1024)
def _steps(pattern: str) -> Names:
    return tuple(pattern.split(".")) if pattern else ()


def _matches(steps: Names, names: Names) -> bool:
    if not steps:
        return not names
    if steps[0] == "**":
        return any(_matches(steps[1:], names[skip:]) for skip in range(len(names) + 1))
    return bool(names) and steps[0] in ("*", names[0]) and _matches(steps[1:], names[1:])
