"""`apiops.toml`: the targets, and defaults for flags.

Precedence is flag, environment variable, `apiops.toml`, default. The file is the operator's: it
says where a Manager is, never whom to trust (that is a setting of the Manager itself, which no
commit can change).
"""

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apiops.errors import UsageError
from apiops.model.diagnostic import Location

FILE: Final = "apiops.toml"
MAX_BYTES: Final = 256 * 1024
_AT: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_HEADER: Final = re.compile(r"(\s*)\[([^\[\]]+)\]")
_KEY: Final = re.compile(r"(\s*)([\w\"'-]+)\s*=")

TARGET_KEYS: Final = {
    "environment": "the environment that the target stands for (default: the target's name)",
    "manager": "URL of the Manager: sqlite:///FILE or postgresql://USER@HOST/DATABASE; or "
    "https://HOST of one that `apiops manager serve` serves or, with `ledger`, of a vendor's",
    "ledger": "database that keeps rights, audit log and journal of a vendor's Manager: "
    "sqlite:///FILE, postgresql://USER@HOST/DATABASE, or git:REMOTE for the ref "
    "refs/apiops/TARGET of the repository; one for each Manager",
    "ledger-recipients": "age recipients that a ledger in Git is encrypted to, with commas",
    "ledger-signers": "allowed signers (OpenSSH) whose states of a ledger in Git are believed; the "
    "run's own key always is",
    "signing-key": "private SSH key that signs a ledger in Git (or its text in APIOPS_SIGNING_KEY)",
    "token-file": "file with the token for a Manager at an https URL (or APIOPS_TOKEN)",
    "ca-file": "certificates of the authorities to believe instead of the system's",
    "client-cert": "our certificate, for a server that asks who we are (mutual TLS)",
    "client-key": "its private key",
    "proxy": "URL of the HTTP proxy on the way to the Manager",
    "key-file": "file with the key that wraps the Manager's keys (default: beside the database)",
    "wrapping-key": "where that key comes from instead: file:PATH, age:PATH, passphrase:PATH or "
    "plugin:NAME?OPTION=VALUE",
    "undo-runs": "for how many runs the Manager keeps, sealed, the secrets that they replaced or "
    "took away, so that `apiops undo` can put them back (default 20; 0 keeps none)",
    "identities": "folder with age identities, as a cluster mounts them",
}
"""What may stand in a `[targets.NAME]` table, for the reference page and for error hints."""


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One `[targets.NAME]` table. Relative paths in it start at the folder of `apiops.toml`.

    `given` are the keys that the table has, `source` is the file that it stands in, `directory` a
    folder of the repository that it is used for. `deadline` is how many seconds a run may take over
    the network, `parallel` how many calls may go to a vendor's Manager at once;
    `undo_runs` for how many runs secrets are kept that a run replaced.
    """

    name: str
    environment: str
    manager: str = ""
    key_file: Path | None = None
    wrapping_key: str = ""
    identities: Path | None = None
    ledger: str = ""
    ledger_recipients: str = ""
    ledger_signers: Path | None = None
    signing_key: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: str = ""
    given: frozenset[str] = frozenset()
    source: Path | None = None
    directory: Path | None = None
    deadline: float = math.inf
    parallel: int = 8
    undo_runs: int = 20

    @property
    def database(self) -> str:
        """The URL of the database: of the embedded Manager, or of a vendor's Manager's ledger."""
        return self.ledger or self.manager

    @property
    def wrapping(self) -> Path | None:
        """The file with the wrapping key: the one that is set, or the database's own + `.key`."""
        prefix = "sqlite:///"
        if self.key_file is None and self.database.startswith(prefix):
            return Path(self.database.removeprefix(prefix) + ".key")
        return self.key_file


@dataclass(frozen=True, slots=True)
class Settings:
    """The parsed file: targets by name, and defaults by a flag's long name (`output = "json"`)."""

    path: Path | None = None
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def target(self, name: str | None) -> TargetSettings:
        """The named target, or the only one. Raises UsageError AO904."""
        if name is None and len(self.targets) == 1:
            return next(iter(self.targets.values()))
        if self.path is None:
            raise UsageError(
                f"there is no {FILE} here or above, up to the repository's root",
                code="AO904",
                hint="`apiops init` writes one; -C FOLDER or --config FILE name another place",
            )
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


def find(directory: Path) -> Path | None:
    """The `apiops.toml` in a folder of a Git repository or above it, up to the repository's root.

    Above the root nothing is looked at: what lies there may be somebody else's. A folder outside
    of any work tree (a bare repository) is looked at alone.
    """
    start = directory.resolve()
    above = [start, *start.parents]
    roots = (level for level, folder in enumerate(above) if os.path.lexists(folder / ".git"))
    places = (folder / FILE for folder in above[: next(roots, 0) + 1])
    return next((place for place in places if os.path.lexists(place)), None)


def read(path: Path) -> Settings:
    """The settings in the file at `path`. Raises UsageError AO903 for anything unexpected."""
    tree = _tree(path)
    targets = tree.pop("targets", {})
    if not isinstance(targets, dict):
        raise fault(path, "[targets] must hold one table for each target")
    known = {name: _target(path, name, table) for name, table in targets.items()}
    _apart(path, known.values())
    return Settings(path, known, {_flag(path, k, v): v for k, v in tree.items()})


def _apart(path: Path, targets: Iterable[TargetSettings]) -> None:
    """Raise UsageError AO903 if two Managers have one ledger: what was written to the one would be
    taken for what was written to the other. (In Git each target has a ref of its own.)
    """
    governed: dict[str, TargetSettings] = {}
    for one in targets:
        if not one.ledger or one.ledger.startswith("git:"):
            continue
        other = governed.setdefault(one.ledger, one)
        if other.manager.rstrip("/") != one.manager.rstrip("/"):
            raise fault(
                path,
                f"[targets.{one.name}] has the ledger of [targets.{other.name}], whose manager is "
                "another",
                "give each Manager a ledger of its own",
                at=spot(path, "ledger", f"targets.{one.name}"),
            )


def _tree(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise fault(path, f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise fault(path, f"is larger than {MAX_BYTES} bytes")
    try:
        return tomllib.loads(content.decode())
    except RecursionError:
        raise fault(path, "is nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        at = _AT.search(str(error))
        where = (int(at[1]), int(at[2])) if at else ()
        raise fault(path, f"is not TOML: {error}", at=where) from None


def _target(path: Path, name: str, table: object) -> TargetSettings:
    if not isinstance(table, dict):
        raise fault(path, f"[targets.{name}] must be a table")
    for key, value in table.items():
        if key not in TARGET_KEYS:
            near = difflib.get_close_matches(key, TARGET_KEYS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(TARGET_KEYS)}"
            at = spot(path, key, f"targets.{name}")
            raise fault(path, f'[targets.{name}] has an unknown key "{key}"', hint, at=at)
        if not isinstance(value, str) or "\0" in value:
            at = spot(path, key, f"targets.{name}")
            raise fault(path, f"[targets.{name}] {key} must be text", at=at)
    folder = path.parent
    return TargetSettings(
        name=name,
        environment=table.get("environment", name),
        manager=located(table.get("manager", ""), folder),
        key_file=_path(path, table.get("key-file")),
        wrapping_key=_wrapping(path, table.get("wrapping-key", "")),
        identities=_path(path, table.get("identities")),
        ledger=located(table.get("ledger", ""), folder),
        ledger_recipients=table.get("ledger-recipients", ""),
        ledger_signers=_path(path, table.get("ledger-signers")),
        signing_key=_path(path, table.get("signing-key")),
        token_file=_path(path, table.get("token-file")),
        ca_file=_path(path, table.get("ca-file")),
        client_cert=_path(path, table.get("client-cert")),
        client_key=_path(path, table.get("client-key")),
        proxy=table.get("proxy", ""),
        undo_runs=_count(path, table.get("undo-runs", "20")),
        given=frozenset(table),
        source=path,
    )


def located(url: str, folder: Path) -> str:
    """A relative SQLite file starts at the folder of the settings, not at the shell's."""
    prefix = "sqlite:///"
    file = url.removeprefix(prefix)
    if not file or not url.startswith(prefix) or file.startswith("/"):
        return url
    return prefix + str((folder / file).resolve())


def _wrapping(path: Path, text: str) -> str:
    """A relative path in it starts at the folder of the settings."""
    scheme, colon, rest = text.partition(":")
    return text if scheme == "plugin" or not rest else f"{scheme}{colon}{beside(path, rest)}"


def _count(path: Path, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise fault(path, f'needs a number from 0 to 9999, as text, and not "{text}"')
    return int(text)


def _path(path: Path, text: str | None) -> Path | None:
    return None if text is None else beside(path, text)


def beside(path: Path, text: str) -> Path:
    """A path that a settings file names; a relative one starts at its folder."""
    try:
        return (path.parent / Path(text).expanduser()).resolve()
    except RuntimeError:
        raise fault(path, f'names a home that nobody has: "{text}"') from None


def _flag(path: Path, key: str, value: object) -> str:
    if isinstance(value, dict):
        raise fault(
            path, f"has an unknown table [{key}]", "known: [targets.NAME]", at=spot(path, key)
        )
    return key


def fault(
    path: Path, message: str, hint: str = "", *, at: tuple[int, int] | tuple[()] = ()
) -> UsageError:
    """What is wrong with a settings file; `at` is line and column, where they are known."""
    return UsageError(
        f"{path.name} {message}",
        code="AO903",
        hint=hint or "docs/reference/settings.md lists what may stand there",
        location=Location(path.name, *at),
    )


def spot(path: Path, key: str, table: str = "") -> tuple[int, int] | tuple[()]:
    """Line and column of a key in the file, or of a table's header: the parser keeps none.

    Empty where it is written in one of the ways that nobody uses.
    """
    inside = ""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        if header := _HEADER.match(line):
            inside = header[2].strip()
            if key == inside:
                return number, header.start(2) + 1
        elif inside == table and (found := _KEY.match(line)) and found[2].strip("\"'") == key:
            return number, found.start(2) + 1
    return ()
