"""Small text files that people and CI jobs hand over: host evidence, allowed signers."""

from pathlib import Path
from typing import Final

from apiops.model.revision import Evidence

MAX_BYTES: Final = 4 * 1024 * 1024


def given(value: str | None) -> Evidence:
    """The evidence that `--evidence` names: a file, or the JSON itself (in a variable).

    Raises UsageError AO516 for its content, AO907 for a file that cannot be read.
    """
    from apiops.access import evidence

    if not value:
        return {}
    inline = value.lstrip().startswith(("[", "{"))
    return evidence.parse(value if inline else text(Path(value)))


def text(file: Path) -> str:
    """The text of a small file. Raises UsageError AO907."""
    from apiops.wiring import files

    try:
        return files.read(file, MAX_BYTES).decode()
    except UnicodeDecodeError:
        raise files.unreadable(file, "it is not UTF-8 text") from None
