"""A loopback server of Kong's Admin API, as far as decK asks for services and routes.

    with Kong() as kong:
        deck diff --kong-addr kong.url -s …

Entities are kept as they come. Lists have pages; every other list is empty.
"""

import copy
import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers import Handler, Loopback

KINDS = ("services", "routes")
ROOT = {"version": "2.1.0", "configuration": {"database": "postgres"}}


class Kong(Loopback):
    """`held` is what it holds: kind → id → entity; `requests` are method and path."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.held: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def state(self) -> Any:
        return copy.deepcopy(self.held)

    def restore(self, state: Any) -> None:
        self.held = copy.deepcopy(state)
        self.requests.clear()


class _Handler(Handler):
    def answered(self) -> None:
        kong: Kong = self.server.owner
        body = self.body()
        parts = urlsplit(self.path)
        with kong.lock:
            kong.requests.append((self.command, parts.path))
            tree = self._tree(parts.path, parse_qs(parts.query), body)
        self.say(200, {"Content-Type": "application/json"}, json.dumps(tree).encode())

    def _tree(self, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        kind, _, id = path.strip("/").partition("/")
        if not kind:
            return ROOT
        rows = self.server.owner.held.get(kind, {})
        if not id:
            size, start = int(query.get("size", ["100"])[0]), int(query.get("offset", ["0"])[0])
            page = list(rows.values())[start : start + size]
            if start + size >= len(rows):
                return {"data": page, "next": None}
            offset = str(start + size)
            return {"data": page, "next": f"/{kind}?offset={offset}", "offset": offset}
        if self.command == "DELETE":
            return rows.pop(id, {})
        rows[id] = {"created_at": 1, **rows.get(id, {}), **json.loads(body), "id": id}
        return rows[id]
