"""A ledger in a Git ref: taken out into a file of this process, and put back when it changed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiops.errors import StoreError, UsageError
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.git.ledgerref import LedgerRef

SCHEME: Final = "git:"


def is_git(target: TargetSettings) -> bool:
    """Whether the target's ledger is in a ref of the repository."""
    return target.ledger.startswith(SCHEME)


def ref(target: TargetSettings) -> "LedgerRef":
    """The ref of a target's ledger. Raises SourceError, SourceUnavailable."""
    from apiops.git import ledgerref

    folder = target.source.parent if target.source else Path.cwd()
    name = target.ledger.removeprefix(SCHEME)
    return ledgerref.open(folder, f"refs/apiops/{target.name}", name=name)


@contextmanager
def taken_out(
    target: TargetSettings, kept: "LedgerRef", *, new: bool = False
) -> Iterator[TargetSettings]:
    """The target with its ledger as a file, which is gone at the end.

    Raises StoreError AO708 where there is none (with `new`: AO717 where there is one).
    """
    if target.key_file is None and not target.wrapping_key:
        raise UsageError(
            f"target {target.name} has no key file",
            code="AO908",
            hint=f'a ledger in Git needs key-file = "FILE" in [targets.{target.name}]: the key '
            "must not lie beside it",
        )
    content = kept.content()
    if (content is None) != new:
        code, said = ("AO717", "is there already") if new else ("AO708", "is not there")
        raise StoreError(
            f"the ledger of {target.name}, refs/apiops/{target.name}, {said}",
            code=code,
            hint="`apiops manager init` makes one, once",
        )
    with tempfile.TemporaryDirectory(prefix="apiops-ledger-") as folder:
        file = Path(folder) / "ledger.db"
        if content is not None:
            file.touch(mode=0o600)
            file.write_bytes(content)
        yield replace(target, ledger=f"sqlite:///{file}")
