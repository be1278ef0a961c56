"""sops files on disk: what `apiops secrets` and `apiops init` do with them."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from apiops.age import editing, identities, rules, scratch, selection, writing
from apiops.age.identities import Identities
from apiops.age.selection import Selection
from apiops.age.source import MAX_BYTES
from apiops.age.writing import Encrypted, Policy
from apiops.errors import SecretError, UsageError
from apiops.model.diagnostic import Location


def read(file: Path) -> bytes:
    """The content of a file, up to the largest that is taken. Raises SecretError AO415."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as fault:
        raise _unreadable(file, fault) from None


def encrypt(file: Path, recipients: tuple[str, ...], encrypted_regex: str | None) -> Encrypted:
    """Encrypt a file for `recipients`, or as its `.sops.yaml` rule says. Raises SecretError."""
    return writing.encrypt(file.name, read(file), _policy(file, recipients, encrypted_regex))


def encrypt_text(file: Path, content: bytes) -> bytes:
    """Encrypt the content that `file` is going to have, as its `.sops.yaml` rule says."""
    return writing.encrypt(file.name, content, _policy(file, (), None)).content


def decrypt(file: Path, identities: Identities) -> bytes:
    """The plain file. Raises SecretError."""
    return editing.decrypt(str(file), read(file), identities)


def edit(
    file: Path,
    identities: Identities,
    editor: Callable[[Path], None],
    again: Callable[[SecretError], bool],
) -> Encrypted | None:
    """Let `editor` change the plain file; None when nothing changed.

    `again` is told why what was written cannot be encrypted, and says whether to edit on; if not,
    the error is raised and the file stays as it is. Raises SecretError.
    """
    old = read(file)
    plain = editing.decrypt(str(file), old, identities)
    with scratch.private_file(plain, file.name) as private:
        while True:
            editor(private)
            new = read(private)
            try:
                return None if new == plain else editing.reencrypt(str(file), old, new, identities)
            except SecretError as fault:
                if not again(fault):
                    raise


def keygen(file: Path, *, post_quantum: bool) -> str:
    """Make a key pair: the private half into a new file for its owner alone; gives the recipient.

    Raises UsageError AO907 when the file is there already or cannot be written.
    """
    secret, recipient = identities.generate(post_quantum=post_quantum)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secret)
    except OSError as fault:
        raise UsageError(
            f"{file} cannot be written: {fault.strerror}",
            code="AO907",
            hint="name a new file in a folder that you may write to; a key is never replaced",
        ) from None
    return recipient


def _unreadable(file: Path, fault: OSError) -> SecretError:
    return SecretError(
        f"{fault.filename or file} cannot be read: {fault.strerror}",
        code="AO415",
        hint="check path, owner and mode of the file",
        location=Location(str(fault.filename or file)),
    )


def _policy(file: Path, recipients: tuple[str, ...], encrypted_regex: str | None) -> Policy:
    """For whom, and what: as the caller says, and where they do not, as the `.sops.yaml` rule."""
    chosen = None if encrypted_regex is None else _fields(encrypted_regex)
    if recipients:
        return Policy((recipients,), chosen or Selection())
    try:
        policy = rules.for_file(file)
    except OSError as fault:
        raise _unreadable(file, fault) from None
    return replace(policy, selection=chosen or policy.selection)


def _fields(pattern: str) -> Selection:
    """The values under keys that match a pattern. Raises UsageError AO905 for one that is none."""
    fault = selection.fault(pattern)
    if fault or not pattern:
        raise UsageError(
            f'--encrypted-regex "{pattern}" cannot be used: {fault or "it is empty"}',
            code="AO905",
            hint="give a pattern for names of fields: --encrypted-regex '^(password|token)$'",
        )
    return Selection("encrypted_regex", pattern)
