"""What was read of each blob, kept: many commits share most of their files.

A `Documents` may be shared by many calls of `load` (one for each commit of a range): a blob is
parsed once, whatever path and commit it is found at.
"""

import hashlib
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.model.diagnostic import Diagnostic
from apiops.model.resource import File
from apiops.spec import read


@dataclass(frozen=True, slots=True)
class Parsed:
    """One blob: its documents, what is wrong with its text, and what it may hold.

    `parameterised` and `secretive` are hints that save a walk: no `${param:` in the text means
    no parameter in any document; likewise for ciphertexts and references to secrets. `pointer`:
    it is what Git LFS leaves in place of a file. `likely`: it has the look of a manifest.
    """

    documents: tuple[read.Document, ...]
    findings: tuple[Diagnostic, ...]
    parameterised: bool
    secretive: bool
    pointer: bool
    likely: bool


LFS: Final = b"version https://git-lfs.github.com/spec/"
"""How a Git LFS pointer begins (Git LFS specification, "The Pointer")."""

_SECRET_SIGNS: Final = (b"ENC[", b"$secret", b"sops")

_MANIFEST = re.compile(rb"""^["']?(?:apiVersion|kind)["']?[ \t]*:""", re.MULTILINE)
"""A top-level field that makes a document a manifest."""


class Documents:
    """A cache by blob id of parsed files and of file digests."""

    def __init__(self) -> None:
        self._parsed: dict[str, Parsed] = {}
        self._digests: dict[str, str] = {}
        self._others: set[str] = set()
        self.pages: dict[tuple[Hashable, ...], Any] = {}
        """What became of files without fault (see `pages`, which knows when it still holds)."""

    def parse(self, file: File, content: Callable[[str], bytes]) -> Parsed:
        """The documents of `file`; `content` reads its bytes if it was not parsed before."""
        parsed = self._parsed.get(file.blob)
        if parsed is None:
            data = content(file.blob)
            documents, findings = read.documents(data, "")
            parsed = Parsed(
                documents,
                findings,
                parameterised=b"${param:" in data,
                secretive=any(sign in data for sign in _SECRET_SIGNS),
                pointer=data.startswith(LFS),
                likely=_looks_like_manifest(data),
            )
            self._parsed[file.blob] = parsed
        if not parsed.findings:
            return parsed
        located = (
            replace(f, location=replace(f.location, path=file.path)) for f in parsed.findings
        )
        return replace(parsed, findings=tuple(located))

    def manifests(self, file: File, content: Callable[[str], bytes]) -> Parsed | None:
        """As `parse`, but None for a file that has no look of a manifest, which is not parsed.

        Only such a file may be passed over because a manifest refers to it: else a reference
        could make another's manifest disappear.
        """
        if file.blob in self._others:
            return None
        if file.blob not in self._parsed:
            data = content(file.blob)
            if not _looks_like_manifest(data):
                self._others.add(file.blob)
                return None
            return self.parse(file, lambda _: data)
        parsed = self.parse(file, content)
        return parsed if parsed.likely else None

    def digest(self, file: File, content: Callable[[str], bytes]) -> str:
        """SHA-256 of the file's bytes, 64 hex digits."""
        if file.blob not in self._digests:
            self._digests[file.blob] = hashlib.sha256(content(file.blob)).hexdigest()
        return self._digests[file.blob]


def _looks_like_manifest(data: bytes) -> bool:
    """Whether the text may hold a manifest (or held one, before Git LFS took it)."""
    return (
        b"apiops/" in data
        or data.startswith(LFS)
        or _MANIFEST.search(data.removeprefix(BOM_UTF8)) is not None
    )
