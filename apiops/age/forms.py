"""The forms a secrets file can have, told by its suffix as sops does.

A form is a module: how to read the text into trees with spans, how to put a token or a plain
value into a span, and how the envelope is written, attached and taken off.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final, Protocol, cast

from apiops.age import binary, dotenv, jsontext, yamltext
from apiops.age.source import Source, check_size, decode
from apiops.age.tree import Leaf, Parsed
from apiops.age.value import Scalar
from apiops.errors import SecretError
from apiops.model.diagnostic import Location

Edit = tuple[int, int, str]


class Form(Protocol):
    """What every form can do."""

    @property
    def numbers_are_floats(self) -> bool:
        """Whether older releases of sops read every clear number as a float (JSON)."""

    def read(self, source: Source) -> Parsed:
        """The file's trees. Raises SecretError (AO414–AO417)."""

    def spell(self, leaf: Leaf, scalar: Scalar, source: Source) -> str:
        """The text of a plain value in a leaf's span."""

    def envelope(self, tree: Mapping[str, Any]) -> str:
        """The text of the `sops` entry."""

    def attach(self, parsed: Parsed, envelope: str) -> list[Edit]:
        """The edits that put an envelope into every document. Raises SecretError."""

    def detach(self, parsed: Parsed) -> list[Edit]:
        """The edits that take the envelopes off. Raises SecretError."""


YAML: Final = cast("Form", yamltext)
JSON: Final = cast("Form", jsontext)
DOTENV: Final = cast("Form", dotenv)

BINARY: Final = cast("Form", binary)

_BY_SUFFIX: Final[Mapping[str, Form]] = {
    ".yaml": YAML,
    ".yml": YAML,
    ".json": JSON,
    ".env": DOTENV,
}
_ARMOR: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
_HEADER: Final = b"age-encryption.org/v1\n"


def of(path: str) -> Form:
    """The form of a file by its suffix, binary for an unknown one. Raises SecretError for INI."""
    name = PurePosixPath(path).name
    suffix = ".env" if name == ".env" else PurePosixPath(name).suffix
    if suffix == ".ini":
        raise SecretError(
            f"{path}: INI files are not supported",
            code="AO415",
            hint="keep the values in a YAML, JSON or dotenv file",
            location=Location(path),
        )
    return _BY_SUFFIX.get(suffix, BINARY)


def is_age_file(content: bytes) -> bool:
    """Whether the content is a plain age file, armored or binary."""
    return content.startswith((_ARMOR, _HEADER))


def source(path: str, content: bytes) -> Source:
    """The text of a file. Raises SecretError if too large (AO414) or not UTF-8 (AO415)."""
    check_size(path, content)
    return decode(path, content)
