"""Values of the model as rows of the tables, for the store."""

from typing import Any, Final

from apiops.manager.state import Held
from apiops.manager.tables import SYSTEM_PROJECT

RUNNING: Final = ("active", "persistent", "digest", "revision", "serial")
KEY: Final = ("environment", "purpose", "kid", "state", "wrapped", "created", "public", "until")
TOKEN: Final = (
    *("id", "principal", "name", "kind", "scopes", "maker"),
    *("created", "expires", "environment", "repository"),
)


def columns(held: Held) -> dict[str, Any]:
    """A resource's own row."""
    return {
        "kind": held.id.kind,
        "project": held.id.project or SYSTEM_PROJECT,
        "name": held.id.name,
        "spec": held.spec,
        "labels": held.labels,
        "protected": held.protected,
        "digest": held.digest,
        "serial": held.serial,
        "owner": held.owner,
        "applied": held.applied,
    }


def document(held: Held) -> dict[str, Any]:
    """What is kept of a resource when it is deployed."""
    return {"spec": held.spec, "labels": held.labels}
