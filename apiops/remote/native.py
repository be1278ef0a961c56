"""Our own Manager over HTTP: runs are submitted to it, and it walks the line itself.

The client sends commits, not claims: a pack of what the Manager lacks, the head, and what is
asked for. What comes back are the same values that the line gives in this process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import orjson
from urllib3 import encode_multipart_formdata

from apiops import errors
from apiops.errors import (
    ApiopsError,
    ManagerError,
    ManagerUnavailable,
    SpecInvalid,
    UsageError,
)
from apiops.model import codec
from apiops.model.audit import AuditEntry, AuditQuery
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.order import Order
from apiops.model.revision import Evidence, Revision
from apiops.model.view import Carried, Planned
from apiops.ports import Event, Observer
from apiops.remote.client import Answer, Client

Value = TypeVar("Value")

_KINDS: Final[Mapping[str, type[ApiopsError]]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ApiopsError) and kind is not SpecInvalid
}
_OK: Final = range(200, 300)
MOST: Final = 1000
"""Audit entries that a Manager gives for one question."""
_LONGEST: Final = 2000
"""Characters of a message of the server that are shown."""


class Clone(Protocol):
    """The clone that commits are submitted from: `git.repository.GitRepository`."""

    @property
    def lineage(self) -> str:
        """The id of the first commit."""

    def resolve(self, ref: str) -> Revision:
        """The revision that a name stands for."""

    def has(self, id: str) -> bool:
        """Whether a commit is here."""

    def pack(self, tips: list[str], have: list[str]) -> bytes:
        """What leads to `tips` and not to `have`."""


class NativeManager:
    """`ports.Runs` over a Manager's `/v1`."""

    def __init__(self, client: Client, clone: Clone, target: str, observer: Observer) -> None:
        self._client = client
        self._clone = clone
        self._path = f"/v1/targets/{quote(target, safe='')}"
        self._observer = observer

    def plan(self, order: Order) -> Planned:
        """What applying would change, as the Manager sees it."""
        return self._submitted("plans", order, Planned)

    def apply(self, order: Order) -> Carried:
        """Let the Manager plan and carry out."""
        return self._submitted("runs", order, Carried)

    def drift(self) -> Planned | None:
        """The live state against what was applied last."""
        self._observer.notice(Event("read", "asking the Manager"))
        query = {"repository": self._clone.lineage}
        tree = told(self._client.call("GET", f"{self._path}/drift", query=query))
        return None if tree is None else _value(Planned, tree)

    def _submitted(self, what: str, order: Order, kind: type[Value]) -> Value:
        if order.worktree:
            raise UsageError(
                "a Manager over HTTP takes commits, not the files of a work tree",
                code="AO745",
                hint="commit and sign the change first; `apiops validate --worktree` needs none",
            )
        head = self._clone.resolve(order.ref).commit
        order = self._settled(order, head)
        lineage = self._clone.lineage
        self._observer.notice(Event("load", "packing the commits"))
        known = told(self._client.call("GET", f"{self._path}/known", query={"repository": lineage}))
        heads = [name for said in order.evidence.values() for name in said.heads]
        content = self._clone.pack([head, *heads], _commits(known))
        self._observer.notice(Event("apply" if what == "runs" else "plan", "asking the Manager"))
        body, media = encode_multipart_formdata(
            {
                "repository": lineage,
                "head": head,
                "order": orjson.dumps(codec.dump(order)).decode(),
                "pack": ("range.pack", content, "application/octet-stream"),
            }
        )
        answer = self._client.call(
            "POST",
            f"{self._path}/{what}",
            body=body,
            headers={"Content-Type": media},
            repeatable=what == "plans",
        )
        return _value(kind, told(answer))

    def _settled(self, order: Order, head: str) -> Order:
        """The order with full commit ids, where it names commits by names of this clone."""
        first = self._clone.resolve(order.introduction).commit if order.introduction else ""
        return replace(order, commit=head, introduction=first, evidence=self._heads(order.evidence))

    def _heads(self, evidence: Evidence) -> Evidence:
        """The evidence, the heads of pull requests by the ids that they have here."""
        return {
            commit: replace(said, heads=tuple(self._found(said.heads)))
            for commit, said in evidence.items()
        }

    def _found(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            try:
                yield self._clone.resolve(name).commit
            except errors.SourceError:
                continue
            return


class NativeLog:
    """The audit log of a Manager over HTTP, as far as the token's holder may view it."""

    def __init__(self, client: Client, page: int = MOST) -> None:
        self._client = client
        self._most = page

    def entries(self, query: AuditQuery) -> Iterator[AuditEntry]:
        """Audit entries, newest first, fetched page by page."""
        wanted, before = query.limit, query.before
        while True:
            size = min(wanted, self._most) if query.limit else self._most
            page = self._page(replace(query, limit=size, before=before))
            yield from page
            wanted -= len(page)
            if len(page) < size or (query.limit and wanted <= 0):
                return
            before = page[-1].seq

    def _page(self, query: AuditQuery) -> list[AuditEntry]:
        asked = {name: str(value) for name, value in codec.dump(query).items() if value is not None}
        tree = told(self._client.call("GET", "/v1/audit", query=asked))
        entries = tree.get("entries") if isinstance(tree, dict) else None
        if not isinstance(entries, list):
            raise _strange()
        page = [_value(AuditEntry, entry) for entry in entries]
        if any(one.seq >= (query.before or one.seq + 1) for one in page):  # or it would never end
            raise _strange()
        return page

    def entry(self, seq: int) -> AuditEntry | None:
        """The entry of that number, if there is one that may be viewed."""
        answer = self._client.call("GET", f"/v1/audit/{seq}")
        return None if answer.status == 404 else _value(AuditEntry, told(answer))


def probe(client: Client) -> None:
    """Ask whether the Manager is ready and the token counts. Raises ApiopsError for what is not."""
    ready = client.call("GET", "/readyz", anonymous=True)
    if ready.status not in _OK:
        raise ManagerUnavailable(
            f"{client.address} is not ready: it answers {ready.status}",
            code="AO742",
            hint="`/readyz?verbose=true` of the server says what it lacks",
        )
    answer = client.call("GET", "/v1/leases")
    if answer.status != 403:  # a token may be good and not for this
        told(answer)


def told(answer: Answer) -> Any:
    """The JSON of a good answer. Raises the error that a bad one carries."""
    if answer.status in _OK:
        return answer.json()
    tree = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if not isinstance(tree, dict) or not isinstance(tree.get("code"), str):
        raise ManagerError(
            f"the server answered {answer.status} and not as a Manager does",
            code="AO744",
            hint="check the URL: another program may be answering there",
        )
    raise _fault(tree)


def _fault(tree: Mapping[str, Any]) -> ApiopsError:
    """The error that a problem describes, as it was raised there."""
    message, hint, code = (_clean(tree.get(name)) for name in ("detail", "hint", "code"))
    if tree.get("error") == SpecInvalid.__name__:
        found = [_value(Diagnostic, one) for one in tree.get("diagnostics") or ()]
        return SpecInvalid(message, code=code, diagnostics=found)
    kind = _KINDS.get(str(tree.get("error")), ManagerError)
    place = tree.get("location")
    location = _value(Location, place) if isinstance(place, dict) else None
    return kind(message, code=code, hint=hint, location=location)


def _clean(text: Any) -> str:
    """A text of the server without what a terminal would obey."""
    shown = str(text or "")[:_LONGEST]
    return "".join(letter if letter.isprintable() else " " for letter in shown)


def _value(kind: type[Value], tree: Any) -> Value:
    try:
        return codec.load(kind, tree)
    except ValueError:
        raise _strange() from None


def _commits(known: Any) -> list[str]:
    have = known.get("have") if isinstance(known, dict) else None
    if not isinstance(have, list) or not all(_full(id) for id in have):
        raise _strange()
    return have


def _full(id: Any) -> bool:
    return isinstance(id, str) and len(id) == 40 and set(id) <= set("0123456789abcdef")


def _strange() -> ManagerError:
    return ManagerError(
        "the Manager's answer is not one that this apiops understands",
        code="AO746",
        hint="use the version of apiops that the server has: `apiops version`",
    )
