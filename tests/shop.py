"""A small bank with a repository, settings and a Manager, and the command line to work on it.

shop = Shop(tmp_path)                      nothing yet but a folder with settings
shop.begin()                               first commit, Manager, first apply
shop.run("plan", "-o", "json").json        any command, in process; .code, .out, .err
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apiops.age import identities
from apiops.cli import main
from apiops.manager import embedded
from tests.people import GitStory, Person, person

SETTINGS = """
[targets.dev]
manager = "sqlite:///../dev.db"
"""

PROXY = """\
apiVersion: apiops/v1
kind: ApiProxy
metadata: {name: %(name)s, project: %(project)s}
spec:
  type: REVERSE_PROXY
  clientRoute: {relativePathList: [/%(name)s]}
  routing:
    addresses:
      - {address: "https://%(name)s.bank.example"}
  settings:
    connection: {connectTimeout: 10, readTimeout: 60}
  deployments:
    - environment: dev
"""

MEMBER = """\
apiVersion: apiops/v1
kind: Membership
metadata: {name: %(name)s, project: %(project)s}
spec: {user: %(name)s, roles: [%(role)s]}
"""

USER = """\
apiVersion: apiops/v1
kind: User
metadata: {name: %(name)s}
spec:
  email: %(email)s
  systemRoles: [%(system)s]
  keys:
    - key: %(key)s
"""


def a_user(who: Person, system: str = "") -> str:
    values = {"name": who.name.lower(), "email": who.email, "system": system}
    return USER % {**values, "key": who.public_line}


def a_project(name: str) -> str:
    return f"apiVersion: apiops/v1\nkind: Project\nmetadata: {{name: {name}}}\nspec: {{}}\n"


def a_proxy(name: str, project: str = "payments") -> str:
    return PROXY % {"name": name, "project": project}


def a_member(who: Person, project: str, role: str) -> str:
    return MEMBER % {"name": who.name.lower(), "project": project, "role": role}


AYSE, MERT, DENIZ = person("ayse"), person("mert"), person("deniz")


def the_bank() -> dict[str, str]:
    """Two projects, their people, and a proxy in each."""
    environment = (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {type: TEST}\n"
    )
    return {
        "apiops.toml": SETTINGS,
        "system/dev.yaml": environment,
        "system/ayse.yaml": a_user(AYSE, "sysAdmin, sysProjectManager"),
        "system/mert.yaml": a_user(MERT),
        "system/deniz.yaml": a_user(DENIZ),
        "payments/project.yaml": a_project("payments"),
        "payments/mert.yaml": a_member(MERT, "payments", "Project Owner"),
        "payments/orders.yaml": a_proxy("orders"),
        "cards/project.yaml": a_project("cards"),
        "cards/deniz.yaml": a_member(DENIZ, "cards", "API Developer"),
        "cards/limits.yaml": a_proxy("limits", "cards"),
    }


@dataclass(frozen=True)
class Done:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        tree: dict[str, Any] = json.loads(self.out)
        return tree


class Shop:
    """A folder with `repo/` (the bank's repository) and, beside it, database and keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.story = GitStory(folder / "repo")
        self.repository = folder / "repo"
        self.identity, self.recipient = identities.generate()
        self.variables: dict[str, str] = {}
        (folder / "ayse.pub").write_text(AYSE.public_line + "\n")

    def person_key(self, who: Person) -> Path:
        """The file with a person's private key."""
        file = self.folder / f"{who.name.lower()}.key"
        file.write_bytes(who.key.private_bytes())
        file.chmod(0o600)
        return file

    def commit(
        self, who: Person, files: Mapping[str, Any], message: str = "Change", **more: Any
    ) -> str:
        """A signed commit on main."""
        return self.story.commit(who, files, message, **more)

    def manager(self) -> Done:
        """Make the Manager, with Ayşe as its admin."""
        return self.run(
            "manager", "init", "--admin", "ayse", "--admin-key", self.folder / "ayse.pub"
        )

    def begin(self, files: Mapping[str, Any] | None = None) -> str:
        """First commit, Manager, first apply; the commit id."""
        first = self.commit(AYSE, files or the_bank(), "Describe the bank")
        assert self.manager().code == 0
        done = self.run("apply", "--introduction", first, "--approver", "ayse", "--yes")
        assert done.code == 0, done.out + done.err
        return first

    @property
    def lineage(self) -> str:
        """What leases and the ledger call this repository."""
        return self.story.open().lineage

    def open_manager(self) -> embedded.EmbeddedManager:
        """The Manager itself, behind the command line's back; close it."""
        return embedded.open_manager(
            f"sqlite:///{self.folder}/dev.db", key_file=self.folder / "dev.db.key"
        )

    def run(self, *arguments: str | Path) -> Done:
        """`apiops …` in the repository, in this process."""
        return run(*arguments, cwd=self.repository, **self.variables)


def run(*arguments: str | Path, cwd: Path, **variables: str) -> Done:
    """`apiops …` in a folder, in this process, with only the given APIOPS and SOPS variables."""
    out, err = _stream(), _stream()
    with _world(cwd, variables), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        hook = sys.excepthook
        try:
            main.main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        finally:
            sys.excepthook = hook
    return Done(code, _text(out), _text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.detach()
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


@contextlib.contextmanager
def _world(cwd: Path, variables: Mapping[str, str]) -> Iterator[None]:
    before, here = dict(os.environ), Path.cwd()
    steering = ("APIOPS_", "SOPS_", "FORCE_COLOR", "GITHUB_", "GITLAB_", "GITEA_", "CI_")
    for name in [n for n in os.environ if n.startswith(steering)]:
        del os.environ[name]
    os.environ.update(variables)
    os.chdir(cwd)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
