"""What a Manager over HTTP says becomes the error that it raised, and nothing worse."""

import json
from typing import Any

import pytest

from apiops import errors
from apiops.errors import ApiopsError, ManagerError, SpecInvalid
from apiops.model.audit import AuditQuery
from apiops.model.secret import SecretValue
from apiops.remote import answers
from apiops.remote.client import Client, Reach
from apiops.remote.log import NativeLog
from tests.servers import Reply, Told


def saying(status: int, body: Any, media: str = "application/problem+json") -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {"Content-Type": media}, content


def raised(reply: Reply) -> ApiopsError:
    with Told(lambda _: reply) as server:
        client = Client(Reach(server.url, pause=0.001, attempts=1), lambda: SecretValue("t"))
        with client, pytest.raises(ApiopsError) as fault:
            answers.told(client.call("GET", "/v1/x"))
    return fault.value


@pytest.mark.parametrize(
    "name",
    [n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, ApiopsError)],
)
def test_every_error_comes_back_as_itself(name: str) -> None:
    problem = {"error": name, "code": "AO123", "detail": "it went wrong", "hint": "do better"}
    fault = raised(saying(409, problem))
    assert (name, "AO123", "it went wrong") == (type(fault).__name__, fault.code, fault.message)


def test_diagnostics_and_places_come_back_too() -> None:
    place = {"path": "a.yaml", "line": 3, "column": 4}
    diagnostic = {"code": "AO203", "message": "unknown field", "location": place}
    problem = {"error": "SpecInvalid", "code": "AO203", "detail": "x", "diagnostics": [diagnostic]}
    fault = raised(saying(422, problem))
    assert isinstance(fault, SpecInvalid)
    assert ["a.yaml:3:4"] == [str(one.location) for one in fault.diagnostics]


@pytest.mark.parametrize(
    "reply",
    [
        saying(500, b"<html>", "text/html"),
        saying(502, {"message": "bad gateway"}, "application/json"),
        saying(400, b"{", "application/json"),
        saying(400, [1], "application/json"),
        saying(302, b"", "text/plain"),
        saying(200, b"<html>", "text/html"),
    ],
)
def test_what_no_manager_says_is_told_as_that(reply: Reply) -> None:
    fault = raised(reply)
    assert (ManagerError, "AO744") == (type(fault), fault.code)


def test_an_unknown_kind_of_error_is_a_managers_and_its_text_is_cleaned() -> None:
    problem = {"error": "os.system", "code": "AO999", "detail": "\x1b[2Jgone\r\n" + "x" * 9000}
    fault = raised(saying(400, problem))
    assert ManagerError is type(fault)
    assert fault.message.isprintable()
    assert len(fault.message) < 3000


@pytest.mark.parametrize("body", [{}, [], {"entries": 1}, {"entries": [{}]}, {"entries": [1]}])
def test_a_log_that_is_none_is_told_as_that(body: Any) -> None:
    with Told(lambda _: saying(200, body)) as server:
        client = Client(Reach(server.url), lambda: None)
        with client, pytest.raises(ManagerError) as fault:
            list(NativeLog(client).entries(AuditQuery()))
    assert "AO746" == fault.value.code
