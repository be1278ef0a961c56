"""What the adapter of a kind gives and takes.

A codec reads what the Manager shows as manifests say it, and carries out one change as calls. It
sees specs in which secrets are leaves, to compare, and the same specs with plaintexts, to send.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from apiops.errors import ManagerError, SecretError
from apiops.model import canonical
from apiops.model.resource import JsonObject, ResourceId
from apiops.model.secret import SecretLeaf, SecretValue, leaf_of
from apiops.remote.vendor.api import Api, Unknown, path
from apiops.spec import catalog

TRIES: Final = 3
"""How often a call is sent whose answers get lost."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that the Manager has. `raw` is as it came; `running` says of each environment in
    which it is deployed whether what runs there is what is saved.
    """

    name: str
    raw: JsonObject
    running: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A project as the Manager shows it; `path` stands before the routes of its proxies, `known` is
    what the book says of it: kind → name → spec. Threads may share it.
    """

    api: Api
    project: str
    path: str = ""
    known: Mapping[str, Mapping[str, JsonObject]] = field(default_factory=dict)
    _read: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False, compare=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def rows(self, segment: str) -> list[dict[str, Any]]:
        """What a list of the project has now."""
        return self.api.items(path("projects", self.project, segment))

    def read(self, segment: str) -> list[dict[str, Any]]:
        """The same, asked for once: for reading, in which all proxies mean the same things."""
        with self._turn:
            if segment not in self._read:
                self._read[segment] = self.rows(segment)
            return self._read[segment]


class Missing:
    """Stands in a spec to be sent where a secret's plaintext was not given."""


MISSING: Final = Missing()


class Journal(Protocol):
    """Where each call is written down before it is sent, and again when its end is known."""

    def intend(self, call: str) -> str:
        """A call is about to be sent; gives its number."""

    def end(self, number: str, result: str) -> None:
        """What became of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One change of one thing. `before` is the live spec ({} for none), `after` what it shall be
    (with leaves), `plain` the same with plaintexts as text, `secrets` those by pointer, `files` the
    bytes by SHA-256.
    """

    place: Place
    id: ResourceId
    before: JsonObject
    after: JsonObject
    plain: JsonObject = field(repr=False)
    journal: Journal = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, SecretValue] = field(default_factory=dict, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def api(self) -> Api:
        """The Manager's."""
        return self.place.api

    def differs(self, *keys: str) -> bool:
        """Whether one of these fields (dotted) is to change."""
        return any(not same(at(self.before, key), at(self.after, key)) for key in keys)

    def send(self, method: str, where: str, body: Any = None, **more: Any) -> Any:
        """A call that may be repeated without harm: once more if its answer gets lost."""
        _whole(body, self.id)
        number = self.journal.intend(f"{method} {where}")
        for attempt in range(1, TRIES + 1):
            try:
                tree = self.api.call(method, where, body, again=True, hidden=self.hidden, **more)
            except Unknown as lost:
                if attempt == TRIES:
                    self.journal.end(number, f"unknown: {lost.code}")
                    raise
            except ManagerError as fault:
                self.journal.end(number, f"failed: {fault.code}")
                raise
            else:
                self.journal.end(number, "done")
                return tree
        raise AssertionError("the loop returns or raises")

    def make(self, method: str, where: str, body: Any, there: Callable[[], bool]) -> Any:
        """A call that must not be carried out twice: when its answer gets lost, `there` looks
        whether it was, before it is sent again. Gives None when it was found done.
        """
        _whole(body, self.id)
        number = self.journal.intend(f"{method} {where}")
        for attempt in range(1, TRIES + 1):
            try:
                tree = self.api.call(method, where, body, again=False, hidden=self.hidden)
            except Unknown as lost:
                if there():
                    self.journal.end(number, "done: found after its answer got lost")
                    return None
                if attempt == TRIES:
                    self.journal.end(number, f"unknown: {lost.code}")
                    raise
            except ManagerError as fault:
                self.journal.end(number, f"failed: {fault.code}")
                raise
            else:
                self.journal.end(number, "done")
                return tree
        raise AssertionError("the loop returns or raises")


class Codec(Protocol):
    """The adapter of one kind."""

    @property
    def kind(self) -> str:
        """The kind's name."""

    @property
    def right(self) -> str:
        """The category of rights that it needs (vendor document, 3.1)."""

    def found(self, place: Place) -> Iterable[Found]:
        """All of them in a project, by as few calls as there can be."""

    def detailed(self, place: Place, one: Found, written: JsonObject | None) -> Found:
        """The same with what lists do not show; the same object where they show all."""

    def seen(self, place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """What the Manager shows of it, as manifests say it (see `plan.settle`)."""

    def create(self, job: Job) -> None:
        """Make it."""

    def update(self, job: Job) -> None:
        """Change it from `before` to `after`."""

    def delete(self, job: Job) -> None:
        """Take it away."""


def plain(node: Any, secrets: Mapping[str, SecretValue], pointer: str = "") -> Any:
    """A spec to send: plaintexts where leaves stand, `MISSING` where one was not given."""
    if leaf_of(node) is not None:
        value = secrets.get(pointer)
        return MISSING if value is None else value.reveal().decode("utf-8", "replace")
    if isinstance(node, Mapping):
        return {key: plain(v, secrets, f"{pointer}/{_step(key)}") for key, v in node.items()}
    if isinstance(node, list | tuple):
        return [plain(item, secrets, f"{pointer}/{index}") for index, item in enumerate(node)]
    return node


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _whole(body: Any, id: ResourceId) -> None:
    if any(node is MISSING for node in _walk(body)):
        raise SecretError(
            f"{id} has a secret whose value was not given",
            code="AO726",
            hint="apply with an age identity that opens the file it stands in",
        )


def _walk(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _walk(value)


def at(spec: Any, dotted: str) -> Any:
    """The value at a dotted path; None for nothing."""
    for key in dotted.split("."):
        spec = spec.get(key) if isinstance(spec, Mapping) else None
    return spec


def same(one: Any, other: Any) -> bool:
    """Whether two trees are equal, secrets by fingerprint; an unopened secret equals nothing."""
    return canonical.encode(_printed(one)) == canonical.encode(_printed(other))


def _printed(node: Any) -> Any:
    leaf = leaf_of(node)
    if leaf is not None:
        return {"$secret": leaf.fingerprint or f"unopened {leaf.cipher}"}
    if isinstance(node, Mapping):
        return {key: _printed(value) for key, value in node.items() if value is not None}
    if isinstance(node, list | tuple):
        return [_printed(item) for item in node]
    return node


def taken(raw: JsonObject, *names: str) -> dict[str, Any]:
    """These fields of an answer; one that it leaves out counts as empty."""
    return {name: raw.get(name) for name in names}


def unknown(environment: str = "") -> dict[str, Any]:
    """A secret that is there, and of which nothing is known: an export leaves a hole for it."""
    return SecretLeaf(environment).node()


def covered(family: str, shown: JsonObject) -> dict[str, Any]:
    """The secret fields of a payload of this `type` that are shown as null or as stars."""
    if shown["type"] not in catalog.types(family):
        return {}
    fields = catalog.payload(family, shown["type"])["properties"]
    marks = {name: field.get("x-apiops-secret") for name, field in fields.items()}
    return {
        name: unknown()
        for name, mark in marks.items()
        if mark
        and name in shown
        and (_stars(shown[name]) or (shown[name] is None and mark is True))
    }


def _stars(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not value.strip("*")


def told(node: Any) -> Any:
    """What is shown, at every depth without what says nothing: nulls and stars (5.2)."""
    if isinstance(node, Mapping):
        said = {name: value for name, value in node.items() if value is not None}
        return {name: told(value) for name, value in said.items() if not _stars(value)}
    return [told(item) for item in node] if isinstance(node, list) else node


def complete(written: JsonObject | None, seen: JsonObject) -> dict[str, Any]:
    """A mapping that is shown whole: what was written and is not there is gone."""
    return {**dict.fromkeys(written or {}), **seen}
