"""What a token may do on a vendor's Manager: asked before the first write, by `apiops doctor`.

The API has no dry run and shows nobody's rights (vendor document, 1.9 and 3.7). So what can be
asked without a trace is asked: every list in every project that the token sees, and what only
administrators may read. Whatever cannot be listed is not written either; of the rest it is said
which rights it takes, and `trial` asks for those by writes that can change nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from apiops.errors import ManagerError
from apiops.model.kinds import KINDS
from apiops.model.resource import JsonObject, ResourceId
from apiops.remote.vendor.api import Absent, Api, Forbidden, path, understood
from apiops.remote.vendor.codec import Codec, Place
from apiops.remote.vendor.reading import CODECS, OBSERVED, SYSTEM, codec_of
from apiops.remote.vendor.trial import DEPLOY, MANAGE, Right
from apiops.remote.vendor.unit import PEOPLE

Spot = tuple[str, str]
"""A kind and a project; "" stands for the System tier."""

_ADMIN: Final = "an administrator's token"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a token sees: the projects, the lists that it may not read, those that are not there."""

    projects: tuple[str, ...]
    forbidden: frozenset[Spot]
    absent: frozenset[Spot]

    @property
    def blind(self) -> tuple[str, ...]:
        """`CATEGORY.VIEW in PROJECT`, sorted."""
        rights = {(project, CODECS[kind].right) for kind, project in self.forbidden if project}
        return tuple(f"{right}.VIEW in {project}" for project, right in sorted(rights))

    @property
    def administrates(self) -> bool:
        """Whether it may read what belongs to no project."""
        return not any(not project for _kind, project in self.forbidden)

    def refused(self, wanted: Iterable[ResourceId]) -> tuple[str, ...]:
        """What of `wanted` no run can write, with the reason."""
        spots = sorted({(id.kind, id.project or "") for id in wanted})
        told = (self._refusal(kind, project) for kind, project in spots)
        hidden = {
            f"project {name}, which the token does not see"
            for name in {project for _kind, project in spots if project} - {*self.projects}
        }
        return (*sorted(hidden), *(one for one in told if one))

    def _refusal(self, kind: str, project: str) -> str:
        if kind in PEOPLE or kind in OBSERVED or (project and project not in self.projects):
            return ""
        where = f"{kind} in {project}" if project else kind
        codec = (CODECS if project else SYSTEM).get(kind)
        if codec is None:
            return f"{where}, which the API does not have"
        if (kind, project) in self.absent:
            return f"{where}, which this release does not list"
        if (kind, project) in self.forbidden:
            return f"{where}, which takes {f'{codec.right}.VIEW' if project else _ADMIN}"
        return ""


def healthy(api: Api) -> timedelta:
    """By how much the Manager's clock is ahead of ours, as far as it says.

    Raises ManagerError AO760 unless a Management API answers there, switched on.
    """
    said, ahead = api.text("/apiops/test/healthcheck", anonymous=True)
    if said.strip() != "OK":
        raise ManagerError(
            f"{api.address} does not answer as a Management API",
            code="AO760",
            hint="check the URL; an administrator may have switched the Management APIs off",
        )
    return ahead or timedelta()


def look(api: Api) -> Seen:
    """Try every list once in every project. Raises ManagerError for a token not accepted."""
    with understood("projects"):
        projects = tuple(sorted(row["name"] for row in api.items(path("projects"))))
    forbidden, absent = set(), set()
    for name in (*projects, ""):
        for codec in (CODECS if name else SYSTEM).values():
            try:
                _list(codec, Place(api, name))
            except Forbidden as fault:
                if fault.code == "AO761":
                    raise
                forbidden.add((codec.kind, name))
            except Absent:
                absent.add((codec.kind, name))
    return Seen(projects, frozenset(forbidden), frozenset(absent))


def rights(wanted: Mapping[ResourceId, JsonObject]) -> tuple[Right, ...]:
    """The rights that it takes to write all of it in its projects, sorted."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for id, spec in wanted.items():
        if id.project is None or codec_of(id) is None:
            continue
        category = CODECS[id.kind].right
        found.setdefault((id.project, category, MANAGE), set())
        where = [one["environment"] for one in spec.get("deployments") or ()]
        if KINDS[id.kind].deployable and where:
            found.setdefault((id.project, category, DEPLOY), set()).update(where)
    return tuple(Right(*key, tuple(sorted(where))) for key, where in sorted(found.items()))


def needs(wanted: Mapping[ResourceId, JsonObject]) -> tuple[str, ...]:
    """The same in words, project by project, with what belongs to none."""
    named: dict[str, list[str]] = {}
    for right in rights(wanted):
        named.setdefault(right.project, []).append(f"{right.category}.{right.action}")
    admin = any(id.project is None and codec_of(id) is not None for id in wanted)
    told = (f"{', '.join(sorted(found))} in {project}" for project, found in named.items())
    return (*([_ADMIN] if admin else []), *told)


def _list(codec: Codec, place: Place) -> None:
    with understood(f"{codec.kind} in {place.project or 'the System tier'}"):
        for _one in codec.found(place):
            break
