"""Where age keys are looked for, and what lies there: read, not yet understood."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from apiops.errors import SecretError
from apiops.model.diagnostic import Location

MAX_KEY_FILE: Final = 64 << 10
_VARIABLE: Final = "SOPS_AGE_KEY"
_FILE_VARIABLE: Final = "SOPS_AGE_KEY_FILE"
_SSH_VARIABLE: Final = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
_DEFAULT_FILE: Final = Path("sops/age/keys.txt")


def look(
    environ: Mapping[str, str], directory: Path | None, home: Path | None
) -> Iterator[tuple[str, str, bytes | None]]:
    """Each place that is looked at: as told to people, as origin of keys, and its content.

    Raises SecretError (AO403) for a file that was named but cannot be read. A directory that is not
    there has no keys: settings that come with a clone name it, and the clone has none.
    """
    for variable in (_SSH_VARIABLE, _FILE_VARIABLE):
        named = environ.get(variable, "")
        place = f"{variable} ({named})" if named else f"{variable} (not set)"
        yield place, named, _read(Path(named), variable) if named else None
    keys = environ.get(_VARIABLE, "")
    lines = "\n".join(keys.split()) if keys.lstrip().startswith("AGE-") else keys
    yield f"{_VARIABLE} ({'set' if keys else 'not set'})", _VARIABLE, lines.encode() or None
    if directory is not None:
        yield from _mounted(directory)
    if home is not None:
        yield from _personal(environ, home)


def _mounted(directory: Path) -> Iterator[tuple[str, str, bytes | None]]:
    there = directory.exists()
    entries = _list(directory) if there else ()
    if not entries:
        what = "no files" if there else "not there"
        yield f"{directory} ({what})", str(directory), None
    for file in entries:
        yield str(file), str(file), _read(file, "the identity directory")


def _personal(environ: Mapping[str, str], home: Path) -> Iterator[tuple[str, str, bytes | None]]:
    base = environ.get("XDG_CONFIG_HOME") or str(home / ".config")
    file = Path(base) / _DEFAULT_FILE
    there = file.is_file()
    yield (
        str(file) if there else f"{file} (not there)",
        str(file),
        _read(file, "the default key file") if there else None,
    )


def _list(directory: Path) -> Iterable[Path]:
    """The key files of a mount; Kubernetes keeps its own entries behind two dots."""
    try:
        return sorted(
            file for file in directory.iterdir() if file.is_file() and file.name[0] != "."
        )
    except OSError as error:
        reason = error.strerror
    raise bad(str(directory), 0, f"(the identity directory) cannot be read: {reason}")


def _read(file: Path, named_by: str) -> bytes:
    reason = None
    content = b""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_KEY_FILE + 1)
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise bad(str(file), 0, f"({named_by}) cannot be read: {reason}")
    if len(content) > MAX_KEY_FILE:
        raise bad(str(file), 0, f"({named_by}) is larger than {MAX_KEY_FILE} bytes")
    return content


def bad(origin: str, line: int, why: str) -> SecretError:
    """The error for a key or key file that cannot be used, naming the line and never the key."""
    where = f"line {line} of {origin}" if line else origin
    return SecretError(
        f"{where} {why}",
        code="AO403",
        hint="a key file has one AGE-SECRET-KEY-1… a line, as age-keygen writes it",
        location=Location(origin, line),
    )
