"""Snapshots made from a mapping of files, in memory, with the blob ids that Git would give."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from apiops.model.resource import File, FileMode, Target
from apiops.model.revision import Commit, Revision, Signature, SignatureStatus, Snapshot

TEST = Target("test", "test")


def blob_id(content: bytes) -> str:
    """What `git hash-object` says of the content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def snapshot(
    files: Mapping[str, str | bytes], modes: Mapping[str, FileMode] | None = None
) -> Snapshot:
    """A snapshot with these files; `modes` for those that are not plain files."""
    contents = {
        path: content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }
    blobs = {blob_id(content): content for content in contents.values()}
    entries = {
        path: File(path, blob_id(content), (modes or {}).get(path, FileMode.FILE))
        for path, content in contents.items()
    }
    return Snapshot(Revision("0" * 40, "refs/heads/main", "1" * 40), entries, blobs.__getitem__)


def directory(root: Path) -> Snapshot:
    """A snapshot of what lies below a directory; symbolic links are links."""
    files, modes = {}, {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            files[name], modes[name] = str(path.readlink()), FileMode.SYMLINK
        elif path.is_file():
            files[name] = path.read_bytes()
    return snapshot(files, modes)


def commit(subject: str = "Change") -> Commit:
    """A commit that nobody signed."""
    return Commit(
        id="2" * 40,
        parents=(),
        tree="1" * 40,
        subject=subject,
        message=subject,
        author="Ada <ada@bank.example>",
        committer="Ada <ada@bank.example>",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        signature=Signature(SignatureStatus.UNSIGNED),
    )
