"""Which values of a file are encrypted: the six rules of sops, by key names or suffixes.

The pattern comes out of a repository, so it is matched by RE2: linear time, and the very dialect
that sops uses (docs/adr/0010). Format: sops `sops.go`, `shouldBeEncrypted`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

MAX_PATTERN: Final = 1000
DEFAULT_SUFFIX: Final = "_unencrypted"
RULES: Final = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
"""The rules a file can have; at most one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One rule and its pattern."""

    rule: str = "unencrypted_suffix"
    pattern: str = DEFAULT_SUFFIX

    @property
    def by_comment(self) -> bool:
        """Whether comments decide: the rules that apiops does not read."""
        return self.rule.endswith("comment_regex")

    def encrypts(self, path: Sequence[str]) -> bool:
        """Whether a value at this path is encrypted. Raises ValueError for a bad pattern."""
        if self.rule.endswith("suffix"):
            hit = any(key.endswith(self.pattern) for key in path)
        else:
            found = _compiled(self.pattern)
            hit = any(found.search(key) is not None for key in path)
        return hit is self.rule.startswith("encrypted")


def fault(pattern: str) -> str:
    """Why RE2 does not take a pattern; empty if it does."""
    try:
        _compiled(pattern)
    except ValueError as reason:
        return str(reason)
    return ""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text. Raises ValueError for a bad pattern."""
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    import re2

    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    compiled = None
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = str(error.args[0] if error.args else error)
    if compiled is None:
        raise ValueError(f"the pattern is not RE2: {reason}")
    return compiled
