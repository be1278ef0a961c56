"""Secrets that stay with their item when a list of a spec is put in another order.

A value is sealed for its place, so whoever moves it opens it to seal it again, in one transaction
and without anybody seeing it, as a rotation does.
"""

from collections.abc import Mapping

from sqlalchemy import Connection

from apiops.manager import fieldcrypt, state
from apiops.manager.fieldcrypt import Place
from apiops.manager.keyring import Ring
from apiops.manager.state import Held
from apiops.model.secret import SecretValue


def opened(
    connection: Connection, ring: Ring, row: Held, pointers: Mapping[str, str]
) -> dict[str, SecretValue]:
    """The values that go to another pointer; `pointers` are the new ones, each with the former.

    Raises SecretError for keys that are retired, and for damage.
    """
    held = {one.pointer: one for one in state.sealed(connection, row.key, pointers.values())}
    return {
        new: fieldcrypt.unseal(
            ring.opening_key(held[old].environment, held[old].kid),
            Place(held[old].environment, row.id.kind, row.key, old),
            held[old].token,
        )
        for new, old in pointers.items()
        if old in held
    }
