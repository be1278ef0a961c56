"""A loopback server of Kong's Admin API, as far as decK asks for services and routes.

    with Kong() as kong:
        deck diff --kong-addr kong.url -s …

Entities are kept as they come. Lists have pages; every other list is empty.
"""

import copy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KINDS = ("services", "routes")
ROOT = {"version": "2.1.0", "configuration": {"database": "postgres"}}


class Kong:
    """`held` is what it holds: kind → id → entity; `requests` are method and path."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"kong": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def state(self) -> Any:
        return copy.deepcopy(self.held)

    def restore(self, state: Any) -> None:
        self.held = copy.deepcopy(state)
        self.requests.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    kong: Kong

    def log_message(self, *_arguments: Any) -> None:
        """Nothing on stderr."""

    def answered(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        with self.kong.lock:
            self.kong.requests.append((self.command, parts.path))
            tree = self._tree(parts.path, parse_qs(parts.query), body)
        content = json.dumps(tree).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_PATCH = do_DELETE = answered  # noqa: N815 - the library's names

    def _tree(self, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        kind, _, id = path.strip("/").partition("/")
        if not kind:
            return ROOT
        rows = self.kong.held.get(kind, {})
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
