"""A private file for an editor: in memory where the system has such a place, wiped afterwards.

The one place where a plaintext leaves the process: an editor needs a file. The folder is for its
owner alone, and whatever the editor leaves in it (a backup, a swap file) goes the same way.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/", "dev", "shm")
_PREFIX: Final = "apiops-"


@contextmanager
def private_file(content: bytes, name: str, *, root: Path | None = None) -> Iterator[Path]:
    """A file that only its owner can read (0600 in a folder 0700), wiped and removed at the end.

    `name` gives the suffix by which an editor knows the language. It lies in memory (tmpfs) if
    the system has it, else in the temporary folder; `root` says where instead. Raises OSError.
    """
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root or _root()))
    try:
        file = folder / Path(name).name
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(file, flags, 0o600), "wb") as stream:
            stream.write(content)
        yield file
    finally:
        for left in folder.rglob("*"):
            if left.is_file() and not left.is_symlink():
                _wipe(left)
        shutil.rmtree(folder)


def _root() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK) else None


def _wipe(file: Path) -> None:
    """Overwrite with zeros; on a disk that keeps old blocks it is the best that can be done."""
    with file.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        stream.write(bytes(size))
        stream.flush()
        os.fsync(stream.fileno())
