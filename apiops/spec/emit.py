"""Trees as YAML text that every reader takes for the same tree: ours, sops, an editor.

A text stands plain only where no version of YAML could take it for anything else; everything
else is quoted, and text of several lines is a block where that loses nothing.
"""

import re
from typing import Any, Final

import yaml

from apiops.spec import read

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*(?: [A-Za-z0-9_./@-]+)*\Z")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_BLOCK: Final = re.compile(r"(?:(?:[^\s\x00-\x1f\x7f-\x9f]|(?<=\S)[ ](?=[^\n]))+\n)+\Z")
_WIDE: Final = 1 << 20
"""No line is folded: a value stays on one line, so that a diff shows it once."""

_DUMPER: Final[Any] = type(
    "Dumper",
    (getattr(yaml, "CSafeDumper", yaml.SafeDumper),),
    {"ignore_aliases": lambda _self, _data: True},
)
"""Dumps without anchors: what occurs twice is written twice."""


def _text(dumper: Any, text: str) -> Any:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        style = None
    elif text.isascii() and _BLOCK.match(text):
        style = "|"
    else:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_DUMPER.add_representer(str, _text)


def document(tree: Any) -> str:
    """One YAML document; the order of keys is the tree's.

    It stands in the letters of its languages, unless one of them cannot be seen for what it is:
    then all that is not ASCII is written as escapes.
    """
    text = _dump(tree, letters=True)
    return text if read.seen(text) else _dump(tree, letters=False)


def _dump(tree: Any, *, letters: bool) -> str:
    text: str = yaml.dump(
        tree,
        Dumper=_DUMPER,
        sort_keys=False,
        allow_unicode=letters,
        default_flow_style=False,
        width=_WIDE,
    )
    return text
