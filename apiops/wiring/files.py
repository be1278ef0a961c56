"""Files that people hand over: read up to a bound, or a clear error."""

from pathlib import Path

from apiops.errors import UsageError


def read(file: Path, most: int) -> bytes:
    """The content of a file of at most `most` bytes. Raises UsageError AO907."""
    try:
        with file.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as fault:
        raise unreadable(file, fault.strerror or "") from None
    if len(content) > most:
        raise unreadable(file, f"it is larger than {most:,} bytes")
    return content


def unreadable(file: Path, why: str) -> UsageError:
    """That a file cannot be read, and why."""
    return UsageError(
        f"{file} cannot be read: {why}", code="AO907", hint="check the path and its permissions"
    )
