"""The Manager's beginning: tables, keys, identity, and the first system admin."""

import uuid
from pathlib import Path

from apiops.errors import UsageError
from apiops.manager import connect, embedded, faults, providers, schema, state
from apiops.manager.keyring import ROOT, Ring
from apiops.manager.state import Held
from apiops.manager.store import Clock, Store
from apiops.manager.wrapping import Provider
from apiops.model import sshkey
from apiops.model.access import Tier, Trust
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.resource import ResourceId, state_digest


def initialise(
    url: str,
    *,
    admin: str,
    admin_key_line: str,
    key_file: Path | None = None,
    wrapping: Provider | None = None,
    trust: Trust = Trust.SIGNED,
    clock: Clock = embedded.now,
    migrate: bool = True,
) -> str:
    """Make a Manager in the database `url`; gives its lineage.

    `admin` becomes the first User, a system admin who signs with the public key in
    `admin_key_line` (OpenSSH). `key_file` is made if it is absent, unless `wrapping` gives a
    wrapping key from elsewhere. Without `migrate` the tables must be there: another role owns
    them. Raises StoreError for a database that holds a Manager already, SecretError for the key
    file, UsageError for the key or the URL, ManagerUnavailable.
    """
    line = _public_key(admin_key_line)
    parsed = connect.parse(url)
    if migrate:
        schema.migrate(url)
    with faults.translated(parsed):
        _refuse_second(url)
        lineage = uuid.uuid4().hex
        provide = wrapping or providers.made_file(key_file or Path())
        ring = Ring(provide(lineage), lineage, ())
        store = Store(connect.writer(parsed), clock)
        try:
            with store.unit(_context(admin, lineage)) as unit:
                unit.found(lineage, trust, _user(admin, line))
                unit.add_key(ring.make(ROOT, "digest", clock()))
        finally:
            store.close()
    return lineage


def _refuse_second(url: str) -> None:
    """Before a key file is made, so that a mistaken second call leaves nothing behind."""
    reading = connect.reader(connect.parse(url))
    try:
        with reading.connect() as connection:
            if state.identity(connection) is not None:
                raise faults.already_initialised()
    finally:
        reading.dispose()


def _public_key(text: str) -> str:
    line = text.strip()
    try:
        sshkey.fingerprint(line)
    except ValueError as fault:
        raise UsageError(
            f"the admin's key cannot be used: {fault}",
            code="AO731",
            hint="give the public key as one line, as in ~/.ssh/id_ed25519.pub",
        ) from None
    return line


def _user(admin: str, line: str) -> Held:
    spec = {"systemRoles": ["sysAdmin", "sysProjectManager"], "keys": [{"key": line}]}
    return Held(
        key=str(uuid.uuid4()),
        id=ResourceId("User", None, admin),
        spec=spec,
        labels={},
        protected=False,
        digest=state_digest(spec, {}),
        serial=1,
        owner=None,
        applied=None,
    )


def _context(admin: str, lineage: str) -> AuditContext:
    return AuditContext(
        actor=admin,
        principal=admin,
        reason=Reason(text="Initialise the Manager"),
        run=f"init-{lineage[:12]}",
        source=Source.INIT,
        tier=Tier.SYSTEM.value,
    )
