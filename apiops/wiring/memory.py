"""What a plan with nothing to do has said and found, so that it need not be worked out again.

Two things are kept: what it said, for the same question, and what it found to be settled, for
whatever commit is planned next in the same state. An answer is found again only by its question,
which names all that it depends on: the ids that HEAD and the ref stand for, the Manager's whole
state (manager/stamp.py), the target's settings, the age keys at hand, every option, and this very
build of apiops. So a key that is revoked, a row that is changed or a commit that is made is another
question, and no answer is ever out of date.

It lies in a folder of the user's own that nobody else may enter, under a MAC whose key is made
from the Manager's key file: a cache that a less trusted job can write (one that a pipeline
restores) is not believed. What is missing, damaged or unusual is no answer, and never an error.
"""

import hashlib
import hmac
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from apiops import __version__
from apiops.age import places
from apiops.errors import SecretError
from apiops.git import refs
from apiops.manager import stamp
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.model.shown import Shown

MAX_BYTES: Final = 1 << 20
"""A longer answer is not kept, nor read."""

MAX_SETTLED: Final = 1 << 26
"""The same for what is settled, which names every resource."""

_MAX_KEY: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAC: Final = 64


@dataclass(frozen=True, slots=True)
class Question:
    """Something that was asked for: the digest of all that its answer depends on.

    `file` is where the answer would be (of no more than `limit` bytes); one is kept for each
    repository and target. An answer is any JSON value. With `elsewhere` it depends on a Manager too
    that has no stamp: what that one showed is kept beside it, and asked for again.
    """

    digest: str
    file: Path
    key: bytes = field(repr=False)
    limit: int = MAX_BYTES
    elsewhere: TargetSettings | None = None

    def answer(self) -> Any | None:
        """What was answered the last time, if the very same was asked."""
        kept = self.kept()
        if kept is None or (self.elsewhere is not None and not self._still(kept)):
            return None
        return kept.answer

    def kept(self) -> "Kept | None":
        """The same, without asking whether a Manager elsewhere still shows what it showed."""
        if not _private(self.file.parent):
            return None
        kept = _bytes(self.file, self.limit)
        mac, _, body = (kept or b"").partition(b"\n")
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        question, answer, asked, told = json.loads(body)
        return Kept(answer, asked, told) if question == self.digest else None

    def _still(self, kept: "Kept") -> bool:
        """Whether the Manager elsewhere shows what it showed."""
        from apiops.wiring import vendor

        assert self.elsewhere is not None, "nobody else is asked"
        return vendor.still(self.elsewhere, kept.asked, kept.told)

    def keep(self, answer: Any, shown: "Shown | None" = None) -> None:
        """Keep the answer, in place of the one to the question before.

        Nothing is kept if it depends on what was `shown` elsewhere, and that is not known.
        """
        if self.elsewhere is not None and shown is None:
            return
        told = ((), "") if shown is None else (shown.asked, shown.digest)
        body = json.dumps([self.digest, answer, *told]).encode()
        kept = self._mac(body) + b"\n" + body
        if len(kept) > self.limit:
            return
        with suppress(OSError):  # what cannot be kept is worked out again
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _private(self.file.parent):
                _replace(self.file, kept)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.key, body, "sha256").hex().encode()


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, with what a Manager elsewhere was asked for it and the digest of what it told."""

    answer: Any
    asked: Sequence[Any]
    told: str

    def holds(self, shown: "Shown | None") -> bool:
        """Whether it is one of the state in which this was shown (nothing: no Manager but ours)."""
        return self.told == ("" if shown is None else shown.digest)


def question(
    directory: Path, target: TargetSettings, ref: str, home: Path | None, asked: Mapping[str, Any]
) -> Question | None:
    """What is asked when `ref` is planned for a target; None if it must be worked out anyway.

    `home` is the home directory that age keys are looked for in, if any; `asked` has every
    option, and whatever else has a say in how the answer looks.
    """
    git = refs.directory(directory)
    tips = refs.targets(git, ref) if git is not None else None
    return None if tips is None else _question("plan", git, target, home, [ref, *tips, dict(asked)])


def ground(
    directory: Path, target: TargetSettings, home: Path | None, asked: Mapping[str, Any]
) -> Question | None:
    """The same for what is settled: asked whatever commit is planned, so no ref has a say."""
    git = refs.directory(directory)
    return None if git is None else _question("settled", git, target, home, [dict(asked)])


def _question(
    what: str, git: Path | None, target: TargetSettings, home: Path | None, more: list[Any]
) -> Question | None:
    key = _key(target.wrapping)
    state = stamp.stamp(target.database)
    identities = _identities(target, home)
    if key is None or state is None or identities is None:
        return None
    place = [str(git), target.name]
    named = [what, *place, *more, state, identities, asdict(target), _build()]
    elsewhere = target if target.ledger else None
    limit = MAX_SETTLED if what == "settled" or elsewhere else MAX_BYTES
    file = _folder() / f"{what}-{_digest(place)[:32]}"
    return Question(_digest(named), file, key, limit, elsewhere)


def _digest(tree: Any) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A set in an order that is the same in every process; anything else (a path) as text."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _key(file: Path | None) -> bytes | None:
    """The key of the MAC, from the file with the wrapping key."""
    content = None if file is None else _bytes(file, _MAX_KEY)
    return hashlib.sha256(b"apiops memory/1\n" + content).digest() if content else None


def _identities(target: TargetSettings, home: Path | None) -> str | None:
    """A digest of the age keys at hand, and of where they come from."""
    told = hashlib.sha256()
    try:
        for place, origin, content in places.look(os.environ, target.identities, home):
            told.update(repr((place, origin, content)).encode())
    except SecretError:
        return None
    return told.hexdigest()


def _build() -> list[Any]:
    """This build of apiops: the version, and each of its files as it lies here."""
    return [__version__, sys.version, sorted(_sources(str(Path(__file__).resolve().parents[1])))]


def _sources(folder: str) -> Iterator[tuple[str, int, int]]:
    """Every module below a folder: path, size, time of its last change."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "") + "/.cache"
    return Path(base) / "apiops"


def _private(folder: Path) -> bool:
    """Whether it is a real folder of this user's that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
    return ours and stat.S_ISDIR(found.st_mode)


def _bytes(file: Path, limit: int) -> bytes | None:
    """The content of a regular file that is this user's alone; None for any other."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            found = os.fstat(stream.fileno())
            alone = found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
            content = stream.read(limit + 1) if stat.S_ISREG(found.st_mode) and alone else b""
    except OSError:
        return None
    return content if 0 < len(content) <= limit else None


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
