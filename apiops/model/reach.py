"""What a resource says for each environment: the values of a variable, a certificate per place.

One write carries all of it, whatever environment its plan is for, so a right that is limited to one
environment must not change what is said for another. Deployments are changes of their own and do
not stand here.
"""

from collections.abc import Mapping
from typing import Any

from apiops.model.kinds import KINDS
from apiops.model.resource import JsonObject, state_digest

_ENVIRONMENT = "Environment"


def parts(kind: str, spec: JsonObject) -> dict[str, list[Any]]:
    """Environment → what the spec says for it; all of the spec, if it is for one environment."""
    found: dict[str, list[Any]] = {}
    for reference in KINDS[kind].references if kind in KINDS else ():
        if reference.kind != _ENVIRONMENT or "*" in reference.path:
            continue
        named = _at(spec, reference.path)
        if reference.key and isinstance(named, Mapping):
            for environment, part in named.items():
                found.setdefault(environment, []).append(part)
        elif isinstance(named, str) and named:
            found.setdefault(named, []).append(spec)
    return found


def unlike(kind: str, before: JsonObject, after: JsonObject) -> list[str]:
    """The environments for which two specs (empty: there is none) say something else."""
    was, now = parts(kind, before), parts(kind, after)
    return sorted(
        environment
        for environment in was.keys() | now.keys()
        if state_digest({"said": was.get(environment)}, {})
        != state_digest({"said": now.get(environment)}, {})
    )


def _at(spec: JsonObject, path: str) -> Any:
    node: Any = spec
    for name in path.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
