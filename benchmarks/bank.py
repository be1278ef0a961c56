"""A large bank to measure with: thousands of proxies, and a long range of signed commits on them.

Trees are written folder by folder, so that making the repository takes seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from apiops.git.signing import SigningKey, sign

PROXY = """\
apiVersion: apiops/v1
kind: ApiProxy
metadata: {name: %(name)s, project: %(project)s, labels: {team: core, tier: gold}}
spec:
  type: REVERSE_PROXY
  description: Keeps the ledger of %(name)s
  clientRoute: {relativePathList: [/%(project)s/%(name)s]}
  routing:
    addresses:
      - {address: "https://%(name)s.%(project)s.bank.example:8443", weight: 100}
  settings:
    connection: {connectTimeout: 10, readTimeout: %(timeout)d}
  deployments:
    - environment: dev
"""
START = 1_767_600_000


def proxy(project: str, name: str, timeout: int = 60) -> bytes:
    """One manifest of 14 lines."""
    return (PROXY % {"name": name, "project": project, "timeout": timeout}).encode()


@dataclass(frozen=True, slots=True)
class Bank:
    """A repository with its first commit, and the commits of the range, oldest first."""

    path: Path
    base: str
    commits: tuple[str, ...]


class _Writer:
    """Writes commits whose tree differs from the one before in one file."""

    def __init__(self, path: Path, key: SigningKey) -> None:
        self._git = pygit2.init_repository(str(path), bare=True, initial_head="main")
        self._key = key
        self._folders: dict[str, dict[str, pygit2.Oid]] = {}
        self._trees: dict[str, pygit2.Oid] = {}
        self._clock = START

    def put(self, folder: str, name: str, content: bytes) -> None:
        self._folders.setdefault(folder, {})[name] = self._git.create_blob(content)
        self._trees.pop(folder, None)

    def commit(self, message: str, parents: list[str]) -> str:
        root = self._git.TreeBuilder()
        for folder, files in self._folders.items():
            if folder not in self._trees:
                builder = self._git.TreeBuilder()
                for name, blob in files.items():
                    builder.insert(name, blob, FileMode.BLOB)
                self._trees[folder] = builder.write()
            root.insert(folder, self._trees[folder], FileMode.TREE)
        self._clock += 60
        who = f"Mert <mert@bank.example> {self._clock} +0000"
        lines = [f"tree {root.write()}", *(f"parent {parent}" for parent in parents)]
        payload = "\n".join([*lines, f"author {who}", f"committer {who}", "", message, ""])
        made = self._git.create_commit_with_signature(payload, sign(payload.encode(), self._key))
        self._git.references.create("refs/heads/main", made, force=True)
        return str(made)

    def pack(self) -> None:
        """As a clone from a forge has it: one pack, no loose objects."""
        self._git.pack()
        for loose in Path(self._git.path, "objects").glob("[0-9a-f][0-9a-f]/*"):
            loose.unlink()


def build(
    path: Path,
    key: SigningKey,
    *,
    resources: int = 10_000,
    projects: int = 40,
    commits: int = 1_000,
    extra: Iterable[tuple[str, str, bytes]] = (),
) -> Bank:
    """A bank in a bare repository at `path`; every commit changes one proxy."""
    writer = _Writer(path, key)
    each = resources // projects
    for folder, name, content in extra:
        writer.put(folder, name, content)
    for number in range(resources):
        project, name = f"project-{number // each:03}", f"api-{number % each:04}"
        writer.put(project, f"{name}.yaml", proxy(project, name))
    base = at = writer.commit("Describe the bank", [])
    made = []
    for number in range(commits):
        place = number * 7919 % resources
        project, name = f"project-{place // each:03}", f"api-{place % each:04}"
        writer.put(project, f"{name}.yaml", proxy(project, name, 61 + number))
        at = writer.commit(f"Wait longer for {name}", [at])
        made.append(at)
    writer.pack()
    return Bank(path, base, tuple(made))


__all__ = ["Bank", "ObjectType", "build", "proxy"]
