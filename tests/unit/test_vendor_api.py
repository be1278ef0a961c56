"""One call of the Management API: every envelope, every refusal, and how fast we go."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from apiops.errors import ManagerError, ManagerUnavailable
from apiops.model.audit import Reason
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from apiops.remote.vendor import deploying
from apiops.remote.vendor.api import Absent, Api, Forbidden, Refused, Unknown, Upload, path
from apiops.remote.vendor.pace import LOST, MOST, Pace
from tests.servers import Told


class Answering(Told):
    """A server that gives one answer to everything."""

    def __init__(self) -> None:
        super().__init__(lambda _: (self.status, {"Content-Type": self.kind}, self.body))
        self.status, self.kind, self.body = 200, "application/json", b"{}"

    def says(self, tree: Any, status: int = 200) -> None:
        self.status = status
        self.body = tree if isinstance(tree, bytes) else json.dumps(tree).encode()


@pytest.fixture
def answering() -> Iterator[Answering]:
    with Answering() as server:
        yield server


@pytest.fixture
def api(answering: Answering) -> Iterator[Api]:
    with Client(Reach(answering.url, attempts=1), lambda: SecretValue("token")) as client:
        yield Api(client)


@pytest.mark.parametrize(
    "tree",
    [
        {"status": "SUCCESS", "resultList": [{"a": 1}]},
        {"success": True, "resultList": [{"a": 1}]},
        {"status": "SUCCESS", "success": True, "resultList": [{"a": 1}]},
        {"result": {"success": True}, "resultList": [{"a": 1}]},
    ],
)
def test_every_way_to_say_success(api: Api, answering: Answering, tree: Any) -> None:
    answering.says(tree)

    assert [{"a": 1}] == api.items(path("projects"))


@pytest.mark.parametrize(
    ("tree", "status", "error", "code"),
    [
        ({"status": "FAILURE", "resultMessage": "Project (x) is not found!"}, 400, Absent, "AO763"),
        ({"status": "FAIL", "message": "Invalid CORS settings"}, 400, Refused, "AO763"),
        ({"success": False, "resultMessage": "no"}, 200, Refused, "AO763"),
        ({"result": {"success": False}}, 200, Refused, "AO763"),
        (
            {"resultMessage": "User does not have required permission for this operation!"},
            400,
            Forbidden,
            "AO762",
        ),
        (
            {"error": "bad_request", "error_description": "Admin role required"},
            400,
            Forbidden,
            "AO762",
        ),
        ({"resultMessage": "Token was expired!"}, 401, Forbidden, "AO761"),
        (
            {
                "resultMessage": "Project (x) is not found or user does not have privilege to access it!"
            },
            400,
            Refused,
            "AO763",
        ),
        ({"resultMessage": "An unexpected error occurred"}, 500, Unknown, "AO764"),
        (b"<html>Bad Gateway</html>", 200, Unknown, "AO764"),
        ({"status": "FAILURE", "resultMessage": "An unexpected error"}, 404, Absent, "AO763"),
        ({"status": 404, "error": "Not Found", "path": "/apiops/x/"}, 404, Absent, "AO763"),
        (b"", 404, Unknown, "AO764"),
        (b"<html>Not Found</html>", 404, Unknown, "AO764"),
        ({"message": "no Route matched with those values"}, 404, Unknown, "AO764"),
        ({"status": 404, "error": "Not Found", "path": "/"}, 404, Unknown, "AO764"),
    ],
)
def test_every_way_to_say_no(
    api: Api, answering: Answering, tree: Any, status: int, error: type, code: str
) -> None:
    answering.says(tree, status)

    with pytest.raises(error) as found:
        api.call("GET", path("projects", "x"))

    assert (error, code) == (type(found.value), found.value.code)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"resultList": {}}', b'"fine"'])
def test_an_answer_without_a_list_is_not_an_empty_list(
    api: Api, answering: Answering, body: bytes
) -> None:
    answering.says(body)

    with pytest.raises(ManagerError) as found:
        api.items(path("projects"))

    assert "AO760" == found.value.code


def test_a_success_may_leave_its_empty_list_out(api: Api, answering: Answering) -> None:
    answering.says({"status": "SUCCESS", "resultCount": 0})

    assert [] == api.items(path("projects"))


def test_two_words_for_absent_and_forbidden_are_not_taken_for_absent(
    api: Api, answering: Answering
) -> None:
    said = "Environment (x) is not found or user does not have privilege to access it!"
    answering.says({"resultMessage": said}, 400)

    with pytest.raises(Refused) as found:
        api.call("GET", path("environments"))

    assert not isinstance(found.value, Absent)


def test_a_secret_that_the_manager_echoes_is_not_told_on(api: Api, answering: Answering) -> None:
    answering.says({"status": "FAILURE", "resultMessage": "password hunter2 is too short"}, 400)

    with pytest.raises(Refused) as found:
        api.call("GET", path("credentials"), hidden=("hunter2",))

    assert "hunter2" not in str(found.value)
    assert "(hidden)" in str(found.value)


def test_names_are_encoded_segment_by_segment() -> None:
    assert "/apiops/projects/My%20Project/llm-models/own%2Fm1/" == (
        path("projects", "My Project", "llm-models", "own/m1")
    )


def test_an_upload_shows_no_content_when_it_is_printed() -> None:
    upload = Upload({"alias": "a"}, {"file": ("a.pem", b"PRIVATE")})

    assert "PRIVATE" not in repr(upload)
    assert b"PRIVATE" in upload.encoded()[0]


def said(status: int, **headers: str) -> Answer:
    return Answer(status, headers, b"")


def test_refusals_halve_the_pace_and_good_answers_bring_it_back() -> None:
    pace = Pace()
    with pace.turn() as turn:
        turn.heard(said(429))
    assert MOST // 2 == pace.allowed

    for _ in range(100):
        with pace.turn() as turn:
            turn.heard(said(200))
    assert MOST == pace.allowed


def test_a_slow_answer_counts_as_too_much() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])

    with pace.turn() as turn:
        now[0] = 100.0
        turn.heard(said(200))

    assert MOST // 2 == pace.allowed


def test_waiting_as_asked_is_not_a_slow_answer() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    with pace.turn() as turn:
        turn.heard(said(429, **{"retry-after": "30"}))
        now[0] = 31.0
        turn.heard(said(200))

    assert MOST // 2 == pace.allowed


def test_when_the_manager_asks_to_wait_nobody_begins_before() -> None:
    pace, began = Pace(), time.monotonic()
    pace.tell(good=False, lost=False, pause=0.05)

    with pace.turn():
        assert time.monotonic() - began >= 0.05


def test_nobody_waits_for_what_is_after_the_deadline() -> None:
    pace = Pace(ends=time.monotonic() + 10)
    pace.tell(good=False, lost=False, pause=3600)

    with pytest.raises(ManagerUnavailable) as found, pace.turn():
        pass
    assert "AO742" == found.value.code


def test_a_call_that_is_put_off_to_the_end_may_be_tried_later(
    api: Api, answering: Answering
) -> None:
    answering.says({}, 429)
    with pytest.raises(ManagerUnavailable, match="too many requests"):
        api.items(path("projects"))


def test_answers_lost_in_a_row_open_the_circuit_and_one_good_one_closes_the_count() -> None:
    pace = Pace()
    for number in range(2 * LOST - 1):
        with pace.turn() as turn:
            turn.heard(said(200)) if number == LOST - 1 else turn.lost()
    with pace.turn() as turn:
        turn.lost()

    with pytest.raises(ManagerUnavailable) as found, pace.turn():
        pass
    assert "AO765" == found.value.code


def test_everybody_who_waits_for_a_turn_hears_that_the_circuit_is_open() -> None:
    pace, inside, go = Pace(most=1), threading.Event(), threading.Event()
    heard: list[str] = []

    def first() -> None:
        with pace.turn() as turn:
            inside.set()
            go.wait(10)
            for _ in range(LOST):
                turn.lost()

    def later() -> None:
        with pytest.raises(ManagerUnavailable) as found, pace.turn():
            pass
        heard.append(found.value.code)

    threads = [threading.Thread(target=each, daemon=True) for each in (first, *[later] * 4)]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)

    assert ["AO765"] * 4 == heard


def test_a_reason_is_cut_and_keeps_commit_signer_and_run() -> None:
    reason = Reason(text="word " * 100, commit="8d2f01c9" * 5)

    told = deploying.reason_text(reason, "mert", "0123456789abcdef")

    assert deploying.LONGEST_REASON >= len(told)
    assert told.startswith("8d2f01c98d ")
    assert told.endswith("… (by mert, run 0123456789ab)")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, []),
        ({"success": False, "detailList": []}, []),
        ({"success": True, "detailList": [{"success": True}]}, []),
        (
            {
                "success": False,
                "detailList": [{"success": False, "podName": "w-1", "detail": "refused"}],
            },
            ["w-1: refused"],
        ),
        (
            {
                "success": False,
                "deploymentResults": [
                    {"environmentName": "dev", "success": False, "message": "no"}
                ],
            },
            ["dev: no"],
        ),
        (
            {
                "success": False,
                "environmentResults": [
                    {"environmentName": "dev", "success": False, "message": "no"}
                ],
            },
            ["dev: no"],
        ),
        ({"deployed": False, "deployedEnvironments": [], "failedEnvironments": ["dev"]}, ["dev"]),
    ],
)
def test_what_a_deployment_result_says_in_each_of_its_shapes(
    result: Any, expected: list[str]
) -> None:
    assert expected == deploying.failures(result)
