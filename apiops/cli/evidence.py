"""Small text files that people and CI jobs hand over: host evidence, allowed signers."""

from pathlib import Path
from typing import Final

from apiops.errors import UsageError
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
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as fault:
        raise _unreadable(file, fault.strerror or "") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(file, f"it is larger than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unreadable(file, "it is not UTF-8 text") from None


def _unreadable(file: Path, why: str) -> UsageError:
    return UsageError(
        f"{file} cannot be read: {why}", code="AO907", hint="check the path and its permissions"
    )
