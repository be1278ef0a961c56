"""Build the line from settings: the one place that knows every adapter.

Adapters are imported where they are made, so a command pays only for what it uses.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from apiops import __version__
from apiops.errors import UsageError
from apiops.model.resource import Target
from apiops.model.revision import Snapshot
from apiops.model.secret import SecretLeaf, SecretValue
from apiops.ports import Keyring, Manager, Observer, Runs
from apiops.reconcile.line import Line
from apiops.reconcile.runs import InProcess
from apiops.wiring import places
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.age.identities import Identities
    from apiops.git.repository import GitRepository
    from apiops.manager.embedded import EmbeddedManager
    from apiops.remote.client import Client
    from apiops.remote.log import NativeLog


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the tables on PostgreSQL: their URL, and the role that the Manager runs as."""

    url: str
    application: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a command chose: the repository's folder, the target, and how secrets are opened.

    `interactive` allows the default key file of the home directory; `secrets` False opens none.
    """

    directory: Path
    target: TargetSettings
    interactive: bool = False
    secrets: bool = True


def repository(directory: Path) -> "GitRepository":
    """The Git repository at or above `directory`. Raises SourceError."""
    from apiops.git import repository as git

    return git.open(directory)


def snapshot(directory: Path, ref: str, *, worktree: bool) -> Snapshot:
    """What is to be read: a revision's objects, or the files as they lie there."""
    if worktree:
        from apiops.git import worktree as files

        return files.snapshot(directory)
    source = repository(directory)
    return source.snapshot(source.resolve(ref))


def uncommitted(directory: Path) -> int:
    """How many files of the folder's repository are not as they are at HEAD."""
    from apiops.git import worktree

    return worktree.changed(directory)


def keyring(wiring: Wiring) -> Keyring:
    """The age identities at hand. Raises SecretError for a key file that cannot be read."""
    from apiops.age.identities import Identities

    if not wiring.secrets:
        return _Keys(Identities())
    return _Keys(places.gather_identities(wiring.target.identities, interactive=wiring.interactive))


class _Keys:
    """A keyring over age identities; what reads files of secrets is loaded for the first one."""

    def __init__(self, identities: "Identities") -> None:
        self._identities = identities

    @property
    def available(self) -> bool:
        """Whether any identity was found."""
        return bool(self._identities)

    def open(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        """The plaintext that the leaf points at. Raises SecretError."""
        return self._ring.open(leaf, content)

    @cached_property
    def _ring(self) -> Keyring:
        from apiops.age.keyring import AgeKeyring

        return AgeKeyring(self._identities)


@contextmanager
def manager(target: TargetSettings) -> Iterator["EmbeddedManager"]:
    """The embedded Manager of a target (of a vendor's: its ledger), closed at the end.

    Raises StoreError and kin.
    """
    from apiops.manager import embedded
    from apiops.wiring import gitledger, wrapkeys

    if gitledger.is_git(target):
        with _manager_in_git(target) as book:
            yield book
        return
    opened = embedded.open_manager(
        places.url(target), wrapping=wrapkeys.provider(target), keeps=target.undo_runs
    )
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _manager_in_git(target: TargetSettings) -> Iterator["EmbeddedManager"]:
    """The book in a Git ref, put back at the end if there is something new in it: also when the
    run ends in an error, which may be that something was denied.
    """
    from apiops.manager import gitbook
    from apiops.wiring import gitledger

    kept = gitledger.ref(target)
    with gitledger.taken_out(target, kept) as here, manager(here) as opened:
        book = gitbook.face(opened, kept.keep)
        try:
            yield book
        finally:
            book.put_changes()


@contextmanager
def managed(target: TargetSettings, ledger: "EmbeddedManager") -> Iterator[Manager]:
    """What is managed: the embedded Manager itself, or the vendor's with it as the ledger.

    Raises UsageError, SecretError for the token.
    """
    if not target.ledger:
        yield ledger
        return
    from apiops.manager.book import SqlBook
    from apiops.remote.vendor.manager import VendorManager
    from apiops.wiring import vendor

    book = ledger if isinstance(ledger, SqlBook) else SqlBook(*ledger.parts)
    with vendor.api(target) as api:
        yield VendorManager(api, book)


def target(directory: Path, settings: TargetSettings) -> Target:
    """What is applied to, with the file that says so where that lies in the repository."""
    return _target(repository(directory), settings)


def _target(git: "GitRepository", settings: TargetSettings) -> Target:
    place = git.inside(settings.source) if settings.source else ""
    return Target(settings.name, settings.environment, place)


@contextmanager
def line(wiring: Wiring, observer: Observer) -> Iterator[Line]:
    """A whole line, ready to prepare or apply."""
    with manager(wiring.target) as ledger, managed(wiring.target, ledger) as live:
        git = repository(wiring.directory)
        yield Line(
            repository=git,
            keyring=keyring(wiring),
            manager=live,
            ledger=ledger,
            observer=observer,
            target=_target(git, wiring.target),
            run=uuid.uuid4().hex,
            engine=__version__,
            now=lambda: datetime.now(UTC),
        )


@contextmanager
def runs(wiring: Wiring, observer: Observer) -> Iterator[Runs]:
    """What carries out a run: the line in this process, or a Manager over HTTP, by its URL."""
    if places.over_http(wiring.target):
        from apiops.remote.native import NativeManager

        with client(wiring.target) as server:
            clone = repository(wiring.directory)
            yield NativeManager(server, clone, wiring.target.name, observer)
        return
    with line(wiring, observer) as here:
        yield InProcess(here, lambda: snapshot(wiring.directory, "", worktree=True))


@contextmanager
def log(target: TargetSettings) -> Iterator["EmbeddedManager | NativeLog"]:
    """The audit log of a target, here or over HTTP."""
    if places.over_http(target):
        from apiops.remote.log import NativeLog

        with client(target) as server:
            yield NativeLog(server)
        return
    with manager(target) as here:
        yield here


def client(target: TargetSettings) -> "Client":
    """The HTTP client of a target, which the caller closes. Raises UsageError."""
    from apiops.remote.client import Client, Reach
    from apiops.wiring import vendor

    reach = Reach(
        target.manager,
        ca_file=target.ca_file,
        client_cert=target.client_cert,
        client_key=target.client_key,
        proxy=target.proxy,
        read=600.0,
        total=1800.0,
        deadline=target.deadline,
    )
    token = vendor.token(target)
    return Client(reach, lambda: token)


def initialise(
    target: TargetSettings, *, admin: str, admin_key: Path, trust: str,
    recipients: Sequence[str] = (), owner: Owner | None = None,
) -> str:  # fmt: skip
    """Make the target's Manager with its first admin; gives its lineage. Raises StoreError."""
    from apiops.manager import gitbook, init
    from apiops.model.access import Trust
    from apiops.wiring import admin as admin_
    from apiops.wiring import gitledger, wrapkeys

    if gitledger.is_git(target):
        kept = gitledger.ref(target)
        with gitledger.taken_out(target, kept, new=True) as here:
            lineage = initialise(
                here, admin=admin, admin_key=admin_key, trust=trust, recipients=recipients
            )
            with manager(here) as opened:
                gitbook.face(opened, kept.keep).put("Begin the ledger")
        return lineage
    if owner is not None:
        migrate(target, owner)
    if target.key_file is None and not target.wrapping_key:
        with suppress(OSError):  # the database says what is wrong with its folder
            places.key_file(target).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return init.initialise(
        places.url(target),
        admin=admin_.name(admin),
        admin_key_line=admin_.public_key(admin_key),
        wrapping=wrapkeys.made(target, recipients=recipients),
        trust=Trust(trust),
        migrate=owner is None,
    )


def owner(target: TargetSettings, owner_url: str | None, role: str | None) -> Owner | None:
    """Who owns the tables, if somebody else than the Manager's own role does.

    Raises UsageError AO905 for a role without an owner, or that is the owner.
    """
    from apiops.manager import connect

    if not owner_url and not role:
        return None
    application = role or connect.parse(places.url(target)).username or ""
    if not owner_url or application in ("", connect.parse(owner_url).username):
        raise UsageError(
            "the owner of the tables and the role that the Manager runs as are two",
            code="AO905",
            hint="give --owner-url with the owner, and --app-role or a role in the Manager's URL",
        )
    return Owner(owner_url, application)


def migrate(target: TargetSettings, owner: Owner | None = None) -> str:
    """Bring the target's database to this version's schema; gives the schema's revision.

    With an `owner` the tables become theirs, and the target's own role gets what the running
    Manager needs: it cannot change the log, nor the walls around it.
    """
    from apiops.manager import gitbook, schema
    from apiops.wiring import gitledger

    if gitledger.is_git(target):
        kept = gitledger.ref(target)
        with gitledger.taken_out(target, kept) as here:
            revision = migrate(here)
            with manager(here) as opened:
                gitbook.face(opened, kept.keep).put(f"Migrate the ledger to {revision}")
        return revision
    if owner is None:
        return schema.migrate(places.url(target))
    return schema.migrate(owner.url, application_role=owner.application)
