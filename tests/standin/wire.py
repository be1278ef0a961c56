"""Requests and answers: routes, envelopes, refusals (§1.3, §1.4)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

NO_RIGHT = "User does not have required permission for this operation!"


class Refused(Exception):
    """An error of the API: 400 unless it says otherwise (§1.4)."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass
class Text:
    """A plain answer (§1.3)."""

    text: str


@dataclass
class Bare:
    """An answer without an envelope (§1.3), which may have a status of its own (§1.4)."""

    tree: Any
    status: int = 200


@dataclass
class Saved:
    """A write that worked; `deployment` as §1.5 has it, None when there was nothing to deploy."""

    items: list[Any] = field(default_factory=list)
    deployment: dict[str, Any] | None = None
    message: str | None = None


@dataclass
class Call:
    """One request, with the names in its path."""

    world: Any
    method: str
    path: str
    names: dict[str, str]
    query: dict[str, str]
    body: Any
    files: dict[str, bytes]
    user: Any

    def need(self, right: str) -> None:
        """§3.5: a failed check is a 400."""
        if not self.user.may(self.names.get("p"), right):
            raise Refused(NO_RIGHT)

    @property
    def project(self) -> Any:
        name = self.names["p"]
        found = self.world.projects.get(name)
        if found is None or not self.user.sees(name):
            raise Refused(
                f"Project ({name}) is not found or user does not have privilege to access it!"
            )
        return found


Route = tuple[str, re.Pattern[str], Callable[[Call], Any], str | None]
ROUTES: dict[tuple[str, int], list[Route]] = {}
"""Method and number of steps → what may be meant."""


def route(method: str, template: str, right: str | None = None) -> Callable[[Any], Any]:
    """Register a handler; `{p}` matches one segment, percent-encoded (§1.7)."""
    pattern = re.compile("/apiops" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + r"\Z")

    def register(handler: Callable[[Call], Any]) -> Callable[[Call], Any]:
        routes = ROUTES.setdefault((method, template.count("/") + 1), [])
        routes.append((template, pattern, handler, right))
        return handler

    return register


def find(
    method: str, path: str
) -> tuple[str, Callable[[Call], Any], dict[str, str], str | None] | None:
    """Literal segments win over names: `apiProxies/url/` is no proxy called url."""
    hits = [
        (template.count("{"), template, handler, match, right)
        for template, pattern, handler, right in ROUTES.get((method, path.count("/")), ())
        if (match := pattern.match(path))
    ]
    if not hits:
        return None
    _, template, handler, match, right = min(hits, key=lambda hit: hit[0])
    return (
        template,
        handler,
        {name: unquote(value) for name, value in match.groupdict().items()},
        right,
    )


def success(world: Any, answer: Any) -> tuple[int, str, bytes]:
    """The envelope (§1.3, 1.10 #1)."""
    if isinstance(answer, Text):
        return 200, "text/plain", answer.text.encode()
    if isinstance(answer, Bare):
        content = b"" if answer.tree is None else json.dumps(dressed(world, answer.tree)).encode()
        return answer.status, "application/json;charset=UTF-8", content
    saved = Saved(answer) if isinstance(answer, list) else answer
    tree: dict[str, Any] = {"resultList": saved.items, "resultCount": len(saved.items)}
    if saved.message:
        tree["resultMessage"] = saved.message
    if saved.deployment is not None:
        tree["deploymentResult"] = saved.deployment
    elif not isinstance(answer, list) and "unasked-deployment-result" in world.quirks:
        tree["deploymentResult"] = {"success": False, "detailList": []}
    if "success-instead-of-status" in world.quirks:
        tree["success"] = True
    else:
        tree["status"] = "SUCCESS"
        if "both-envelopes" in world.quirks:
            tree["success"] = True
    return 200, "application/json;charset=UTF-8", json.dumps(dressed(world, tree)).encode()


def failure(world: Any, refused: Refused) -> tuple[int, str, bytes]:
    """§1.3 and 1.10 #2; some are without a word."""
    if not refused.message:
        return refused.status, "application/json;charset=UTF-8", b""
    tree: dict[str, Any] = {"status": "FAILURE", "resultMessage": refused.message}
    if "fail-and-message" in world.quirks:
        tree = {"status": "FAIL", "message": refused.message}
    elif "oauth-errors" in world.quirks and refused.message == NO_RIGHT:
        tree = {"error": "bad_request", "error_description": refused.message}
    return refused.status, "application/json;charset=UTF-8", json.dumps(tree).encode()


SETS = frozenset(
    {
        "methodList", "hostList", "categoryList", "roleNameList", "ipList", "allowedModelIds",
        "capabilities", "credentialNameList",
    }
)  # fmt: skip


def dressed(world: Any, node: Any, name: str = "") -> Any:
    """An answer with the quirks of section 7 that change no meaning."""
    quirks = world.quirks
    if isinstance(node, dict):
        inner = {key: dressed(world, value, key) for key, value in node.items()}
        if "nulls-left-out" in quirks:
            inner = {key: value for key, value in inner.items() if value is not None}
        return inner
    if isinstance(node, list):
        if not node and "empty-lists-null" in quirks and name != "resultList":
            return None
        items = [dressed(world, item, name) for item in node]
        if "sets-reordered" in quirks and name in SETS:
            items.reverse()
        return items
    if "dates-with-millis" in quirks and isinstance(node, str):
        return re.sub(r"\A(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z\Z", r"\1.000Z", node)
    return node
