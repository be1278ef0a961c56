"""The log of a Manager over HTTP: its entries, and what makes them evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from apiops.model import codec
from apiops.model.audit import AuditEntry, AuditQuery, ChainReport
from apiops.remote.answers import read, strange, told
from apiops.remote.client import Client

_NOT_THERE: Final = 404
MOST: Final = 1000
"""Audit entries that a Manager gives for one question."""


class NativeLog:
    """The audit log of a Manager over HTTP, as far as the token's holder may view it."""

    def __init__(self, client: Client, page: int = MOST) -> None:
        self._client = client
        self._most = page
        self.checkpoints = NativeCheckpoints(client)

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
            raise strange()
        page = [read(AuditEntry, entry) for entry in entries]
        if any(one.seq >= (query.before or one.seq + 1) for one in page):  # or it would never end
            raise strange()
        return page

    def entry(self, seq: int) -> AuditEntry | None:
        """The entry of that number, if there is one that may be viewed."""
        answer = self._client.call("GET", f"/v1/audit/{seq}")
        return None if answer.status == _NOT_THERE else read(AuditEntry, told(answer))


class NativeCheckpoints:
    """What the embedded Manager's `checkpoints` do, asked of a server.

    A server can say anything of itself: what it says is worth what its proofs are, checked with a
    key that was kept elsewhere.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def public_keys(self) -> tuple[str, ...]:
        """The lines of the public keys, the one that signs now first."""
        lines = _field(told(self._client.call("GET", "/v1/audit/keys")), "keys", list)
        return tuple(str(line) for line in lines)

    def make(self, *kept: str) -> str:
        """A signed checkpoint over all entries so far, which `kept` ones do not contradict."""
        return self._text("checkpoint", "checkpoint", {"checkpoints": kept})

    def verify(self, kept: Sequence[str] = (), keys: Sequence[object] = ()) -> ChainReport:
        """The server's own walk through its log."""
        asked = {"checkpoints": list(kept), "keys": [str(key) for key in keys]}
        return read(ChainReport, told(self._client.call("POST", "/v1/audit/verify", json=asked)))

    def prove(self, seq: int) -> str:
        """A proof (C2SP tlog-proof) that entry `seq` is in the log."""
        return self._text(f"{seq}/proof", "proof", None)

    def extend(self, kept: str) -> str:
        """A proof that the log only grew since a checkpoint that was kept, with a new one."""
        return self._text("growth", "proof", {"checkpoint": kept})

    def _text(self, path: str, name: str, asked: Any) -> str:
        answer = self._client.call("POST", f"/v1/audit/{path}", json=asked)
        return str(_field(told(answer), name, str))


def _field(tree: Any, name: str, kind: type) -> Any:
    found = tree.get(name) if isinstance(tree, dict) else None
    if not isinstance(found, kind):
        raise strange()
    return found
