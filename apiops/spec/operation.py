"""The target's own settings, where they lie in the repository: judged like all the rest.

`apiops.toml` is the operator's, but beside the specifications anybody who commits there can write
it. What it says of the target (its environment above all: limited rights are judged by it) is
therefore a resource of the System tier for whoever judges, and nothing that is ever written.
"""

import tomllib

from apiops.model import canonical
from apiops.model.resource import SETTINGS, ResourceId, Target
from apiops.model.revision import Snapshot


def identity(target: Target) -> ResourceId:
    """As what the settings of a target are judged."""
    return ResourceId(SETTINGS, None, target.name)


def content(snapshot: Snapshot, target: Target) -> str | None:
    """The digest of what the settings say of the target; None if they do not lie in there.

    What cannot be read as settings is like nothing else: its bytes count.
    """
    file = snapshot.files.get(target.settings) if target.settings else None
    if file is None:
        return None
    try:
        tree = tomllib.loads(snapshot.read(file.blob).decode())
    except (ValueError, RecursionError):
        return file.blob
    tables = tree.get("targets")
    table = tables.get(target.name) if isinstance(tables, dict) else None
    return canonical.digest({"table": repr(table)})
