"""One call of the Management API, and what its answer means (vendor document, 1.3 and 1.4).

The API answers 400 to everything that it does not like, in several envelopes; here that becomes
the tree of an answer or one of a few errors: refused, forbidden, absent, or *unknown*: the server
may have carried it out or not.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import orjson
from urllib3 import encode_multipart_formdata

from apiops.errors import ApiopsError, ManagerError, ManagerUnavailable
from apiops.model import moment
from apiops.remote.answer import Answer
from apiops.remote.client import Client
from apiops.remote.vendor.pace import Pace

_FORBIDDEN: Final = re.compile(
    r"required permission|required \w+ permission|Admin role required|Unauthorized", re.IGNORECASE
)
_ABSENT: Final = re.compile(
    r"not found|does not exist|is not exist|does not have an? .* assigned", re.IGNORECASE
)
_ROOT: Final = "/apiops/"
_NONE: Final = {
    "GET /apiops/projects/": (HTTPStatus.NOT_FOUND,),
    "GET /apiops/test/healthcheck": (HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED),
}
"""What every Management API has, and the answers that say that there is none at this address. The
second takes no token (1.2), so who asks for one there is something else.
"""
_AMBIGUOUS: Final = "does not have privilege"
_LONGEST: Final = 300
_GOOD: Final = range(200, 300)
_BROKEN: Final = range(500, 600)


class Refused(ManagerError):
    """The Manager said no, and why."""


class Forbidden(Refused):
    """The token lacks a right."""


class Absent(Refused):
    """What was named is not there."""


class Unknown(ManagerUnavailable):
    """Nobody knows whether the server carried it out: its answer was lost or is none."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart body: texts, and files with their names (vendor document, 1.8)."""

    texts: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)

    def encoded(self) -> tuple[bytes, str]:
        """The body and its content type."""
        files = {
            name: (file, content, "application/octet-stream")
            for name, (file, content) in self.files.items()
        }
        return encode_multipart_formdata({**self.texts, **files})


def path(*segments: str) -> str:
    """A path below `/apiops`, every segment percent-encoded, with the slash at its end (1.6)."""
    return _ROOT + "/".join(quote(segment, safe="") for segment in segments) + "/"


def bare_path(*segments: str) -> str:
    """The same for the few that have no slash at the end."""
    return path(*segments).removesuffix("/")


Saw = Callable[[str, Mapping[str, str] | None, Answer], None]
"""Told of a read: its path, its parameters, the answer."""


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Whatever is made of answers meanwhile: what has another shape than documented is named, and
    counts neither as there nor as gone. Raises ManagerError AO760.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as fault:
        raise ManagerError(
            f"the Manager shows {what} in a shape that is not known ({type(fault).__name__})",
            code="AO760",
            hint="its release may be another than this apiops knows; report this, with the release",
        ) from fault


class Api:
    """The Management API behind one client. Threads may share it."""

    def __init__(self, client: Client, pace: Pace | None = None) -> None:
        self._client = client
        self._pace = pace or Pace(ends=client.ends)
        self._watching: Saw | None = None

    @contextmanager
    def watched(self, saw: Saw) -> Iterator[None]:
        """Tell of every answer to a read meanwhile."""
        self._watching = saw
        try:
            yield
        finally:
            self._watching = None

    @property
    def most(self) -> int:
        """How many calls may run at once when all is well."""
        return self._pace.most

    @property
    def address(self) -> str:
        """The Manager as it may be shown."""
        return self._client.address

    def items(self, where: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """What a list or a single read gives (`resultList`).

        An envelope that says success may leave an empty list out; no other answer without a list
        counts as one, for what is not there would be made again. Raises ManagerError AO760.
        """
        tree = self.call("GET", where, query=query)
        found = tree.get("resultList") if isinstance(tree, Mapping) else None
        if found is None and _says_success(tree):
            return []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ManagerError(
                f"{self.address} gave a list of something unexpected for {where}",
                code="AO760",
                hint="the Manager's release may be another than this apiops knows; report this",
            )
        return found

    def call(
        self,
        method: str,
        where: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        again: bool | None = None,
        hidden: Iterable[str] = (),
        blank: bool = False,
    ) -> Any:
        """One call; gives the answer's tree.

        `again` says that it may be sent twice (default: reads only). `hidden` are texts that must
        not be in an error, whatever the server says; `blank` that a 404 with nothing in it is the
        Manager's own. Raises Refused, Forbidden, Absent, Unknown.
        """
        more: dict[str, Any] = {"json": body}
        if isinstance(body, Upload):
            content, kind = body.encoded()
            more = {"body": content, "headers": {"Content-Type": kind}}
        with self._pace.turn() as turn:
            try:
                answer = self._client.call(
                    method, where, query=query, repeatable=again, heard=turn.heard, **more
                )
            except ManagerUnavailable as lost:
                turn.lost()
                raise Unknown(lost.message, code=lost.code, hint=lost.hint) from None
        if self._watching is not None and method == "GET":
            self._watching(where, query, answer)
        if blank and answer.status == HTTPStatus.NOT_FOUND and not answer.body.strip():
            raise self._refusal(answer, "", f"{method} {where}", ())
        return self._judged(answer, f"{method} {where}", hidden)

    def text(self, where: str, *, anonymous: bool = False) -> tuple[str, timedelta | None]:
        """A plain answer (`test/*`), and by how much the Manager's clock is ahead of ours."""
        answer = self._client.call("GET", where, anonymous=anonymous)
        if answer.status not in _GOOD:
            raise self._refusal(answer, self._said(answer), f"GET {where}", ())
        return answer.body.decode("utf-8", "replace")[:_LONGEST], answer.ahead

    def _judged(self, answer: Answer, what: str, hidden: Iterable[str]) -> Any:
        tree = _tree(answer)
        if answer.status in _GOOD:
            if tree is None and answer.body.strip():
                raise Unknown(
                    f"{self.address} answered {what} with something that is no JSON",
                    code="AO764",
                    hint="a proxy in between may have answered; look at the Manager",
                )
            if _succeeded(tree):
                return tree
            refused = replace(answer, status=HTTPStatus.BAD_REQUEST)
            raise self._refusal(refused, _message(tree), what, hidden)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise ManagerUnavailable(
                f"{self.address} puts {what} off again and again: too many requests",
                code="AO742",
                hint="run again later, with a smaller --parallel: it goes on from here",
            )
        if answer.status == HTTPStatus.NOT_FOUND and not _is_own(tree):
            raise Unknown(
                f"{self.address} answered 404 to {what}, and not as a Manager does",
                code="AO764",
                hint="a proxy in between may have answered; look at its routes and at the URL",
            )
        if answer.status in _BROKEN:
            raise Unknown(
                f"{self.address} answered {answer.status} to {what}",
                code="AO764",
                hint="look at the Manager's log; the next run finds out what came of it",
            )
        raise self._refusal(answer, self._said(answer), what, hidden)

    def _said(self, answer: Answer) -> str:
        return _message(_tree(answer)) or f"status {answer.status}"

    def _refusal(self, answer: Answer, said: str, what: str, hidden: Iterable[str]) -> ApiopsError:
        status = answer.status
        shown = " ".join(_without(said, hidden).split())[:_LONGEST]
        if status in _NONE.get(what, ()):
            return ManagerError(
                f"{self.address} has no Management API: it answered {status:d} to {what}",
                code="AO760",
                hint="`manager` is the Manager's own address, without /apiops or a page of the "
                "console; or an administrator has switched the Management APIs off",
            )
        if status == HTTPStatus.UNAUTHORIZED:
            return Forbidden(
                f"{self.address} does not accept the token: {shown}{_clock(answer)}",
                code="AO761",
                hint="make a new token in the console (My Profile) and put it into APIOPS_TOKEN "
                "or the target's `token-file`",
            )
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST) and _FORBIDDEN.search(said):
            return Forbidden(
                f"the token may not {what}: {shown}",
                code="AO762",
                hint="give the token's user the role in the console; `apiops doctor` lists rights",
            )
        if status == HTTPStatus.NOT_FOUND or (_ABSENT.search(said) and _AMBIGUOUS not in said):
            return Absent(f"{what}: {shown}", code="AO763", hint="plan again: it is not there")
        return Refused(
            f"the Manager refused {what}: {shown}",
            code="AO763",
            hint="the words are the Manager's own; correct the specification",
        )


def _clock(answer: Answer) -> str:
    """A token lives by the Manager's clock: said where that is another than ours."""
    ahead = answer.ahead
    if ahead is None or abs(ahead) <= moment.SLACK:
        return ""
    return f" (its clock is {moment.against(ahead)})"


def _tree(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _succeeded(tree: Any) -> bool:
    """1.3: success unless one of the three ways to say otherwise says so."""
    if not isinstance(tree, Mapping):
        return True
    result = tree.get("result")
    return (
        tree.get("status") in (None, "SUCCESS")
        and tree.get("success") in (None, True)
        and (not isinstance(result, Mapping) or result.get("success") in (None, True))
    )


def _says_success(tree: Any) -> bool:
    """Whether it says so itself; `call` has seen to it that it does not say the opposite."""
    return isinstance(tree, Mapping) and any(
        tree.get(name) is not None for name in ("status", "success", "result")
    )


def _is_own(tree: Any) -> bool:
    """Whether a refusal has a shape of the Manager (1.3) or of the server that it is built on,
    which names the path that it does not have; what stands in between answers 404 as well.
    """
    if not isinstance(tree, Mapping):
        return False
    says_so = tree.get("status") in ("FAILURE", "FAIL") or tree.get("success") is False
    served = tree.get("status") == HTTPStatus.NOT_FOUND and str(tree.get("path")).startswith(_ROOT)
    return says_so or served


def _message(tree: Any) -> str:
    if not isinstance(tree, Mapping):
        return ""
    for name in ("resultMessage", "message", "error_description", "error"):
        if isinstance(tree.get(name), str):
            return str(tree[name])
    return ""


def _without(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "(hidden)") if secret else text
    return text


Look = Callable[[], bool]
"""Finds out whether a call whose answer got lost was carried out."""
