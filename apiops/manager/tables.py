"""The embedded Manager's tables, for queries and statements.

SQLAlchemy Core metadata with types that SQLite and PostgreSQL share: JSON is canonical text (so
that what was hashed is what is stored), times are ISO 8601 text in UTC with microseconds (so that
they sort, and anyone can read them). The migrations create the tables; a test holds both equal.

Governed tables are audited row by row by database triggers. `attachment` and `snapshot` are
content-addressed: never changed, only added by an audited write. `former_secret` has what a changed
or removed row of `sealed` held: the database keeps it, for a while. `lease` is bookkeeping.
"""

from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from apiops.manager.fieldcrypt import SealedText
from apiops.model import canonical

SYSTEM_PROJECT: Final = ""
"""How the System tier stands in a `project` column, which is never NULL where it identifies."""

SEALED_CHECK: Final = "LIKE 'apf1.%.%'"
WRAPPED_CHECK: Final = "wrapped LIKE 'apf1.%.%' OR wrapped LIKE 'apw1.%.%'"

INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def instant(at: datetime) -> str:
    """A moment as it is stored: ISO 8601, UTC, microseconds, always 27 characters."""
    return at.astimezone(UTC).strftime(INSTANT)


def moment(stored: str) -> datetime:
    """The moment that `instant` wrote."""
    return datetime.strptime(stored, INSTANT).replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """A JSON tree as canonical text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """The text to store."""
        return None if value is None else canonical.encode(value).decode()

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        """The tree that was stored."""
        return None if value is None else orjson.loads(value)


class Instant(TypeDecorator[datetime]):
    """A moment as `instant` text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> str | None:
        """The text to store."""
        return None if value is None else instant(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """The moment that was stored."""
        return None if value is None else moment(value)


class Sealed(TypeDecorator[SealedText]):
    """A column that takes nothing but what `fieldcrypt.seal` made: plain text is a TypeError."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """The token's text."""
        if not isinstance(value, SealedText):
            raise TypeError("a sealed column accepts sealed text only")
        return value.token

    def process_literal_param(self, _value: Any, _dialect: Dialect) -> str:
        """Refused: a token is never written into the text of a statement."""
        raise TypeError("sealed text is always a bound parameter")

    def process_result_value(self, value: Any, _dialect: Dialect) -> SealedText | None:
        """The token as sealed text."""
        return None if value is None else SealedText(value)


metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    Column("lineage", Text, nullable=False),
    Column("trust", Text, nullable=False),
    Column("created", Instant, nullable=False),
)

resource = Table(
    "resource",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("spec", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("digest", Text, nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("owner", Text),
    # What the author had written when the owner's last run wrote it; NULL while it says the same.
    Column("applied", Json),
    UniqueConstraint("kind", "project", "name"),
    Index(None, "project"),
    Index("ix_resource_state", "kind", "project", "name", "digest", "serial"),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("document", Json, nullable=False),
)

attachment = Table(
    "attachment",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

sealed = Table(
    "sealed",
    metadata,
    Column("resource", Text, ForeignKey("resource.id"), primary_key=True),
    Column("pointer", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("token", Sealed, CheckConstraint(f"token {SEALED_CHECK}", name="token"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Index(None, "environment", "kid"),
)

former_secret = Table(
    "former_secret",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("pointer", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("token", Sealed, CheckConstraint(f"token {SEALED_CHECK}", name="token"), nullable=False),
    # Which run replaced or removed it, and when.
    Column("run", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "fingerprint"),
    Index("ix_former_secret_environment", "environment", "kid"),
)

deployment = Table(
    "deployment",
    metadata,
    Column("resource", Text, ForeignKey("resource.id"), primary_key=True),
    Column("environment", Text, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("persistent", Boolean),
    Column("digest", Text, ForeignKey("snapshot.digest"), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("serial", BigInteger, nullable=False),
    Index(None, "environment"),
)

applied = Table(
    "applied",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("commit", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("run", Text, nullable=False),
)

introduction = Table(
    "introduction",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("commit", Text, nullable=False),
    Column("approver", Text, nullable=False),
)

keyring = Table(
    "keyring",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column(
        "wrapped",
        Sealed,
        CheckConstraint(WRAPPED_CHECK, name="wrapped"),
        nullable=False,
    ),
    Column("created", Instant, nullable=False),
    # Of a key pair: the half that everybody may see, and until when what it signed counts.
    Column("public", Text),
    Column("until", Instant),
    CheckConstraint("purpose IN ('seal', 'digest', 'sign', 'checkpoint')", name="purpose"),
    CheckConstraint("state IN ('pending', 'active', 'retiring', 'retired')", name="state"),
    Index(
        "uq_keyring_active",
        "environment",
        "purpose",
        unique=True,
        # On PostgreSQL too (0001); to say so here would load that dialect in every run.
        sqlite_where=text("state = 'active'"),
    ),
)

access_token = Table(
    "access_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("principal", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("hash", Text, CheckConstraint("length(hash) = 64", name="hash"), nullable=False),
    Column("maker", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("environment", Text),
    Column("repository", Text),
    Column("revoked", Instant),
    CheckConstraint("kind IN ('person', 'service', 'worker')", name="kind"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False, unique=True),
    Column("expires", Instant, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("began", Instant, nullable=False),
    Column("ended", Instant),
    Column("result", Text),
    Column("settled", Instant),
    Column("former", Text),
    Index("ix_journal_unsettled", "repository", "target", "settled"),
)
"""Calls to a remote Manager: a row before each, its end after it. Bookkeeping, like `lease`."""

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kind", Text),
    Column("project", Text),
    Column("name", Text),
    Column("environment", Text),
    Column("outcome", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("note", Text),
    Column("reason", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index(None, "at"),
    Index(None, "principal"),
    Index(None, "run"),
    Index(None, "project", "kind", "name"),
)

audit_event = Table(
    "audit_event",
    MetaData(),
    Column("action", Text),
    Column("kind", Text),
    Column("project", Text),
    Column("name", Text),
    Column("environment", Text),
    Column("outcome", Text),
    Column("before", Text),
    Column("after", Text),
    Column("note", Text),
)
"""A view: what is inserted here, the database turns into the next audit entry of the ticket."""

GOVERNED: Final = (
    *(meta, resource, sealed, deployment, applied, introduction, keyring),
    access_token,
)
"""Tables of which every changed row has exactly one audit entry."""

FINGERPRINTED: Final = ("token", "wrapped", "hash")
"""Columns that never appear in an audit entry: the fingerprint or key id beside them does."""
