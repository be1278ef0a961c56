"""The HTTP client: the one door to a Manager on the other side of a network.

One pool of connections per server. Every wait has an end: to connect, to hear something, for the
whole call with its retries, and for all calls of a run together. An answer has a largest size, a
redirect is never followed (it would carry the token elsewhere), and only what may be repeated is.
No header and no body of a request appears in an error or a log line.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import SplitResult, urlencode, urlsplit

import orjson
import stamina
import stamina.instrumentation
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from apiops import __version__
from apiops.errors import ApiopsError, ManagerError, ManagerUnavailable, UsageError
from apiops.model.secret import SecretValue
from apiops.remote import timely
from apiops.remote.answer import Answer

MAX_ANSWER: Final = 256 * 1024 * 1024
"""Longer answers are not read (bytes)."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, so that a lost answer costs nothing but a repetition."""

AGAIN: Final = frozenset({429, 502, 503, 504})
"""Answers that mean: not now."""

PUT_OFF: Final = 429
"""Too many requests: the call was not carried out, whatever it was."""

stamina.instrumentation.set_on_retry_hooks(())  # it writes to stderr, if nobody else does

_CHUNK: Final = 64 * 1024
_NO_HEADERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a server is and how it is reached.

    `ca_file` are the authorities to believe instead of the system's, `client_cert` and
    `client_key` who we are to a server that asks (mutual TLS), `proxy` the way through. Times
    are seconds: to connect, to hear the next byte, for a call with all its repetitions; `pause`
    is the first wait between two of them; `deadline` is for everything that this client does.
    `longest` are the bytes of an answer that are read.
    """

    url: str
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: str = ""
    connect: float = 10.0
    read: float = 120.0
    total: float = 600.0
    deadline: float = math.inf
    attempts: int = 4
    pause: float = 0.2
    pool: int = 8
    longest: int = MAX_ANSWER


class Client:
    """Calls to one server. `close` it, or use it as a context manager; threads may share it."""

    def __init__(self, reach: Reach, credential: Callable[[], SecretValue | None]) -> None:
        """`credential` gives the bearer token of the moment, None to go without.

        Raises UsageError AO740 for a URL that cannot be used, AO741 for files of TLS that cannot.
        """
        self._reach = reach
        self._credential = credential
        self._base = parse(reach.url)
        self._pool = _pool(reach)
        proxied = isinstance(self._pool, urllib3.ProxyManager)
        self._server = None if proxied else self._pool.connection_from_url(self.address)
        self._dog = timely.Watchdog()
        self.ends = time.monotonic() + reach.deadline
        """When nothing more is sent, by the monotonic clock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The server as it may be shown."""
        return f"{self._base.scheme}://{self._base.netloc}"

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()
        self._dog.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        repeatable: bool | None = None,
        anonymous: bool = False,
        heard: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """One call; gives the answer whatever its status.

        `path` begins with a slash and is percent-encoded by the caller. `repeatable` says that
        the call may be sent again after an answer that got lost (default: by its method); one
        that never reached the server, or that it put off (429), is always sent again, when the
        server says and not after the deadline. `heard` is told every answer, also those after
        which the call is sent again. Raises ManagerUnavailable (AO742, worth a retry; AO747 at the
        deadline), ManagerError AO743 for TLS, AO744 for an answer that is too long.
        """
        content = orjson.dumps(json) if json is not None else body
        sent = {**self._headers(anonymous=anonymous), **headers}
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
        url = f"{self.address}{self._base.path.rstrip('/')}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        ends = min(time.monotonic() + self._reach.total, self.ends)
        rule = _Again(method in REPEATABLE if repeatable is None else repeatable, ends, heard)
        try:
            return self._repeated(rule, _Request(method, url, content, sent))
        except _NotNow as last:
            return last.answer
        except HTTPError as fault:
            raise self._translated(fault) from None

    def _repeated(self, rule: "_Again", request: "_Request") -> Answer:
        for attempt in stamina.retry_context(
            on=rule,
            attempts=self._reach.attempts,
            timeout=self._reach.total,
            wait_initial=self._reach.pause,
            wait_max=30.0,
            wait_jitter=self._reach.pause,
        ):
            with attempt:
                return rule.judged(self._once(request, rule.ends))
        raise AssertionError("a retry ends with an answer or an error")

    def _headers(self, *, anonymous: bool) -> dict[str, str]:
        headers = {"User-Agent": f"apiops/{__version__}", "Accept-Encoding": "identity"}
        token = None if anonymous else self._credential()
        if token is not None:
            headers["Authorization"] = "Bearer " + token.reveal().decode("ascii", "replace")
        return headers

    def _once(self, request: "_Request", deadline: float) -> Answer:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        with self._dog.until(deadline) as watch:
            try:
                answer = self._asked(request, deadline, left)
            except HTTPError:
                if watch.over:
                    raise self._late() from None
                raise
        if watch.over:
            raise self._late()
        return answer

    def _asked(self, request: "_Request", deadline: float, left: float) -> Answer:
        ask: Callable[..., urllib3.BaseHTTPResponse] = self._pool.urlopen
        where = request.url
        if self._server is not None:  # straight to the only one that there is
            ask, where = self._server.urlopen, where.removeprefix(self.address)
        response = ask(
            request.method,
            where,
            body=request.body,
            headers=request.headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(
                connect=min(self._reach.connect, left), read=min(self._reach.read, left)
            ),
        )
        try:
            content = self._read(response, deadline)
        except BaseException:  # interrupted as well: half an answer must not go back to the pool
            response.close()
            raise
        response.release_conn()
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, told, content)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        parts, size = [], 0
        while part := response.read1(_CHUNK):
            size += len(part)
            if size > self._reach.longest:
                raise ManagerError(
                    f"{self.address} sent more than {self._reach.longest} bytes",
                    code="AO744",
                    hint="check the URL: another program may be answering there",
                )
            if time.monotonic() > deadline:
                raise self._late()
            parts.append(part)
        return b"".join(parts)

    def _late(self) -> ManagerUnavailable:
        if time.monotonic() >= self.ends:
            return overdue(self._reach.deadline)
        return ManagerUnavailable(
            f"{self.address} did not answer in full within {self._reach.total:g} seconds",
            code="AO742",
            hint="try again; look at the server's load and log",
        )

    def _translated(self, fault: HTTPError) -> ApiopsError:
        """A fault of the library as one of ours; only its kind is told, for it may quote."""
        reason = fault.original_error if isinstance(fault, ProxyError) else fault
        if isinstance(reason, SSLError):
            return ManagerError(
                f"no trusted TLS connection to {self.address}: {_kind(reason)}",
                code="AO743",
                hint="name the authority that signed the server's certificate with `ca-file`, and "
                "`client-cert` and `client-key` if the server asks who you are",
            )
        way = " through the proxy" if isinstance(fault, ProxyError) else ""
        return ManagerUnavailable(
            f"{self.address} does not answer{way}: {_kind(fault)}",
            code="AO742",
            hint="check host, port and network, then run the command again",
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, each time anew."""

    method: str
    url: str
    body: bytes | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class _NotNow(Exception):
    """An answer that says: try again later."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Again:
    """When a call is sent once more, and until when."""

    repeatable: bool
    ends: float
    heard: Callable[[Answer], None] | None

    def judged(self, answer: Answer) -> Answer:
        """The answer, raised if it means that the call should be repeated."""
        if self.heard is not None:
            self.heard(answer)
        if answer.status == PUT_OFF or (self.repeatable and answer.status in AGAIN):
            raise _NotNow(answer)
        return answer

    def __call__(self, fault: Exception) -> bool | float:
        if isinstance(fault, _NotNow):
            pause = fault.answer.pause
            if pause is None:
                return True
            return pause if time.monotonic() + pause < self.ends else False
        if isinstance(fault, NewConnectionError | ConnectTimeoutError):
            return True
        return self.repeatable and isinstance(fault, HTTPError) and not isinstance(fault, SSLError)


def overdue(seconds: float) -> ManagerUnavailable:
    """That a run has no time left."""
    return ManagerUnavailable(
        f"the run's deadline of {seconds:g} seconds has passed, so nothing more is sent",
        code="AO747",
        hint="run again: it goes on from here; `--deadline` says how long a run may take",
    )


def parse(url: str) -> SplitResult:
    """The parts of a server's URL.

    Raises UsageError AO740: no host, another scheme, a password in it, or plain HTTP to another
    machine, where anybody on the way could read the token.
    """
    hint = "write https://manager.bank.example"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise UsageError(
            f"the Manager's URL cannot be used: {_shown(url)}", code="AO740", hint=hint
        )
    if parts.username is not None or not parts.netloc.isascii():
        raise UsageError(
            "the Manager's URL has a user or password in it",
            code="AO740",
            hint="put the token into APIOPS_TOKEN, or into the file that `token-file` names",
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UsageError(
            f"plain HTTP to {host} would show the token to everybody on the way",
            code="AO740",
            hint=hint,
        )
    return parts


def _shown(url: str) -> str:
    """A URL to name in an error: nothing of one in which a secret may be."""
    return "it has more than an address in it" if set(url) & set("@?#") else f'"{url[:100]}"'


def _timely(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    manager.pool_classes_by_scheme = timely.POOLS
    return manager


def _pool(reach: Reach) -> urllib3.PoolManager:
    files = (reach.ca_file, reach.client_cert, reach.client_key)
    for file in files:
        if file is not None and not file.is_file():
            raise UsageError(
                f"there is no file {file}",
                code="AO741",
                hint="check ca-file, client-cert, client-key",
            )
    ca, cert, key = (None if file is None else str(file) for file in files)
    more: dict[str, Any] = {
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": ca,
        "cert_file": cert,
        "key_file": key,
        "maxsize": reach.pool,
        "block": True,
    }
    if not reach.proxy:
        return _timely(urllib3.PoolManager(**more))
    try:
        return _timely(urllib3.ProxyManager(reach.proxy, **more))
    except (HTTPError, LocationValueError, ValueError):
        raise UsageError(
            "the proxy's URL cannot be used",
            code="AO741",
            hint="write http://proxy.bank.example:3128",
        ) from None


def _kind(fault: BaseException) -> str:
    """The kind of a fault and, of the system's errors, the system's words."""
    cause = fault.__cause__ or fault.__context__
    words = cause.strerror if isinstance(cause, OSError) else None
    return words or type(fault).__name__
