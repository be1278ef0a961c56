"""Who can open the sops files of a work tree: listed, and changed for many files at once.

All new contents are made, in memory, before the first is given out to be written: a file that
cannot be opened or changed stops the command while nothing has changed yet.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apiops.age import forms, holders, rules
from apiops.age.holders import Holders
from apiops.age.identities import Identities
from apiops.age.source import MAX_BYTES
from apiops.age.writing import Encrypted
from apiops.errors import SecretError, UsageError
from apiops.wiring import vault

_NO_RULE: Final = frozenset({"AO451", "AO453"})
_TOKEN: Final = b"ENC[AES256_GCM,"


@dataclass(frozen=True, slots=True)
class Held:
    """A file and who can open it; `rule` is who should by `.sops.yaml` (None: no rule says)."""

    file: Path
    holders: Holders
    rule: Holders | None

    @property
    def fits(self) -> bool:
        """Whether those can open it who should, or nothing says who should."""
        return self.rule is None or self.holders.same(self.rule)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A file and what to put into it."""

    file: Path
    done: Encrypted


def sealed(places: Sequence[Path]) -> list[Path]:
    """The encrypted files that are meant: those named, and all that are in the folders named.

    Symbolic links and hidden folders in a folder are passed over. Raises UsageError AO913 when
    there is none.
    """
    found = dict.fromkeys(file for place in places for file in _in(place))
    if not found:
        raise UsageError(
            f"there is no sops file in {', '.join(map(str, places))}",
            code="AO913",
            hint="name an encrypted file, or a folder that has one",
        )
    return list(found)


def held(file: Path) -> Held:
    """Who can open a file, read without a key. Raises SecretError."""
    return Held(file, holders.read(str(file), vault.read(file)), _by_rule(file))


def rotate(files: Iterable[Path], identities: Identities) -> list[Renewed]:
    """Every file under a new data key. Raises SecretError."""
    return [
        Renewed(file, holders.rotate(str(file), vault.read(file), identities)) for file in files
    ]


def follow_rules(files: Iterable[Path], identities: Identities) -> list[Renewed]:
    """The files that others can open than `.sops.yaml` says, made to fit. Raises SecretError."""
    return _given(files, identities, _ruled)


def join(files: Iterable[Path], identities: Identities, who: Sequence[str]) -> list[Renewed]:
    """The files that one of `who` could not open, made for them too. Raises SecretError."""
    return _given(files, identities, lambda one: _with(one, who))


def leave(files: Iterable[Path], identities: Identities, who: Sequence[str]) -> list[Renewed]:
    """The files that one of `who` could open, made without them. Raises SecretError."""
    return _given(files, identities, lambda one: _without(one, who))


def _given(
    files: Iterable[Path], identities: Identities, wanted: Callable[[Held], Holders]
) -> list[Renewed]:
    changed = []
    for one in map(held, files):
        to = wanted(one)
        if not to.same(one.holders):
            done = holders.give(str(one.file), vault.read(one.file), identities, to)
            changed.append(Renewed(one.file, done))
    return changed


def _ruled(one: Held) -> Holders:
    if one.rule is None:
        policy = rules.for_file(one.file)  # says which rule is missing
        return Holders(policy.groups, policy.threshold)
    return one.rule


def _with(one: Held, who: Sequence[str]) -> Holders:
    _has_one_group(one)
    known = {holders.bare(name) for name in one.holders.groups[0]}
    new = tuple(name for name in who if holders.bare(name) not in known)
    return Holders(((*one.holders.groups[0], *new),), 0)


def _without(one: Held, who: Sequence[str]) -> Holders:
    _has_one_group(one)
    gone = {holders.bare(name) for name in who}
    left = tuple(name for name in one.holders.groups[0] if holders.bare(name) not in gone)
    return Holders((left,), 0)


def _has_one_group(one: Held) -> None:
    if len(one.holders.groups) != 1:
        raise UsageError(
            f"{one.file} has key groups, so it is not clear which of them is meant",
            code="AO913",
            hint="change its rule in .sops.yaml, then `apiops secrets recipients sync`",
        )


def _by_rule(file: Path) -> Holders | None:
    try:
        policy = rules.for_file(file)
    except SecretError as fault:
        if fault.code in _NO_RULE:
            return None
        raise
    return Holders(policy.groups, policy.threshold)


def _in(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink() and _is_sealed(file):
                yield file


def _is_sealed(file: Path) -> bool:
    """Whether a file met on the way is a sops file; a broken one is, and its fault will be told."""
    if file.stat().st_size > MAX_BYTES:
        return False
    content = vault.read(file)
    if _TOKEN not in content or forms.is_age_file(content):
        return False
    try:
        holders.read(str(file), content)
    except SecretError as fault:
        return fault.code not in {"AO405", "AO415"}
    return True
