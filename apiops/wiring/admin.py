"""The first admin: their name, address and public key, checked before anything is made of them."""

import re
from pathlib import Path
from typing import Final

from apiops.errors import UsageError
from apiops.model import sshkey
from apiops.model.kinds import KINDS

MAX_KEY_FILE: Final = 64 * 1024
_EMAIL: Final = re.compile(r"[^\s@:#{}\[\],&*!|>'\"%`]+@[^\s@:#{}\[\],&*!|>'\"%`]+")


def name(text: str) -> str:
    """A name that a User may have. Raises UsageError AO731."""
    if re.fullmatch(KINDS["User"].names, text):
        return text
    raise UsageError(
        f'"{text}" cannot be the name of a user',
        code="AO731",
        hint="use letters, digits, space, dot, dash and underscore, 128 at most: --admin ayse",
    )


def email(text: str) -> str:
    """An e-mail address. Raises UsageError AO731."""
    if _EMAIL.fullmatch(text):
        return text
    raise UsageError(
        f'"{text}" is not an e-mail address',
        code="AO731",
        hint="write it as it stands in the commits: --email ayse@bank.example",
    )


def public_key(file: Path) -> str:
    """The one line of an OpenSSH public key file.

    Raises UsageError AO731 for anything else, a private key above all; nothing of it is quoted.
    """
    hint = "give the public key as one line, as in ~/.ssh/id_ed25519.pub"
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_KEY_FILE)
        line = content.decode().strip()
        sshkey.fingerprint(line)
    except OSError as fault:
        raise _unusable(file, f"cannot be read: {fault.strerror}", hint) from None
    except ValueError as fault:
        why = "is not text" if isinstance(fault, UnicodeDecodeError) else f"is no use: {fault}"
        if b"PRIVATE KEY-----" in content:
            why = "holds a private key, which nobody but its owner may have"
        raise _unusable(file, why, hint) from None
    return line


def _unusable(file: Path, why: str, hint: str) -> UsageError:
    return UsageError(f"the admin's key file {file} {why}", code="AO731", hint=hint)
