"""Names in manifests for what the Manager knows by an id alone (vendor document, 2.2).

A release that shows no id of a thing cannot be told which one is meant: a list of names for IP
groups would let in, or keep out, nobody. So that is refused before anything is sent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.resource import JsonObject
from apiops.remote.vendor.codec import Job, Place


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is meant, the segment of its list, and what to do where that list shows no ids."""

    called: str
    segment: str
    hint: str


_GROUP: Final = _Kind(
    "IP group",
    "ipGroups",
    "write the addresses into a condition of the policy, or set this policy in the console and "
    "leave it out here",
)
_JWK: Final = _Kind("JWK", "jwks", "set this policy in the console and leave it out here")
_PROVIDER: Final = _Kind("LLM provider", "llm-providers", "set this routing in the console")
_FIELDS: Final = {
    "ipGroupIdList": _GROUP,
    "jwkIdForValidationAndSign": _JWK,
    "jwkIdForDecryptionAndEncryption": _JWK,
    "semanticEmbeddingProviderRef": _PROVIDER,
}
"""Fields, wherever they stand, whose values are ids for the Manager and names for manifests."""


def with_ids(job: Job) -> Job:
    """The same job with ids to send. Raises ManagerError AO766 for a name that has none."""
    wanted = {kind.segment: kind for kind, _ in _meant(job.plain)}
    ids = {segment: _ids(job.place.rows(segment)) for segment in wanted}
    for kind, name in _meant(job.plain):
        if not _id(ids[kind.segment], name):
            raise ManagerError(
                f"{job.id} names the {kind.called} {name}, whose id the Manager does not show",
                code="AO766",
                hint=kind.hint,
            )
    if not ids:
        return job
    return replace(job, plain=_replaced(job.plain, lambda kind, one: _id(ids[kind.segment], one)))


def with_names(place: Place, raw: JsonObject) -> JsonObject:
    """What was read, with names for the ids that are known."""
    names = {
        segment: {row["id"]: row["name"] for row in place.read(segment) if row.get("id")}
        for segment in {kind.segment for kind, _ in _meant(raw)}
    }
    if not names:
        return raw
    found: JsonObject = _replaced(raw, lambda kind, one: names[kind.segment].get(one, one))
    return found


def _ids(rows: Iterable[JsonObject]) -> dict[str, str]:
    return {row["name"]: row["id"] for row in rows if row.get("id")}


def _id(ids: Mapping[str, str], name: str) -> str:
    """By the very name, or else by one that differs in case (1.7); empty for none."""
    folded = (id for other, id in ids.items() if other.casefold() == name.casefold())
    return ids.get(name) or next(folded, "")


def _meant(node: Any) -> Iterator[tuple[_Kind, str]]:
    """Each value of such a field, in order."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in _FIELDS:
                many = value if isinstance(value, list | tuple) else (value,)
                yield from ((_FIELDS[key], one) for one in many if isinstance(one, str) and one)
            else:
                yield from _meant(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _meant(item)


def _replaced(node: Any, other: Callable[[_Kind, str], str]) -> Any:
    if isinstance(node, Mapping):
        return {
            key: _field(_FIELDS[key], value, other) if key in _FIELDS else _replaced(value, other)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_replaced(item, other) for item in node]
    return node


def _field(kind: _Kind, value: Any, other: Callable[[_Kind, str], str]) -> Any:
    if isinstance(value, list | tuple):
        return [other(kind, one) for one in value]
    return other(kind, value) if isinstance(value, str) and value else value
