"""Any other file as sops keeps it: JSON with the whole content encrypted at `data`."""

from typing import Final

from apiops.age import jsontext
from apiops.age.jsontext import attach, detach, envelope, spell
from apiops.age.source import Source
from apiops.age.tree import ENVELOPE, Leaf, Parsed

__all__ = ["CONTENT", "attach", "detach", "envelope", "numbers_are_floats", "read", "spell"]

CONTENT: Final = "data"
numbers_are_floats: Final = False


def read(source: Source) -> Parsed:
    """The wrapping of a binary file.

    Raises SecretError: not JSON (AO405: then it is not encrypted), not of that shape (AO417).
    """
    if not source.text.lstrip().startswith("{"):
        raise source.refuse(
            "AO405",
            f"{source.path} is not encrypted: it is neither a sops nor an age file",
            hint="encrypt it with `apiops secrets encrypt`",
        )
    parsed = jsontext.read(source)
    root = parsed.documents[0]
    if (
        not isinstance(root, dict)
        or not isinstance(root.get(CONTENT), Leaf)
        or set(root)
        - {
            CONTENT,
            ENVELOPE,
        }
    ):
        raise source.refuse("AO417", f"{source.path} is not a binary file as sops writes it")
    return parsed
