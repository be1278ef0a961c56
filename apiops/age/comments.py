"""Comments of a secrets file: where they stand, and the mappings that they may belong to.

sops encrypts comments and binds them to the enclosing mapping. apiops reads such comments and
never writes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from apiops.age.tree import Parsed

_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t\n]))#([^\n]*)", re.MULTILINE)
_MODELINE: Final = " yaml-language-server:"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` to the end of the line; `paths` are of the mappings around it."""

    start: int
    end: int
    text: str = field(repr=False)
    paths: tuple[tuple[str, ...], ...]

    @property
    def candidates(self) -> list[tuple[str, ...]]:
        """The mappings that sops may have bound the comment to, nearest first."""
        found = [path[:size] for path in self.paths for size in range(len(path), -1, -1)]
        return list(dict.fromkeys(found))

    @property
    def is_modeline(self) -> bool:
        """Whether it tells an editor which schema to use."""
        return self.text.startswith(_MODELINE)


def find(parsed: Parsed) -> Iterator[Comment]:
    """Every comment outside of the envelopes, in the order of the text."""
    for gap in parsed.gaps:
        text = parsed.source.text[gap.start : gap.end]
        if "#" not in text:
            continue
        for matched in _COMMENT.finditer(text):
            start = gap.start + matched.start()
            if not any(span.start <= start < span.end for span in parsed.envelopes):
                inline = "\n" not in text[: matched.start()] and gap.start > 0
                paths = (gap.before,) if inline else (gap.after, gap.before)
                yield Comment(start, gap.start + matched.end(), matched[1].rstrip("\r"), paths)
