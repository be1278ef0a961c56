"""The live state of a vendor's Manager: lists per project and kind, details where lists are silent.

Everything that is read is settled with the book, so that the plan sees a difference only where
there is one. Calls go in parallel, as many at once as the pace allows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from apiops.errors import ManagerError
from apiops.model.kinds import KINDS, Kind
from apiops.model.resource import (
    JsonObject,
    LiveResource,
    ResourceId,
)
from apiops.plan import graph, settle
from apiops.ports import Begun, Live
from apiops.remote.vendor import live
from apiops.remote.vendor.ai import Providers
from apiops.remote.vendor.api import Absent, Api, Forbidden, path, understood
from apiops.remote.vendor.budgets import Budgets
from apiops.remote.vendor.codec import Codec, Found, Place
from apiops.remote.vendor.groups import GROUPED
from apiops.remote.vendor.identity import Credentials
from apiops.remote.vendor.named import NAMED
from apiops.remote.vendor.organizations import Organizations
from apiops.remote.vendor.proxies import Proxies
from apiops.remote.vendor.shared import Certificates, Connections, IpGroups, Listed, Variables
from apiops.remote.vendor.system import GatewaySettings, Geolocation

CODECS: Final[dict[str, Codec]] = {
    codec.kind: codec
    for codec in (
        *(Variables(), IpGroups(), Certificates(), Connections()),
        *(Providers(), Proxies(), Credentials(), Organizations(), Budgets()),
        *NAMED,
        *GROUPED,
    )
}
"""Kind → its adapter in a project. Kinds without one the API cannot manage."""

SYSTEM: Final[dict[str, Codec]] = {
    codec.kind: codec for codec in (GatewaySettings(), Geolocation(), CODECS["AiPreset"])
}
"""Kind → its adapter where there is no project; that takes an administrator's token."""

OBSERVED: Final = {"Project": "projects", "Environment": "environments"}
"""Kinds that the API shows and cannot change (2.4)."""

READ_BY_BOOK: Final = frozenset(
    codec.kind
    for codec in (*CODECS.values(), *SYSTEM.values())
    if not isinstance(codec, Listed) or codec.asks or codec.recalls
) | frozenset(OBSERVED)
"""Kinds of which other things are asked, or found, for what the book has of them."""

_OBSERVED_FIELDS: Final = {"Project": ("description",), "Environment": ("description", "type")}
_One = TypeVar("_One")
_Other = TypeVar("_Other")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the live resources, the places, and why the token may not list some kinds.

    `hidden` is what unsettled resources had before, as far as the API does not show it; `renamed`
    is what has its new name already and in the book still the former one.
    """

    resources: Mapping[ResourceId, LiveResource]
    places: Mapping[str, Place]
    observed: frozenset[ResourceId]
    hidden: Mapping[ResourceId, JsonObject]
    renamed: Mapping[ResourceId, ResourceId]
    blind: Mapping[tuple[str, str], ManagerError] = field(default_factory=dict)


@dataclass(slots=True)
class _Seen:
    """What the threads bring home."""

    found: list[tuple[Codec, Place, Found]] = field(default_factory=list)
    blind: dict[tuple[str, str], ManagerError] = field(default_factory=dict)


def read(
    api: Api,
    book: Live,
    unsettled: Mapping[ResourceId, Begun],
    repository: str,
    among: Collection[ResourceId] | None = None,
) -> Reading:
    """Read everything that the token may see. Raises ManagerError and its kin.

    With `among` nothing is made of what is read of any other resource that the API can manage, and
    of the book's there need be no more than these and those `needed`.
    """
    held = {resource.id: resource for resource in book.resources}
    with understood("projects"):
        projects = {row["name"]: row for row in api.items(path("projects"))}
    known = _by_project(held, unsettled)
    places = {
        name: Place(api, name, _prefix(row), known.get(name, {})) for name, row in projects.items()
    }
    places[""] = Place(api, "", "", known.get("", {}))
    with understood("projects and environments"):
        observed = _observed(api, projects, held)
    seen = _listed(api, places)
    renamed = _renamed(seen, held, unsettled)
    for id, former in renamed.items():
        held[id] = replace(held.pop(former), id=id)
    written = {id: one.spec for id, one in held.items() if id not in unsettled}
    facts = _Known(held, written, unsettled, repository, among)
    there = {one.id: one for one in _details(api.most, facts, seen.found) if one is not None}
    there |= {id: one for id, one in held.items() if not codec_of(id) and _there(id, observed)}
    return Reading(there, places, frozenset(observed), facts.hidden, renamed, seen.blind)


def needed(unsettled: Mapping[ResourceId, Begun]) -> Iterator[ResourceId]:
    """What is read with the book's help, whatever was asked for: what a run left open."""
    for id, begun in unsettled.items():
        yield id
        if begun.former is not None:
            yield begun.former


def codec_of(id: ResourceId) -> Codec | None:
    """The adapter that reads and writes it; None for what the API cannot manage."""
    return (SYSTEM if id.project is None else CODECS).get(id.kind)


def _prefix(row: JsonObject) -> str:
    return row.get("relativePath") or "" if row.get("enableRelativePath") else ""


def _by_project(
    held: Mapping[ResourceId, LiveResource], unsettled: Iterable[ResourceId]
) -> dict[str, dict[str, dict[str, JsonObject]]]:
    """What the book has, project by project and kind by kind: an empty spec for what is only
    intended.
    """
    found: dict[str, dict[str, dict[str, JsonObject]]] = {}
    for id in (*held, *(id for id in unsettled if id not in held)):
        spec = held[id].spec if id in held else {}
        found.setdefault(id.project or "", {}).setdefault(id.kind, {})[id.name] = spec
    return found


def _there(id: ResourceId, observed: Iterable[ResourceId]) -> bool:
    return id.kind not in OBSERVED or id in observed


def _observed(
    api: Api, projects: Mapping[str, JsonObject], held: dict[ResourceId, LiveResource]
) -> set[ResourceId]:
    """Projects and environments that there are; what the book has of them is settled in place."""
    rows: dict[str, Sequence[JsonObject]] = {
        "Project": tuple(projects.values()),
        "Environment": _environments(api, projects),
    }
    observed: set[ResourceId] = set()
    for kind, items in rows.items():
        for row in items:
            id = ResourceId(kind, None, row["name"])
            observed.add(id)
            book = held.get(id)
            seen = {name: row.get(name) for name in _OBSERVED_FIELDS[kind]}
            spec = settle.settle(KINDS[kind], book.spec if book else None, seen)
            held[id] = live.resource(id, spec, book, ())
    return observed


def _environments(api: Api, projects: Mapping[str, JsonObject]) -> list[dict[str, Any]]:
    """All of them; who is no admin sees those that a project reaches (1.10 #14)."""
    try:
        return api.items(path("environments"))
    except Forbidden:
        first = next(iter(projects), None)
        return api.items(path("projects", first, "environments")) if first else []


def _listed(api: Api, places: Mapping[str, Place]) -> _Seen:
    """Every list of every project; one that is forbidden counts as empty, and as `blind`."""
    seen = _Seen()
    pairs = [
        (codec, place)
        for name, place in places.items()
        for codec in (CODECS if name else SYSTEM).values()
    ]

    def listed(pair: tuple[Codec, Place]) -> list[tuple[Codec, Place, Found]]:
        codec, place = pair
        try:
            with understood(f"{codec.kind} in {place.project or 'the System tier'}"):
                return [(codec, place, _named(one)) for one in codec.found(place)]
        except (Forbidden, Absent) as fault:
            if fault.code == "AO761":
                raise
            seen.blind[codec.kind, place.project] = fault
            return []

    for found in _each(api.most, listed, pairs):
        seen.found += found
    return _without_shared(seen)


def _named(one: Found) -> Found:
    """The same. Raises TypeError, ValueError if what stands for a name is none."""
    if not str.strip(one.name):
        raise ValueError("a name has letters")
    return one


def _renamed(
    seen: _Seen, held: Mapping[ResourceId, LiveResource], unsettled: Mapping[ResourceId, Begun]
) -> dict[ResourceId, ResourceId]:
    """What a run gave its new name before it died: that is there, and the former one is not.

    Otherwise the book's row would stay, and whoever made one of the former name would lose it.
    """
    formers = {id: begun.former for id, begun in unsettled.items() if begun.former is not None}
    if not formers:
        return {}
    there = {graph.fold(_shown(*one)) for one in seen.found}
    return {
        id: former
        for id, former in formers.items()
        if former in held and id not in held
        if graph.fold(id) in there and graph.fold(former) not in there
    }


def _without_shared(seen: _Seen) -> _Seen:
    """Projects list the presets of the System tier among their own (2.19)."""
    shared = {one.raw.get("id") for _, place, one in seen.found if not place.project} - {None}
    seen.found = [
        (codec, place, one)
        for codec, place, one in seen.found
        if not place.project or one.raw.get("id") not in shared
    ]
    return seen


def _each(most: int, work: Callable[[_One], _Other], items: Sequence[_One]) -> Iterator[_Other]:
    """In parallel, in order; the first error ends it."""
    with ThreadPoolExecutor(max_workers=most, thread_name_prefix="apiops-read") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the book has, and whose an unrecorded thing is."""

    held: Mapping[ResourceId, LiveResource]
    written: Mapping[ResourceId, JsonObject]
    unsettled: Mapping[ResourceId, Begun]
    repository: str
    among: Collection[ResourceId] | None = None
    hidden: dict[ResourceId, JsonObject] = field(default_factory=dict)


_Item = tuple[Codec, Place, Found]


def _details(most: int, known: _Known, found: Sequence[_Item]) -> Iterator[LiveResource | None]:
    """All of them; in parallel those that take another request, for only these wait."""
    asking = [one for one in found if not isinstance(one[0], Listed) or one[0].asks]
    told = [
        one
        for one in found
        if isinstance(one[0], Listed) and not one[0].asks and _may_be_wanted(known, one)
    ]
    yield from _each(most, partial(_understood, known), asking)
    yield from map(partial(_understood, known), told)


def _shown(codec: Codec, place: Place, one: Found) -> ResourceId:
    return ResourceId(codec.kind, place.project or None, one.name)


def _may_be_wanted(known: _Known, listed: _Item) -> bool:
    """Whether it may be one of those that something is made of, as far as its name says."""
    if known.among is None or KINDS[listed[0].kind].folds_case:
        return True
    return _shown(*listed) in known.among


def _understood(known: _Known, listed: _Item) -> LiveResource | None:
    with understood(str(_shown(*listed))):
        return _detail(known, listed)


def _detail(known: _Known, listed: _Item) -> LiveResource | None:
    codec, place, one = listed
    kind = KINDS[codec.kind]
    id = _known_id(known, _shown(codec, place, one), folds=kind.folds_case)
    written = known.written.get(id)
    one = codec.detailed(place, one, written)
    if known.among is not None and id not in known.among:
        return None
    seen = codec.seen(place, one, written)
    spec: JsonObject = settle.settle(kind, written, seen)
    book, begun = known.held.get(id), known.unsettled.get(id)
    if book is not None and begun is not None and not begun.anew:
        spec = _with_immutable(kind, spec, book.spec)
    found = live.resource(id, spec, book, live.running(one, book, spec))
    if begun is None:
        return found
    owner = known.repository if book is None else book.owner
    if book is not None:
        known.hidden[id] = settle.settle(kind, book.spec, seen)
    return replace(found, owner=owner, unsettled=True)


def _with_immutable(kind: Kind, spec: JsonObject, book: JsonObject) -> JsonObject:
    """With what no update changes, where the API does not show it: it is as it was written."""
    whole: dict[str, Any] = dict(spec)
    for dotted in kind.immutable:
        top, _, inner = dotted.partition(".")
        if not inner and top in book:
            whole.setdefault(top, book[top])
        elif inner in (book.get(top) or {}):
            whole[top] = {inner: book[top][inner], **(whole.get(top) or {})}
    return whole


def _known_id(known: _Known, id: ResourceId, *, folds: bool) -> ResourceId:
    """The name as it was written, where the Manager takes any case for the same."""
    if id in known.held or not folds:
        return id
    twins = (
        other
        for other in known.held
        if (other.kind, other.project) == (id.kind, id.project)
        and other.name.casefold() == id.name.casefold()
    )
    return next(twins, id)


def blind_to(kind: str, project: str) -> ManagerError:
    """The refusal to write what cannot be listed."""
    if not project:
        return ManagerError(
            f"the token may not list {kind} of the System tier, so nothing of it is written",
            code="AO762",
            hint="use the token of an administrator, or describe it for another target",
        )
    right = CODECS[kind].right
    return ManagerError(
        f"the token may not list {kind} in {project}, so nothing of it is written",
        code="AO762",
        hint=f"give the token's user {right} VIEW and MANAGE in {project}, in the console",
    )


def observed_fields(kind: str) -> tuple[str, ...]:
    """The fields that the API shows of a kind that it cannot change."""
    return _OBSERVED_FIELDS[kind]
