"""What `apiops init` writes: the files of `templates/`, filled in; never over an existing file."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from apiops.errors import SecretError, UsageError
from apiops.model.diagnostic import Location
from apiops.spec import catalog

DOTTED: Final = {
    "gitignore": ".gitignore",
    "gitattributes": ".gitattributes",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "sops.yaml": ".sops.yaml",
}
"""Template → its place, for files that begin with a dot."""

PIPELINES: Final = {
    "github": ("ci/github.yml", ".github/workflows/apiops.yml"),
    "gitlab": ("ci/gitlab.yml", ".gitlab-ci.yml"),
    "jenkins": ("ci/jenkins", "Jenkinsfile"),
}
IDENTITY: Final = ".apiops/identities/dev.txt"
SCHEMAS: Final = ".apiops/schemas"
CREDENTIAL: Final = "projects/shop/partner.yaml"

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.+/=@-]*( [A-Za-z0-9_.+/=@-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that YAML, of one version or another, takes for something else than text."""


def write(directory: Path, *, admin: str, email: str, key: str, ci: str | None) -> list[str]:
    """Write what is missing; gives the paths written, in order. Raises UsageError AO907."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return list(_write(directory, admin=admin, email=email, key=key, ci=ci))
    except OSError as fault:
        raise UsageError(
            f"{fault.filename or directory} cannot be written: {fault.strerror}",
            code="AO907",
            hint="choose a folder that you may write to",
        ) from None


def _write(directory: Path, *, admin: str, email: str, key: str, ci: str | None) -> Iterator[str]:
    from apiops.age import identities

    identity = directory / IDENTITY
    if not identity.exists():
        _private(identity, identities.generate()[0])
        yield IDENTITY
    if not (directory / SCHEMAS).exists():
        shutil.copytree(catalog.directory(), directory / SCHEMAS)
        yield SCHEMAS + "/"
    values = {
        "{recipient}": _recipient(identity),
        "{admin}": _scalar(admin),
        "{email}": _scalar(email),
        "{key}": _scalar(key),
        "{password}": _scalar(secrets.token_urlsafe(18)),
    }
    for template, place in _files(ci):
        file = directory / place
        if file.exists():
            continue
        text = template.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(name, value)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_sealed(file, text) if place == CREDENTIAL else text.encode())
        yield place


def _files(ci: str | None) -> Iterator[tuple[Traversable, str]]:
    """Template and its place in the repository; `.sops.yaml` comes before what it encrypts."""
    root = resources.files("apiops.wiring") / "templates"
    yield root / "sops.yaml", ".sops.yaml"
    pending = [(root, "")]
    while pending:
        folder, path = pending.pop(0)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            place = f"{path}{entry.name}"
            if entry.is_dir() and place != "ci":
                pending.append((entry, place + "/"))
            elif entry.is_file() and place != "sops.yaml":
                yield entry, DOTTED.get(place, place)
    if ci is not None:
        template, place = PIPELINES[ci]
        yield root / template, place


def _sealed(file: Path, text: str) -> bytes:
    from apiops.wiring import vault

    return vault.encrypt_text(file, text.encode())


def _recipient(identity: Path) -> str:
    """Whom the key file opens for. Raises SecretError AO403 for a file that holds no key."""
    from apiops.age import identities

    found = identities.read_keys(identity.read_bytes(), IDENTITY)
    if not found:
        raise SecretError(
            f"{IDENTITY} holds no age identity",
            code="AO403",
            hint="put the key back, or remove the file: a new one is made then",
            location=Location(IDENTITY),
        )
    return found[0].public


def _scalar(text: str) -> str:
    """A text as YAML: plain where YAML reads it as the same text, else in double quotes."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _private(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(content, encoding="utf-8")
