"""The table of kinds, a module per family: facts about kinds, without their models."""

from typing import Final

from apiops.model.kinds.table import (
    ai,
    client,
    connection,
    keys,
    people,
    policy,
    proxy,
    settings,
    system,
)

ROWS: Final = (
    *system.KINDS,
    *people.KINDS,
    *settings.KINDS,
    *keys.KINDS,
    *connection.KINDS,
    *ai.KINDS,
    *policy.KINDS,
    *proxy.KINDS,
    *client.KINDS,
)
"""Every kind, by family."""
