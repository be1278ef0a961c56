"""Names in manifests for what the Manager knows by an id alone (vendor document, 2.2).

IP groups in policies: a release that shows no id of a group cannot be told which one is meant, and
a list of names would let in, or keep out, nobody. So that is refused before anything is sent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.resource import JsonObject
from apiops.remote.vendor.codec import Job, Place

_FIELD: Final = "ipGroupIdList"


def with_ids(job: Job) -> Job:
    """The same job with ids to send. Raises ManagerError AO766 for a group that has none."""
    names = set(_listed(job.plain))
    if not names:
        return job
    ids = {row["name"]: row["id"] for row in job.place.ip_groups() if row.get("id")}
    missing = sorted(names - ids.keys())
    if missing:
        raise ManagerError(
            f"{job.id} names the IP group {missing[0]}, whose id the Manager does not show",
            code="AO766",
            hint="write the addresses into a condition of the policy, or set this policy in the "
            "console and leave it out here",
        )
    return replace(job, plain=_replaced(job.plain, lambda name: ids[name]))


def with_names(place: Place, raw: JsonObject) -> JsonObject:
    """What was read, with names for the ids that are known."""
    if not any(True for _ in _listed(raw)):
        return raw
    names = {row["id"]: row["name"] for row in place.ip_groups_read() if row.get("id")}
    found: JsonObject = _replaced(raw, lambda one: names.get(one, one))
    return found


def _listed(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from node.get(_FIELD) or ()
        node = list(node.values())
    if isinstance(node, list | tuple):
        for item in node:
            yield from _listed(item)


def _replaced(node: Any, other: Callable[[str], str]) -> Any:
    if isinstance(node, Mapping):
        return {
            key: [other(one) for one in value or ()] if key == _FIELD else _replaced(value, other)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_replaced(item, other) for item in node]
    return node
