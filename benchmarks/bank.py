"""A large bank to measure with: thousands of resources, and signed commits on them.

The mix is 80 % proxies, 15 % groups of addresses and 5 % credentials with an encrypted password,
each in a file of its own: 36 lines and a kilobyte on average (a sops file has more). Trees are
written folder by folder, so that making the repository takes seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from apiops.age import writing
from apiops.age.selection import Selection
from apiops.git.signing import SigningKey, sign

PROXY = """\
apiVersion: apiops/v1
kind: ApiProxy
metadata:
  name: %(name)s
  project: %(project)s
  labels: {team: core, tier: gold}
spec:
  type: REVERSE_PROXY
  description: Keeps the ledger of %(name)s
  clientRoute:
    relativePathList: [/%(project)s/%(name)s]
    methodList: [GET, POST]
  routing:
    addresses:
      - address: "https://%(name)s-a.%(project)s.bank.example:8443"
        weight: 60
      - address: "https://%(name)s-b.%(project)s.bank.example:8443"
        weight: 40
  settings:
    connection:
      connectTimeout: 10
      readTimeout: %(timeout)d
    cors:
      corsActive: true
      allowOriginList: ["https://www.bank.example"]
      allowMethodList: [GET, POST]
  policies:
    request:
      - name: throttle
        type: policy-api-based-throttling
        spec:
          targetVariableForIdentity: {name: client, type: HEADER, headerName: X-Client-Id}
          messageCountForInterval: 100
          throttlingInterval: ONE_MINUTE
  deployments:
    - environment: dev
"""

GROUP = """\
apiVersion: apiops/v1
kind: IpGroup
metadata:
  name: %(name)s
  project: %(project)s
  labels: {team: core}
spec:
  description: Branches whose tills call %(name)s, checked in round %(timeout)d
  ipList:
%(addresses)s
"""

CREDENTIAL = """\
apiVersion: apiops/v1
kind: Credential
metadata:
  name: %(project)s-%(name)s
  project: %(project)s
spec:
  description: Partner %(name)s, checked in round %(timeout)d
  email: %(name)s@partner.example
  fullName: Partner %(name)s
  password: correct horse %(name)s
  expireDate: "2027-12-31T23:59:59Z"
"""

SYSTEM = """\
apiVersion: apiops/v1
kind: Environment
metadata: {name: dev}
spec: {type: TEST}
---
apiVersion: apiops/v1
kind: User
metadata: {name: mert}
spec:
  fullName: Mert
  email: mert@bank.example
  keys:
    - {key: "%(key)s"}
  systemRoles: [sysProjectManager]
"""

PROJECT = """\
apiVersion: apiops/v1
kind: Project
metadata: {name: %(project)s}
spec: {description: Money}
"""
START = 1_767_600_000
_BRANCHES = 27
_MIX, _PROXIES, _GROUPS = 20, 16, 3
"""Of so many resources so many are proxies and groups; the rest are credentials."""


def proxy(project: str, name: str, timeout: int = 60) -> bytes:
    """One manifest of 35 lines."""
    return (PROXY % {"name": name, "project": project, "timeout": timeout}).encode()


@dataclass(frozen=True, slots=True)
class Bank:
    """A repository with its first commit, and the commits of the range, oldest first."""

    path: Path
    base: str
    commits: tuple[str, ...]


class Writer:
    """Writes commits whose tree differs from the one before in what was put."""

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
        self.point("main", str(made))
        return str(made)

    def point(self, branch: str, commit: str) -> None:
        """Let a branch be at a commit."""
        self._git.references.create(f"refs/heads/{branch}", pygit2.Oid(hex=commit), force=True)

    def pack(self) -> None:
        """As a clone from a forge has it: one pack, no loose objects."""
        self._git.pack()
        for loose in Path(self._git.path, "objects").glob("[0-9a-f][0-9a-f]/*"):
            loose.unlink()


class Mixed:
    """A bank of all three sorts on the branch `base`, and one more commit that changes some."""

    def __init__(self, path: Path, key: SigningKey, recipient: str, resources: int) -> None:
        self.path = path
        self._writer = Writer(path, key)
        self._recipient = recipient
        self._each = 250
        self._resources = resources
        self._writer.put("system", "people.yaml", (SYSTEM % {"key": key.public_line()}).encode())
        for number in range(resources):
            self._put(number, 60)
        self.base = self._writer.commit("Describe the bank", [])
        self._writer.point("base", self.base)
        self._writer.pack()

    def change(self, share: float) -> str:
        """Commit a change of every so many resources; the commit id."""
        step = round(1 / share)
        for number in range(0, self._resources, step):
            self._put(number + number // step % min(step, 20), 61)
        return self._writer.commit("Wait longer", [self.base])

    def _put(self, number: int, timeout: int) -> None:
        project, name = f"project-{number // self._each:03}", f"api-{number % self._each:04}"
        facts: Mapping[str, object] = {"project": project, "name": name, "timeout": timeout}
        if number % self._each == 0:
            self._writer.put(project, "project.yaml", (PROJECT % facts).encode())
        self._writer.put(project, f"{name}.yaml", self._manifest(number, facts))

    def _manifest(self, number: int, facts: Mapping[str, object]) -> bytes:
        sort = number % _MIX
        if sort < _PROXIES:
            return (PROXY % facts).encode()
        if sort < _PROXIES + _GROUPS:
            lines = [f"    - 10.{number % 250}.{branch}.0/24" for branch in range(_BRANCHES)]
            return (GROUP % {**facts, "addresses": "\n".join(lines)}).encode()
        policy = writing.Policy(((self._recipient,),), Selection("encrypted_regex", "^(password)$"))
        return writing.encrypt("credential.yaml", (CREDENTIAL % facts).encode(), policy).content


def build(
    path: Path,
    key: SigningKey,
    *,
    resources: int = 10_000,
    projects: int = 40,
    commits: int = 1_000,
    extra: Iterable[tuple[str, str, bytes]] = (),
) -> Bank:
    """A bank of proxies in a bare repository at `path`; every commit changes one of them."""
    writer = Writer(path, key)
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
