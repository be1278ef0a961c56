"""Former secrets: sealed values that a write replaced or took away, and how they come back.

The database keeps them itself (migrations/sql/0006). They are found by fingerprint, which says what
the value was and where it stood, and are opened only to be sealed again at that place, for the same
environment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, select

from apiops.manager import fieldcrypt, secretfields, tables
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import Ring
from apiops.model.secret import SecretValue
from apiops.ports import Batch, Write

KEEPS: Final = 20
"""For how many runs a Manager keeps what they replaced or took away, if nobody says otherwise."""

_CHUNK: Final = 500


def known(connection: Connection, fingerprints: Iterable[str]) -> frozenset[str]:
    """Of these fingerprints, those whose value is kept."""
    wanted, row = sorted(set(fingerprints)), tables.former_secret.c
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        here = row.fingerprint.in_(wanted[start : start + _CHUNK])
        found.update(connection.execute(select(row.fingerprint).where(here)).scalars())
    return frozenset(found)


def completed(connection: Connection, ring: Ring, batch: Batch) -> Batch:
    """A person's own batch, with the kept values of the secrets that it names by fingerprint.

    A commit's batch is given back as it is: what it writes lies in the repository. Raises
    SecretError for a value that does not open.
    """
    if batch.head is not None:
        return batch
    return replace(
        batch, writes=tuple(_completed(connection, ring, write) for write in batch.writes)
    )


def _completed(connection: Connection, ring: Ring, write: Write) -> Write:
    if write.resource is None:
        return write
    wanted = {
        leaf.fingerprint: (pointer, leaf.environment)
        for pointer, leaf in secretfields.leaves(write.resource.spec).items()
        if leaf.fingerprint and pointer not in write.secrets
    }
    return replace(write, secrets={**_opened(connection, ring, wanted), **write.secrets})


def _opened(
    connection: Connection, ring: Ring, wanted: Mapping[str, tuple[str, str]]
) -> dict[str, SecretValue]:
    row = tables.former_secret.c
    values: dict[str, SecretValue] = {}
    if not wanted:
        return values
    for one in connection.execute(
        select(tables.former_secret).where(row.fingerprint.in_(sorted(wanted)))
    ):
        if wanted[one.fingerprint] == (one.pointer, one.environment):
            place = Place(one.environment, one.kind, one.resource, one.pointer)
            key = ring.opening_key(one.environment, one.kid)
            values[one.pointer] = fieldcrypt.unseal(key, place, one.token)
    return values
