"""sops files on disk: what `apiops secrets` and `apiops init` do with them."""

from collections.abc import Callable
from pathlib import Path

from apiops.age import editing, rules, scratch, writing
from apiops.age.identities import Identities
from apiops.age.selection import Selection
from apiops.age.writing import Encrypted, Policy


def encrypt(file: Path, recipients: tuple[str, ...], encrypted_regex: str | None) -> Encrypted:
    """Encrypt a file for `recipients`, or as its `.sops.yaml` rule says. Raises SecretError."""
    return writing.encrypt(file.name, file.read_bytes(), _policy(file, recipients, encrypted_regex))


def encrypt_text(file: Path, content: bytes) -> bytes:
    """Encrypt the content that `file` is going to have, as its `.sops.yaml` rule says."""
    return writing.encrypt(file.name, content, _policy(file, (), None)).content


def decrypt(file: Path, identities: Identities) -> bytes:
    """The plain file. Raises SecretError."""
    return editing.decrypt(str(file), file.read_bytes(), identities)


def edit(file: Path, identities: Identities, editor: Callable[[Path], None]) -> Encrypted | None:
    """Let `editor` change the plain file; None when nothing changed. Raises SecretError."""
    old = file.read_bytes()
    plain = editing.decrypt(str(file), old, identities)
    with scratch.private_file(plain, file.name) as private:
        editor(private)
        new = private.read_bytes()
    return None if new == plain else editing.reencrypt(str(file), old, new, identities)


def _policy(file: Path, recipients: tuple[str, ...], encrypted_regex: str | None) -> Policy:
    if recipients:
        selection = Selection("encrypted_regex", encrypted_regex) if encrypted_regex else None
        return Policy((recipients,), selection or Selection())
    return rules.for_file(file)
