"""What HEAD and branches point at, read from their files without libgit2.

Only the plain case: a Git directory of the user's own, with references as files or packed.
Whatever is unusual (another format of references, a linked work tree, a shallow clone, a name of
several meanings, an id instead of a name) has no answer here, and the caller asks libgit2.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ID: Final = re.compile(r"[0-9a-f]{40}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_LINK: Final = "ref: "
_PLACES: Final = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")
_LINKS: Final = 5
_UNUSUAL: Final = ("commondir", "shallow", "reftable")
_FORMAT: Final = re.compile(r"(?im)^\s*(\[\s*(extensions|include|includeif)|worktree\s*=)")
_MAX_BYTES: Final = 16 * 1024 * 1024


def directory(start: Path) -> Path | None:
    """The Git directory at or above a folder; None if it is not a plain one of this user."""
    try:
        return _above(start)
    except (OSError, RuntimeError):  # not to be looked into, or links in a circle
        return None


def _above(start: Path) -> Path | None:
    for folder in (start.resolve(), *start.resolve().parents):
        for place in (folder / ".git", folder):
            if os.path.lexists(place / "HEAD") and (place / "objects").is_dir():
                return place if _is_plain(place) else None
        if os.path.lexists(folder / ".git"):
            return None  # a file that points elsewhere
    return None


def targets(git: Path, ref: str) -> tuple[str, str] | None:
    """The ids that HEAD and `ref` stand for, if they are plain; a tag has an id of its own."""
    head = _follow(git, "HEAD")
    if ref == "HEAD" or head is None:
        return None if head is None else (head, head)
    found = set(_named(git, ref))
    return (head, found.pop()) if len(found) == 1 else None


def _is_plain(git: Path) -> bool:
    around = (git.parent,) if git.name == ".git" else ()
    try:
        ours = all(p.stat().st_uid == os.geteuid() for p in (*around, git, git / "config"))
        config = (git / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return ours and not _FORMAT.search(config) and not any((git / one).exists() for one in _UNUSUAL)


def _named(git: Path, ref: str) -> Iterator[str]:
    if not _NAME.fullmatch(ref) or ".." in ref or _ID.match(ref):
        return
    for place in (ref,) if ref.startswith("refs/") else [one.format(ref) for one in _PLACES]:
        found = _follow(git, place)
        if found is not None:
            yield found


def _follow(git: Path, name: str) -> str | None:
    """The id at the end of a reference's links."""
    for _ in range(_LINKS):
        text = _read(git / name)
        if text is None:
            return _packed(git, name)
        if not text.startswith(_LINK):
            id = text.strip()
            return id if _ID.fullmatch(id) else None
        name = text.removeprefix(_LINK).strip()
        if not _NAME.fullmatch(name) or ".." in name:
            return None
    return None


def _packed(git: Path, name: str) -> str | None:
    for line in (_read(git / "packed-refs") or "").splitlines():
        id, _, named = line.partition(" ")
        if named == name and _ID.fullmatch(id):
            return id
    return None


def _read(file: Path) -> str | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError):
        return None
    return text if len(text) <= _MAX_BYTES else None
