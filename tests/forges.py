"""Stand-ins for the REST APIs of GitHub, GitLab and Gitea: comments and statuses, state kept.

Each follows the public description of its API: which fields a body must have, which words a state
may be, how pages are cut, what status an answer has.

with StandIn("gitlab", token="t") as forge:
    forge.variables(number="17")      what the forge sets for a job
    forge.comments, forge.statuses    what it holds
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers import Reply, Request, Told

PROJECT = "bank/gateway"
STATES = {
    "github": {"error", "failure", "pending", "success"},
    "gitea": {"error", "failure", "pending", "success", "warning"},
    "gitlab": {"pending", "running", "success", "failed", "canceled", "skipped"},
}
PREFIX = {"github": "", "gitea": "/api/v1", "gitlab": "/api/v4"}
LIST = {
    "github": r"/repos/bank/gateway/issues/(\d+)/comments",
    "gitea": r"/repos/bank/gateway/issues/(\d+)/comments",
    "gitlab": r"/projects/bank%2Fgateway/merge_requests/(\d+)/notes",
}
ONE = {
    "github": r"/repos/bank/gateway/issues/comments/(\d+)",
    "gitea": r"/repos/bank/gateway/issues/comments/(\d+)",
    "gitlab": r"/projects/bank%2Fgateway/merge_requests/17/notes/(\d+)",
}
STATUS = {
    "github": r"/repos/bank/gateway/statuses/([0-9a-f]{40})",
    "gitea": r"/repos/bank/gateway/statuses/([0-9a-f]{40})",
    "gitlab": r"/projects/bank%2Fgateway/statuses/([0-9a-f]{40})",
}
EDIT = {"github": "PATCH", "gitea": "PATCH", "gitlab": "PUT"}


class StandIn:
    """A forge with one project and one pull request, number 17."""

    def __init__(self, kind: str, token: str = "forge-token") -> None:
        self.kind = kind
        self.token = token
        self.comments: dict[int, str] = {}
        self.statuses: list[dict[str, Any]] = []
        self.fault: Reply | None = None
        self.server = Told(self._answer)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.__exit__(*exception)

    def writes(self) -> list[str]:
        """The methods of the calls that changed something."""
        return [request.method for request in self.server.seen if request.method != "GET"]

    def variables(self, number: str = "17") -> dict[str, str]:
        """What the forge sets for a job on the pull request (empty: on a push), and the token."""
        api = f"{self.server.url}{PREFIX[self.kind]}"
        if self.kind == "gitlab":
            pull = {"CI_MERGE_REQUEST_IID": number} if number else {}
            return {
                "CI_API_V4_URL": api,
                "CI_PROJECT_ID": PROJECT,
                "CI_JOB_URL": f"{self.server.url}/jobs/9",
                "GITLAB_TOKEN": self.token,
                **pull,
            }
        extra = {"GITEA_ACTIONS": "true"} if self.kind == "gitea" else {}
        return {
            "GITHUB_API_URL": api,
            "GITHUB_REPOSITORY": PROJECT,
            "GITHUB_SERVER_URL": self.server.url,
            "GITHUB_RUN_ID": "9",
            "GITHUB_REF": f"refs/pull/{number}/merge" if number else "refs/heads/main",
            f"{self.kind.upper()}_TOKEN": self.token,
            **extra,
        }

    def _answer(self, request: Request) -> Reply:
        if self.fault is not None:
            return self.fault
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _json(401, {"message": "Bad credentials"})
        parts = urlsplit(request.path)
        path = parts.path.removeprefix(PREFIX[self.kind])
        body = json.loads(request.body) if request.body else {}
        if found := re.fullmatch(LIST[self.kind], path):
            return self._many(request.method, found[1], parse_qs(parts.query), body)
        if found := re.fullmatch(ONE[self.kind], path):
            return self._edited(request.method, int(found[1]), body)
        if found := re.fullmatch(STATUS[self.kind], path):
            return self._stated(request.method, found[1], body)
        return _json(404, {"message": f"no {unquote(path)}"})

    def _many(
        self, method: str, number: str, query: Mapping[str, list[str]], body: Mapping[str, Any]
    ) -> Reply:
        if number != "17":
            return _json(404, {"message": "Not Found"})
        if method == "POST":
            id = max(self.comments, default=100) + 1
            self.comments[id] = self._kept(body)
            return _json(201, {"id": id, "body": self.comments[id]})
        shown = [{"id": id, "body": text} for id, text in self.comments.items()]
        if self.kind == "gitea":  # its list of comments has no pages
            return _json(200, shown)
        size, page = (int(query.get(name, ["1"])[0]) for name in ("per_page", "page"))
        return _json(200, shown[size * (page - 1) : size * page])

    def _edited(self, method: str, id: int, body: Mapping[str, Any]) -> Reply:
        if method != EDIT[self.kind]:
            return _json(405, {"message": "Method Not Allowed"})
        if id not in self.comments:
            return _json(404, {"message": "Not Found"})
        self.comments[id] = self._kept(body)
        return _json(200, {"id": id, "body": self.comments[id]})

    def _kept(self, body: Mapping[str, Any]) -> str:
        """Some forges store line ends as a browser sends them, and cut blanks at the end."""
        text: str = body["body"]
        return text.rstrip().replace("\n", "\r\n") if self.kind == "github" else text

    def _stated(self, method: str, commit: str, body: Mapping[str, Any]) -> Reply:
        name = body.get("name" if self.kind == "gitlab" else "context")
        if method != "POST" or body.get("state") not in STATES[self.kind] or not name:
            return _json(422, {"message": "Validation Failed"})
        if len(body.get("description", "")) > 140:
            return _json(422, {"message": "description is too long (maximum is 140 characters)"})
        self.statuses.append({**body, "commit": commit, "called": name})
        return _json(201, {"id": len(self.statuses)})


def _json(status: int, tree: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(tree).encode()
