"""What looks like a secret although it stands in plain text where no secret belongs.

Only forms that nobody writes by chance: keys with a header, tokens with a prefix of their maker,
a password inside of a URL. Nothing is guessed from the randomness of a text, so a finding is
worth stopping for. `${…}` in a value means that somebody else fills it in.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from apiops.model import canonical
from apiops.model.secret import leaf_of

Path = tuple[str | int, ...]


class Suspect(NamedTuple):
    """A place inside a tree, and what stands there as it seems. The value itself is not kept."""

    path: Path
    what: str


_FORMS: Final = (
    ("a private key", "PRIVATE KEY-----", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    ("an age identity", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50}"),
    ("an AWS access key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
    ("a GitHub token", "ghp_", r"\bghp_[0-9A-Za-z]{36,}\b"),
    ("a GitHub token", "gho_", r"\bgho_[0-9A-Za-z]{36,}\b"),
    ("a GitHub token", "ghs_", r"\bghs_[0-9A-Za-z]{36,}\b"),
    ("a GitHub token", "github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{60,}\b"),
    ("a GitLab token", "glpat-", r"\bglpat-[0-9A-Za-z_-]{20,}"),
    ("a Slack token", "xox", r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}"),
    ("a Stripe key", "_live_", r"\b[rs]k_live_[0-9A-Za-z]{20,}\b"),
    ("a Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a key of a model vendor", "sk-ant-", r"\bsk-ant-[0-9A-Za-z_-]{20,}"),
    ("a key of a model vendor", "sk-proj-", r"\bsk-proj-[0-9A-Za-z_-]{20,}"),
    ("a signed token", "eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    ("a password in a URL", "@", r"[a-z][a-z0-9+.-]*://[^/\s:@\"'$]+:[^/\s:@\"'$]+@"),
)  # fmt: skip
"""What it is, a text that it holds in any case and hardly anything else does, its form."""

_MARKERS: Final = tuple(marker.encode() for _, marker, _ in _FORMS if marker != "@")
_COMPILED: Final = tuple((what, marker, re.compile(form)) for what, marker, form in _FORMS)


def find(tree: Mapping[str, Any], encoded: bytes | None = None) -> Iterator[Suspect]:
    """The places of a tree that look like secrets in plain text, in its order.

    `encoded` is the tree in canonical form, where the caller has it.
    """
    if _may_hold(canonical.encode(tree) if encoded is None else encoded):
        yield from _walk(tree, ())


def seems(text: str) -> str:
    """What secret a text seems to hold; empty if none."""
    return next(
        (what for what, marker, form in _COMPILED if marker in text and form.search(text)), ""
    )


def _may_hold(text: bytes) -> bool:
    """A quick look that passes nearly everything by: most trees hold none of the markers."""
    return any(marker in text for marker in _MARKERS) or (b"://" in text and b"@" in text)


def _walk(node: Any, path: Path) -> Iterator[Suspect]:
    if isinstance(node, str):
        what = seems(node)
        if what:
            yield Suspect(path, what)
    elif isinstance(node, Mapping):
        if leaf_of(node) is None:
            for key, child in node.items():
                yield from _walk(child, (*path, key))
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from _walk(child, (*path, index))
