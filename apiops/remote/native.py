"""Our own Manager over HTTP: runs are submitted to it, and it walks the line itself.

The client sends commits, not claims: a pack of what the Manager lacks, the head, and what is
asked for. What comes back are the same values that the line gives in this process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final, Protocol
from urllib.parse import quote

import orjson
from urllib3 import encode_multipart_formdata

from apiops import errors
from apiops.access import approval
from apiops.errors import (
    ManagerUnavailable,
    UsageError,
)
from apiops.model import codec
from apiops.model.order import Order
from apiops.model.revision import Evidence, Revision
from apiops.model.view import Carried, Planned
from apiops.ports import Event, Ground, Observer
from apiops.remote.answers import GOOD, Value, read, strange, told
from apiops.remote.client import Client

MOST_TAGS: Final = 50
"""Tags that approve something and are sent along."""

MOST_COMMITS: Final = 20
"""So far below the head they are looked for: a plan may be approved in a commit on top of it."""

_NOTHING: Final[Mapping[str, str]] = {}


class Clone(Protocol):
    """The clone that commits are submitted from: `git.repository.GitRepository`."""

    @property
    def lineage(self) -> str:
        """The id of the first commit."""

    def resolve(self, ref: str) -> Revision:
        """The revision that a name stands for."""

    def has(self, id: str) -> bool:
        """Whether a commit is here."""

    def tag_objects(self, commit: str) -> tuple[bytes, ...]:
        """The objects of a commit's annotated tags."""

    def unchanged(self, commit: str) -> Iterator[str]:
        """A commit, and those below it that have the same files."""

    def pack(self, tips: list[str], have: list[str]) -> bytes:
        """What leads to `tips` and not to `have`."""


class NativeManager:
    """`ports.Runs` over a Manager's `/v1`."""

    def __init__(self, client: Client, clone: Clone, target: str, observer: Observer) -> None:
        self._client = client
        self._clone = clone
        self._path = f"/v1/targets/{quote(target, safe='')}"
        self._observer = observer

    def plan(self, order: Order, _ground: Ground | None = None) -> Planned:
        """What applying would change, as the Manager sees it: it looks at all by itself."""
        return self._submitted("plans", order, Planned)

    def apply(self, order: Order, _ground: Ground | None = None) -> Carried:
        """Let the Manager plan and carry out."""
        return self._submitted("runs", order, Carried)

    def approve(self, order: Order, person: str, *, withdraw: bool = False) -> Planned:
        """Let the Manager record a word for the plan: that of whoever the token is for.

        Raises UsageError AO905 for a `person`, since nobody is asked who they are.
        """
        if person:
            raise UsageError(
                "a Manager over HTTP knows people by their tokens",
                code="AO905",
                hint="leave out --as and --sign-key, and give your own token",
            )
        return self._submitted("approvals", order, Planned, {"withdraw": str(withdraw).lower()})

    def drift(self) -> Planned | None:
        """The live state against what was applied last."""
        self._observer.notice(Event("read", "asking the Manager"))
        query = {"repository": self._clone.lineage}
        tree = told(self._client.call("GET", f"{self._path}/drift", query=query))
        return None if tree is None else read(Planned, tree)

    def _submitted(
        self, what: str, order: Order, kind: type[Value], more: Mapping[str, str] = _NOTHING
    ) -> Value:
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
                **more,
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
        return read(kind, told(answer))

    def _settled(self, order: Order, head: str) -> Order:
        """The order with full commit ids, where it names commits by names of this clone."""
        first = self._clone.resolve(order.introduction).commit if order.introduction else ""
        said = approval.PLAN.encode()
        below = islice(self._clone.unchanged(head), MOST_COMMITS)
        found = (raw for commit in below for raw in self._clone.tag_objects(commit))
        tags = (raw.decode(errors="replace") for raw in found if said in raw)
        return replace(
            order,
            commit=head,
            introduction=first,
            evidence=self._heads(order.evidence),
            tags=tuple(islice(tags, MOST_TAGS)),
        )

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


def say(client: Client, target: str, what: str, reason: str, until: str | None) -> None:
    """Suspend or resume a target, as whoever the token is for. Raises ApiopsError."""
    order = {"reason": reason} if until is None else {"reason": reason, "until": until}
    told(client.call("POST", f"/v1/targets/{quote(target, safe='')}/{what}", json=order))


def probe(client: Client) -> None:
    """Ask whether the Manager is ready and the token counts. Raises ApiopsError for what is not."""
    ready = client.call("GET", "/readyz", anonymous=True)
    if ready.status not in GOOD:
        raise ManagerUnavailable(
            f"{client.address} is not ready: it answers {ready.status}",
            code="AO742",
            hint="`/readyz?verbose=true` of the server says what it lacks",
        )
    answer = client.call("GET", "/v1/leases")
    if answer.status != 403:  # a token may be good and not for this
        told(answer)


def _commits(known: Any) -> list[str]:
    have = known.get("have") if isinstance(known, dict) else None
    if not isinstance(have, list) or not all(_full(id) for id in have):
        raise strange()
    return have


def _full(id: Any) -> bool:
    return isinstance(id, str) and len(id) == 40 and set(id) <= set("0123456789abcdef")
