"""What a token may read of a vendor's Manager: asked before the first write, by `apiops doctor`.

Whether it may write cannot be asked: the API has no dry run and shows no rights. So every list is
tried, in every project that the token sees, and nothing is changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from apiops.errors import ManagerError
from apiops.remote.vendor.api import Api, Forbidden, path
from apiops.remote.vendor.codec import Codec, Place
from apiops.remote.vendor.reading import CODECS


@dataclass(frozen=True, slots=True)
class Seen:
    """What a token sees: the projects, and in each the rights that it lacks."""

    projects: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]

    @property
    def blind(self) -> tuple[str, ...]:
        """`CATEGORY.VIEW in PROJECT`, sorted."""
        return tuple(
            f"{right}.VIEW in {project}"
            for project, rights in sorted(self.missing.items())
            for right in rights
        )


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
    projects = tuple(sorted(row["name"] for row in api.items(path("projects"))))
    return Seen(projects, {name: tuple(_lacking(api, name)) for name in projects})


def _lacking(api: Api, project: str) -> Iterator[str]:
    for right, codecs in sorted(_by_right().items()):
        if not _may_list(Place(api, project), codecs):
            yield right


def _by_right() -> dict[str, list[Codec]]:
    rights: dict[str, list[Codec]] = {}
    for codec in CODECS.values():
        rights.setdefault(codec.right, []).append(codec)
    return rights


def _may_list(place: Place, codecs: Iterable[Codec]) -> bool:
    try:
        for codec in codecs:
            for _one in codec.found(place):
                break
    except Forbidden as fault:
        if fault.code == "AO761":
            raise
        return False
    return True
