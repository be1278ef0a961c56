"""Finding age identities: from variables, key files and a mounted directory.

No program is ever run for a key (`SOPS_AGE_KEY_CMD`, plugins), no passphrase is asked for, and
the home directory is looked into only for a person at a terminal. Key file format: one
`AGE-SECRET-KEY-1…` a line, `#` comments, blank lines (age's `age-keygen`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from apiops.age import postquantum
from apiops.errors import SecretError
from apiops.model.diagnostic import Location

MAX_KEY_FILE: Final = 64 << 10
_VARIABLE: Final = "SOPS_AGE_KEY"
_FILE_VARIABLE: Final = "SOPS_AGE_KEY_FILE"
_SSH_VARIABLE: Final = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
_DEFAULT_FILE: Final = Path("sops/age/keys.txt")
_SSH_HEADER: Final = b"-----BEGIN"
_KEY: Final = "AGE-SECRET-KEY-1"
_QUANTUM: Final = "AGE-SECRET-KEY-PQ-1"
_PLUGIN: Final = "AGE-PLUGIN-"

AgeIdentity: TypeAlias = pyrage.x25519.Identity | pyrage.ssh.Identity | postquantum.Identity


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key that opens files. `public` is its recipient, `origin` where it was found."""

    public: str
    origin: str
    key: AgeIdentity = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Identities:
    """The identities at hand, the places that were looked at, and keys that were passed over."""

    keys: tuple[Identity, ...] = ()
    looked: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys)


def gather(
    environ: Mapping[str, str],
    *,
    directory: Path | None = None,
    home: Path | None = None,
) -> Identities:
    """All identities that can be found.

    `environ` are the process's variables, `directory` a mounted directory whose files hold keys
    (a Kubernetes secret), `home` the home directory, given only for a person at a terminal.
    Raises SecretError (AO403) for a key or key file that was named but cannot be used.
    """
    found: list[Identity] = []
    looked: list[str] = []
    passed: list[str] = []
    for place, origin, content in _places(environ, directory, home):
        looked.append(place)
        if content is not None:
            found += read_keys(content, origin, passed)
    unique = {identity.public: identity for identity in reversed(found)}
    return Identities(tuple(reversed(unique.values())), tuple(looked), tuple(passed))


def generate() -> tuple[str, str]:
    """A new X25519 identity: the text of its key file (a secret), and its recipient."""
    key = pyrage.x25519.Identity.generate()
    public = str(key.to_public())
    return f"# public key: {public}\n{key}\n", public


def read_keys(content: bytes, origin: str, passed: list[str] | None = None) -> list[Identity]:
    """The identities in a key file or variable; keys of kinds we cannot use go to `passed`.

    Raises SecretError (AO403) naming the line, never what stands there.
    """
    if content.lstrip().startswith(_SSH_HEADER):
        return [_ssh(content, origin)]
    if content.startswith(b"age-encryption.org/"):
        raise _bad(origin, 0, "is encrypted with a passphrase; apiops does not ask for one")
    keys = []
    for number, line in enumerate(content.splitlines(), start=1):
        word = line.strip().decode(errors="replace")
        if not word or word.startswith("#"):
            continue
        if word.upper().startswith(_PLUGIN):
            if passed is not None:
                passed.append(f"{origin} line {number}: a plugin key")
            continue
        quantum = word.upper().startswith(_QUANTUM)
        keys.append((_post_quantum if quantum else _x25519)(word, origin, number))
    return keys


def _post_quantum(word: str, origin: str, line: int) -> Identity:
    why = ""
    try:
        key = postquantum.identity(word)
        return Identity(key.public, origin, key)
    except ValueError as fault:
        why = str(fault)
    raise _bad(origin, line, why)


def _x25519(word: str, origin: str, line: int) -> Identity:
    identity = None
    if word.upper().startswith(_KEY):
        try:
            identity = pyrage.x25519.Identity.from_str(word)
        except pyrage.IdentityError:
            identity = None
    if identity is None:
        raise _bad(origin, line, "is not an age identity")
    return Identity(str(identity.to_public()), origin, identity)


def _ssh(content: bytes, origin: str) -> Identity:
    identity, public = None, b""
    try:
        identity = pyrage.ssh.Identity.from_buffer(content)
        public = (
            load_ssh_private_key(content, password=None)
            .public_key()
            .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        )
    except (pyrage.IdentityError, ValueError, TypeError, UnsupportedAlgorithm):
        identity = None
    if identity is None:
        raise _bad(
            origin, 0, "is not an Ed25519 or RSA private key in OpenSSH format without passphrase"
        )
    return Identity(public.decode(), origin, identity)


def _bad(origin: str, line: int, why: str) -> SecretError:
    where = f"line {line} of {origin}" if line else origin
    return SecretError(
        f"{where} {why}",
        code="AO403",
        hint="a key file has one AGE-SECRET-KEY-1… a line, as age-keygen writes it",
        location=Location(origin, line),
    )


def _places(
    environ: Mapping[str, str], directory: Path | None, home: Path | None
) -> Iterator[tuple[str, str, bytes | None]]:
    """Each place that is looked at: as told to people, as origin of keys, and its content."""
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
    entries = _list(directory)
    if not entries:
        yield f"{directory} (no files)", str(directory), None
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
    raise _bad(str(directory), 0, f"(the identity directory) cannot be read: {reason}")


def _read(file: Path, named_by: str) -> bytes:
    reason = None
    content = b""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_KEY_FILE + 1)
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise _bad(str(file), 0, f"({named_by}) cannot be read: {reason}")
    if len(content) > MAX_KEY_FILE:
        raise _bad(str(file), 0, f"({named_by}) is larger than {MAX_KEY_FILE} bytes")
    return content
