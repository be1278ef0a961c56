"""The HTTP client against real servers: what it sends, repeats, refuses and never tells."""

import itertools
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apiops.errors import ApiopsError, ManagerError, ManagerUnavailable, UsageError
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from tests import process
from tests.servers import Certificates, Reply, Request, Told, certificates

TOKEN = "apt_secret-token-of-the-test"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


def reaching(url: str, **more: Any) -> Client:
    return Client(Reach(url, pause=0.001, **more), lambda: SecretValue(TOKEN))


def in_turn(*replies: Reply) -> Any:
    """Answers one after the other; the last one again and again."""
    left = list(replies)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


def ok(body: bytes = b'{"fine": true}') -> Reply:
    return 200, {"Content-Type": "application/json"}, body


def test_a_call_carries_token_query_and_json() -> None:
    with Told(lambda _: ok()) as server, reaching(server.url + "/base/") as here:
        answer = here.call("POST", "/v1/x", query={"a": "b c"}, json={"n": 1})
    assert (200, {"fine": True}) == (answer.status, answer.json())
    (seen,) = server.seen
    assert ("POST", "/base/v1/x?a=b+c", b'{"n":1}') == (seen.method, seen.path, seen.body)
    assert f"Bearer {TOKEN}" == seen.headers["Authorization"]


def test_an_anonymous_call_carries_no_token() -> None:
    with Told(lambda _: ok()) as server, reaching(server.url) as here:
        here.call("GET", "/livez", anonymous=True)
    assert "Authorization" not in server.seen[0].headers


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_call_that_changes_nothing_is_repeated_until_the_server_can(status: int) -> None:
    replies = in_turn((status, {"Retry-After": "0"}, b""), (status, {}, b""), ok())
    with Told(replies) as server, reaching(server.url) as here:
        assert 200 == here.call("GET", "/").status
    assert 3 == len(server.seen)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_an_answer_that_will_not_change_is_not_asked_for_again(status: int) -> None:
    with Told(lambda _: (status, {}, b"")) as server, reaching(server.url) as here:
        assert status == here.call("GET", "/").status
    assert 1 == len(server.seen)


def test_the_last_answer_is_given_when_repeating_does_not_help() -> None:
    with Told(lambda _: (503, {}, b"busy")) as server, reaching(server.url) as here:
        answer = here.call("GET", "/")
    assert (503, b"busy", 4) == (answer.status, answer.body, len(server.seen))


def test_a_call_that_changes_something_is_sent_once() -> None:
    with Told(lambda _: (503, {}, b"")) as server, reaching(server.url) as here:
        assert 503 == here.call("POST", "/").status
    assert 1 == len(server.seen)


def test_what_was_put_off_was_not_done_so_it_is_sent_again_whatever_it_is() -> None:
    heard: list[int] = []
    replies = in_turn((429, {"Retry-After": "0"}, b""), (429, {}, b""), (503, {}, b""))
    with Told(replies) as server, reaching(server.url) as here:
        here.call("POST", "/", heard=lambda answer: heard.append(answer.status))
    assert [429, 429, 503] == heard


def test_who_asks_to_wait_is_obeyed_as_far_as_there_is_time() -> None:
    with Told(lambda _: (429, {"Retry-After": "3600"}, b"")) as server:
        with reaching(server.url, total=5) as here:
            assert 429 == here.call("GET", "/").status
        with reaching(server.url, deadline=5) as here:
            assert 429 == here.call("GET", "/").status
    assert 2 == len(server.seen)


def test_after_the_deadline_nothing_is_sent() -> None:
    with (
        Told(lambda _: ok()) as server,
        reaching(server.url, deadline=0) as here,
        pytest.raises(ManagerUnavailable) as found,
    ):
        here.call("GET", "/")
    assert ("AO747", []) == (found.value.code, server.seen)


@pytest.mark.parametrize(
    ("told", "pause"),
    [("7", 7.0), ("Fri, 01 Jan 2021 00:00:00 GMT", 0.0), ("soon", None), ("", None), ("٣", None)],
)
def test_how_long_the_server_asks_us_to_wait(told: str, pause: float | None) -> None:
    assert pause == Answer(429, {"retry-after": told}, b"").pause


def test_a_redirect_is_not_followed() -> None:
    with Told(lambda _: ok()) as thief:
        to = {"Location": thief.url}
        with Told(lambda _: (302, to, b"")) as server, reaching(server.url) as here:
            assert 302 == here.call("GET", "/").status
        assert [] == thief.seen


def test_no_server_is_worth_a_retry() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with reaching(url) as here, pytest.raises(ManagerUnavailable) as raised:
            here.call("POST", "/")
    assert "AO742" == raised.value.code
    assert TOKEN not in raised.value.message


def test_an_answer_that_is_too_long_is_not_read() -> None:
    with (
        Told(lambda _: ok(b"x" * 1001)) as server,
        reaching(server.url, longest=1000) as here,
        pytest.raises(ManagerError) as raised,
    ):
        here.call("GET", "/")
    assert "AO744" == raised.value.code


def test_what_is_no_json_is_said_to_be_none() -> None:
    with Told(lambda _: ok(b"<html>")) as server, reaching(server.url) as here:
        answer = here.call("GET", "/")
        with pytest.raises(ManagerError) as raised:
            answer.json()
    assert "AO744" == raised.value.code


DRIPPING = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
}
"""What drips → the answer until there."""


@pytest.fixture(params=itertools.product(DRIPPING, [False, True]), ids=str)
def dripping(request: pytest.FixtureRequest, tls: Certificates) -> Iterator[str]:
    """A server that begins to answer and never ends: a byte whenever the client waits."""
    what, safe = request.param
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.server, tls.server_key)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            plain, _ = listening.accept()
            plain.settimeout(10)
            with context.wrap_socket(plain, server_side=True) if safe else plain as peer:
                peer.recv(65536)
                peer.sendall(DRIPPING[what])
                while not done.wait(0.005):
                    try:
                        peer.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http{'s' * safe}://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


def test_a_server_that_drips_does_not_hold_us_for_ever(dripping: str, tls: Certificates) -> None:
    reach = reaching(dripping, total=0.3, ca_file=tls.authority)
    with reach as here, pytest.raises(ManagerUnavailable) as raised:
        here.call("POST", "/")
    assert "AO742" == raised.value.code


def test_the_named_authority_is_believed_and_no_other(tls: Certificates) -> None:
    with Told(lambda _: ok(), tls=tls) as server:
        with reaching(server.url, ca_file=tls.authority) as here:
            assert 200 == here.call("GET", "/").status
        with reaching(server.url) as here, pytest.raises(ManagerError) as raised:
            here.call("GET", "/")
    assert ("AO743", False) == (raised.value.code, raised.value.retryable)


def test_a_client_says_who_it_is_when_it_is_told_to(tls: Certificates) -> None:
    ours = {"client_cert": tls.client, "client_key": tls.client_key}
    with Told(lambda _: ok(), tls=tls, mutual=True) as server:
        with reaching(server.url, ca_file=tls.authority, **ours) as here:
            assert 200 == here.call("GET", "/").status
        with reaching(server.url, ca_file=tls.authority) as here, pytest.raises(ManagerError):
            here.call("GET", "/")


def test_a_proxy_is_used_when_one_is_named() -> None:
    with Told(lambda _: ok()) as proxy, reaching("http://127.0.0.1:9/x", proxy=proxy.url) as here:
        assert 200 == here.call("GET", "/v1").status
    assert ["http://127.0.0.1:9/x/v1"] == [seen.path for seen in proxy.seen]


@pytest.mark.parametrize(
    "url",
    [
        "http://manager.bank.example",
        "ftp://manager.bank.example",
        "https://",
        "https://user:word@manager.bank.example",
        "https://manager.bank.example/?token=x",
        "https://manager.bank.example:port",
        "https://[::1",
        "manager.bank.example",
    ],
)
def test_a_url_that_cannot_be_used_or_would_show_the_token_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        reaching(url)
    assert "AO740" == raised.value.code
    assert "word" not in raised.value.message.replace("password", "")


def test_files_and_proxies_that_are_none_are_refused(tmp_path: Path) -> None:
    for more in ({"ca_file": tmp_path / "none.pem"}, {"proxy": "ftp://x"}):
        with pytest.raises(UsageError) as raised:
            reaching("https://manager.bank.example", **more)
        assert "AO741" == raised.value.code


def test_neither_token_nor_body_shows_in_what_is_printed_or_raised() -> None:
    def broken(_request: Request) -> Reply:
        raise ConnectionResetError

    with (
        Told(broken) as server,
        reaching(server.url) as here,
        pytest.raises(ApiopsError) as raised,
    ):
        here.call("POST", "/", json={"password": "hunter2"})
    shown = f"{raised.value!r} {raised.value.hint} {here!r} {raised.value.__cause__!r}"
    assert TOKEN not in shown
    assert "hunter2" not in shown


def test_trying_again_writes_nothing_of_its_own_accord() -> None:
    program = (
        "from apiops.remote.client import Client, Reach\n"
        "from apiops.errors import ManagerUnavailable\n"
        "reach = Reach('http://127.0.0.1:1', pause=0.001, attempts=3)\n"
        "try:\n"
        "    Client(reach, lambda: None).call('GET', '/')\n"
        "except ManagerUnavailable as fault:\n"
        "    print(fault.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, env=process.environment(),
    )  # fmt: skip
    assert ("AO742\n", "") == (done.stdout, done.stderr)
