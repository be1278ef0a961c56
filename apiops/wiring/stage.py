"""The stage of `apiops demo`: a real repository made from the example, with signed commits.

People sign with the example's published test keys. Everything else is what any user has: a
repository, settings, a database.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from apiops.errors import UsageError
from apiops.git import author
from apiops.git.signing import SigningKey


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder of one demo: `repo/` and `keys/` inside it."""

    folder: Path

    @property
    def repository(self) -> Path:
        """The specification repository."""
        return self.folder / "repo"

    def person(self, name: str) -> Path:
        """The private key of a person of the example."""
        return self.folder / "keys" / "people" / name

    def identity(self, target: str) -> Path:
        """The age key file of a target of the example."""
        return self.folder / "keys" / "age" / f"{target}.txt"

    def commit(self, who: str, message: str, files: dict[str, bytes]) -> str:
        """Commit files as a person, signed with their key; gives the commit id."""
        key = SigningKey.load(self.person(who).read_bytes())
        return author.commit(
            self.repository,
            files,
            message=message,
            author=(who, f"{who}@bank.example"),
            key=key,
        )

    def edit(self, who: str, message: str, path: str, old: str, new: str) -> str:
        """Replace one piece of text in one file, and commit it."""
        text = (self.repository / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        return self.commit(who, message, {path: text.replace(old, new).encode()})


def build(folder: Path) -> Stage:
    """Lay out the example in `folder`, which must be new or empty.

    Raises UsageError AO907 when it is not.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty", code="AO907", hint="name a folder that does not exist yet"
        )
    folder.mkdir(parents=True, exist_ok=True)
    source = _examples()
    shutil.copytree(source / "keys", folder / "keys")
    for private in (folder / "keys").rglob("*"):
        if private.is_file():
            private.chmod(0o600)
    stage = Stage(folder)
    author.init(stage.repository)
    return stage


def contents() -> dict[str, bytes]:
    """The files of the example repository, by path."""
    root = _examples() / "repo"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _examples() -> Path:
    package = Path(__file__).resolve().parents[1]
    packed = package / "examples"
    return packed if packed.is_dir() else package.parent / "examples"
