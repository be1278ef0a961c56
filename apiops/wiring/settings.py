"""`apiops.toml`: the targets, and defaults for flags.

Precedence is flag, environment variable, `apiops.toml`, default. The file is the operator's: it
says where a Manager is, never whom to trust (that is a setting of the Manager itself, which no
commit can change).
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apiops.errors import UsageError
from apiops.model.diagnostic import Location

FILE: Final = "apiops.toml"
MAX_BYTES: Final = 256 * 1024

TARGET_KEYS: Final = {
    "environment": "the environment that the target stands for (default: the target's name)",
    "manager": "URL of the Manager: sqlite:///FILE or postgresql://USER@HOST/DATABASE",
    "key-file": "file with the key that wraps the Manager's keys (default: beside the database)",
    "identities": "folder with age identities, as a cluster mounts them",
}
"""What may stand in a `[targets.NAME]` table, for the reference page and for error hints."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One `[targets.NAME]` table. Relative paths in it start at the folder of `apiops.toml`."""

    name: str
    environment: str
    manager: str = ""
    key_file: Path | None = None
    identities: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The parsed file: targets by name, and the defaults for flags (`output = "json"`)."""

    path: Path | None = None
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def target(self, name: str | None) -> TargetSettings:
        """The named target, or the only one. Raises UsageError AO904."""
        if name is None and len(self.targets) == 1:
            return next(iter(self.targets.values()))
        known = ", ".join(sorted(self.targets)) or "none"
        if name is None:
            raise UsageError(
                "which target? name one",
                code="AO904",
                hint=f"--target NAME, or APIOPS_TARGET; {FILE} has: {known}",
            )
        if name not in self.targets:
            near = difflib.get_close_matches(name, self.targets, n=1)
            raise UsageError(
                f'there is no target "{name}"',
                code="AO904",
                hint=f'did you mean "{near[0]}"?' if near else f"{FILE} has: {known}",
            )
        return self.targets[name]


def read(path: Path) -> Settings:
    """The settings in the file at `path`. Raises UsageError AO903 for anything unexpected."""
    tree = _tree(path)
    targets = tree.pop("targets", {})
    if not isinstance(targets, dict):
        raise _fault(path, "[targets] must hold one table for each target")
    known = {name: _target(path, name, table) for name, table in targets.items()}
    return Settings(path, known, {_flag(path, k, v): v for k, v in tree.items()})


def _tree(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise _fault(path, f"cannot be read: {fault.strerror}") from None
    if len(content) > MAX_BYTES:
        raise _fault(path, f"is larger than {MAX_BYTES} bytes")
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _fault(path, f"is not TOML: {fault}") from None


def _target(path: Path, name: str, table: object) -> TargetSettings:
    if not isinstance(table, dict):
        raise _fault(path, f"[targets.{name}] must be a table")
    for key, value in table.items():
        if key not in TARGET_KEYS:
            near = difflib.get_close_matches(key, TARGET_KEYS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(TARGET_KEYS)}"
            raise _fault(path, f'[targets.{name}] has an unknown key "{key}"', hint)
        if not isinstance(value, str):
            raise _fault(path, f"[targets.{name}] {key} must be text")
    folder = path.parent
    return TargetSettings(
        name=name,
        environment=table.get("environment", name),
        manager=_located(table.get("manager", ""), folder),
        key_file=_path(table.get("key-file"), folder),
        identities=_path(table.get("identities"), folder),
    )


def _located(url: str, folder: Path) -> str:
    """A relative SQLite file starts at the folder of the settings, not at the shell's."""
    prefix = "sqlite:///"
    file = url.removeprefix(prefix)
    if not url.startswith(prefix) or file.startswith("/"):
        return url
    return prefix + str((folder / file).resolve())


def _path(text: str | None, folder: Path) -> Path | None:
    return None if text is None else (folder / Path(text).expanduser()).resolve()


def _flag(path: Path, key: str, value: object) -> str:
    if isinstance(value, dict):
        raise _fault(path, f"unknown table [{key}]", "known: [targets.NAME]")
    return key.replace("-", "_")


def _fault(path: Path, message: str, hint: str = "") -> UsageError:
    return UsageError(
        f"{path.name} {message}",
        code="AO903",
        hint=hint or "docs/reference/settings.md lists what may stand there",
        location=Location(path.name),
    )
