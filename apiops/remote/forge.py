"""The forge: one sticky comment per target on a pull request, and a status on its commit.

GitHub, GitLab and Gitea (Forgejo speaks its dialect) differ in paths and words alone, which are
data here. A comment is known by its hidden first line; it is edited, never written twice.
Sources: the public REST API descriptions of GitHub (2022-11-28), GitLab (v4) and Gitea (v1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from apiops.errors import ApiopsError
from apiops.remote.answer import Answer
from apiops.remote.client import Client

PAGE: Final = 100
PAGES: Final = 50
"""Comments of a pull request that are looked through: PAGES times PAGE."""

LONGEST: Final = 140
"""Characters of a status' description that every forge takes."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The paths of a forge below its API's URL, and its words.

    In the paths stand `{project}`, `{number}`, `{comment}` and `{commit}`. `context` is the field
    with a status' name, `failure` the state that says no.
    """

    comments: str
    comment: str
    edit: str
    status: str
    context: str
    failure: str


_GITHUB: Final = Dialect(
    comments="/repos/{project}/issues/{number}/comments",
    comment="/repos/{project}/issues/comments/{comment}",
    edit="PATCH",
    status="/repos/{project}/statuses/{commit}",
    context="context",
    failure="failure",
)
_GITLAB: Final = Dialect(
    comments="/projects/{project}/merge_requests/{number}/notes",
    comment="/projects/{project}/merge_requests/{number}/notes/{comment}",
    edit="PUT",
    status="/projects/{project}/statuses/{commit}",
    context="name",
    failure="failed",
)
DIALECTS: Final[Mapping[str, Dialect]] = {
    "github": _GITHUB,
    "gitlab": _GITLAB,
    "gitea": _GITHUB,
}
"""Kind of forge → its dialect."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where on a forge: the kind, the project as its API names it, and a pull request's number.

    `commit` is the head of the pull request if the CI job knows it: what it checked out may be a
    merge that the forge made for the test. `run` is the address of the job's log.
    """

    kind: str
    api: str
    project: str
    number: str = ""
    commit: str = ""
    run: str = ""


class Forge:
    """One project on a forge. Every method raises ApiopsError (AO920) and its kin."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self._dialect = DIALECTS[place.kind]

    def comment(self, text: str, *, begin: bool = True) -> bool:
        """Make the comment that begins with the first line of `text` say `text`.

        Without `begin` a comment is edited but none is begun. Gives whether anything was written:
        a comment that says so already is left alone.
        """
        marker = text.partition("\n")[0]
        found = next((one for one in self._comments() if _begins(one, marker)), None)
        if found is None:
            if begin:
                self._call("POST", self._path(self._dialect.comments), {"body": text})
            return begin
        if _plain(found.get("body")) == _plain(text):
            return False
        path = self._path(self._dialect.comment, comment=str(found.get("id")))
        self._call(self._dialect.edit, path, {"body": text})
        return True

    def status(self, name: str, commit: str, description: str, *, good: bool) -> None:
        """Set the status called `name` of a commit."""
        said: dict[str, Any] = {
            "state": "success" if good else self._dialect.failure,
            self._dialect.context: name,
            "description": description[:LONGEST],
        }
        if self._place.run:
            said["target_url"] = self._place.run
        path = self._path(self._dialect.status, commit=self._place.commit or commit)
        self._call("POST", path, said)

    def _comments(self) -> Iterator[Mapping[str, Any]]:
        """The comments there are, page by page; a forge that knows no pages gives all at once."""
        path = self._path(self._dialect.comments)
        seen: set[Any] = set()
        for number in range(1, PAGES + 1):
            answer = self._call("GET", f"{path}?per_page={PAGE}&page={number}")
            page = [one for one in _list(answer) if one.get("id") not in seen]
            yield from page
            seen |= {one.get("id") for one in page}
            if len(page) < PAGE:
                return

    def _path(self, template: str, **more: str) -> str:
        place = self._place
        safe = "/" if self._dialect is _GITHUB else ""
        return template.format(
            project=quote(place.project, safe=safe),
            number=quote(place.number, safe=""),
            **{name: quote(value, safe="") for name, value in more.items()},
        )

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self._client.call(method, path, json=body)
        if not _GOOD <= answer.status < _BAD:
            raise ApiopsError(
                f"{self._client.address} answered {answer.status} to {method}",
                code="AO920",
                hint="the token needs the right to comment on pull requests and to set statuses",
            )
        return answer


_GOOD, _BAD = 200, 300


def _list(answer: Answer) -> list[Mapping[str, Any]]:
    tree = answer.json()
    if not isinstance(tree, list):
        raise ApiopsError("the forge's list of comments is none", code="AO920")
    return [one for one in tree if isinstance(one, dict)]


def _begins(comment: Mapping[str, Any], marker: str) -> bool:
    return _plain(comment.get("body")).partition("\n")[0] == marker.rstrip()


def _plain(body: Any) -> str:
    """A comment's text as every forge gives it back: line ends differ, blanks at the end go."""
    return body.replace("\r\n", "\n").rstrip() if isinstance(body, str) else ""
