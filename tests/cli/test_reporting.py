"""What the forge is told, on each of them; and that a report which fails changes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forges import StandIn
from tests.shop import DENIZ, MERT, Done, Shop, a_proxy

KINDS = ("github", "gitlab", "gitea")
ORDERS = "payments/orders.yaml"


def orders(timeout: int) -> str:
    return a_proxy("orders").replace("readTimeout: 60", f"readTimeout: {timeout}")


@pytest.fixture(params=KINDS)
def forge(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with StandIn(request.param) as there:
        yield there


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    return made


def told(shop: Shop, forge: StandIn, *arguments: str, number: str = "17") -> Done:
    shop.variables.update(forge.variables(number))
    return shop.run(*arguments)


class TestComments:
    def test_a_plan_becomes_one_comment_that_is_edited_and_never_doubled(
        self, shop: Shop, forge: StandIn
    ) -> None:
        for timeout in (90, 91):
            shop.commit(MERT, {ORDERS: orders(timeout)})
            done = told(shop, forge, "plan", "--comment", "auto", "-o", "markdown")
            assert (0, False) == (done.code, "warning" in done.err)
            (comment,) = forge.comments.values()
            assert done.out.split() == comment.split()
        assert 2 == len(forge.writes())

    def test_one_that_says_so_already_is_left_alone(self, shop: Shop, forge: StandIn) -> None:
        shop.commit(MERT, {ORDERS: orders(90)})
        for _ in range(3):
            told(shop, forge, "plan", "--comment", "auto")
        assert ["POST"] == forge.writes()

    def test_auto_begins_none_that_says_nothing_but_takes_back_what_it_said(
        self, shop: Shop, forge: StandIn
    ) -> None:
        told(shop, forge, "plan", "--comment", "auto")
        assert {} == forge.comments
        shop.commit(MERT, {ORDERS: orders(90)})
        told(shop, forge, "plan", "--comment", "auto")
        shop.commit(MERT, {ORDERS: orders(60)})
        told(shop, forge, "plan", "--comment", "auto")
        (comment,) = forge.comments.values()
        assert "No changes." in comment

    def test_always_says_that_there_is_nothing(self, shop: Shop, forge: StandIn) -> None:
        told(shop, forge, "plan", "--comment", "always")
        (comment,) = forge.comments.values()
        assert "No changes." in comment

    def test_it_is_found_among_many_and_comments_of_people_stay(
        self, shop: Shop, forge: StandIn
    ) -> None:
        forge.comments |= {n: f"comment {n}" for n in range(1, 251)}
        shop.commit(MERT, {ORDERS: orders(90)})
        told(shop, forge, "plan", "--comment", "auto")
        shop.commit(MERT, {ORDERS: orders(91)})
        told(shop, forge, "plan", "--comment", "auto")
        assert 251 == len(forge.comments)
        assert "91" in forge.comments[251]

    def test_a_quote_of_it_is_not_it(self, shop: Shop, forge: StandIn) -> None:
        forge.comments[1] = "> <!-- apiops:plan:dev -->\nwhat is this?"
        shop.commit(MERT, {ORDERS: orders(90)})
        told(shop, forge, "plan", "--comment", "auto")
        assert forge.comments[1].startswith("> ")
        assert 2 == len(forge.comments)

    def test_on_a_push_there_is_nowhere_to_comment(self, shop: Shop, forge: StandIn) -> None:
        shop.commit(MERT, {ORDERS: orders(90)})
        done = told(shop, forge, "sync", "--comment", "auto", number="")
        assert (0, {}) == (done.code, forge.comments)

    def test_a_push_that_names_its_request_reports_there(self, shop: Shop, forge: StandIn) -> None:
        shop.commit(MERT, {ORDERS: orders(90)})
        told(shop, forge, "sync", "--comment", "auto", "--pull-request", "#17", number="")
        (comment,) = forge.comments.values()
        assert comment.startswith("<!-- apiops:report:dev -->")


class TestStatuses:
    def test_a_good_plan_is_a_success_on_its_commit(self, shop: Shop, forge: StandIn) -> None:
        head = shop.commit(MERT, {ORDERS: orders(90)})
        told(shop, forge, "plan", "--status", "--detailed-exitcode")
        (status,) = forge.statuses
        assert ("success", "apiops/plan (dev)") == (status["state"], status["called"])
        assert (head, "1 update, 1 deploy, 9 unchanged") == (
            status["commit"],
            status["description"],
        )
        assert status["target_url"].endswith("/9")

    def test_a_denied_one_is_a_failure(self, shop: Shop, forge: StandIn) -> None:
        shop.commit(DENIZ, {ORDERS: orders(90)})
        assert 4 == told(shop, forge, "sync", "--status").code
        (status,) = forge.statuses
        assert "fail" in status["state"]
        assert "2 denied" in status["description"]

    def test_it_stands_on_the_head_that_the_event_names(self, shop: Shop) -> None:
        event = shop.folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"head": {"sha": "ab" * 20}}}))
        shop.variables["GITHUB_EVENT_PATH"] = str(event)
        with StandIn("github") as forge:
            told(shop, forge, "plan", "--status")
            assert "ab" * 20 == forge.statuses[0]["commit"]


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "body"), [(403, b"{}"), (500, b"<html>"), (404, b""), (200, b"<html>")]
    )
    def test_a_report_that_fails_is_told_and_changes_nothing(
        self, shop: Shop, forge: StandIn, status: int, body: bytes
    ) -> None:
        shop.commit(MERT, {ORDERS: orders(90)})
        forge.fault = (status, {}, body)
        done = told(shop, forge, "sync", "--comment", "auto")
        assert 0 == done.code
        assert "warning: the forge was not told: AO" in done.err
        assert "No changes." in shop.run("plan").out

    def test_a_wrong_token_is_not_shown(self, shop: Shop, forge: StandIn) -> None:
        variables = {**forge.variables(), "APIOPS_FORGE_TOKEN": "wrong-forge-token"}
        shop.variables.update(variables)
        done = shop.run("plan", "--comment", "always")
        assert (0, True) == (done.code, "401" in done.err)
        assert "wrong-forge-token" not in done.err + done.out

    def test_a_forge_that_is_not_there_is_told(self, shop: Shop) -> None:
        with StandIn("github") as forge:
            shop.variables.update(forge.variables())
        shop.variables["GITHUB_API_URL"] = "https://127.0.0.1:1"
        done = shop.run("plan", "--status")
        assert (0, True) == (done.code, "AO742" in done.err)

    @pytest.mark.parametrize("lacks", ["GITHUB_TOKEN", "GITHUB_API_URL"])
    def test_what_the_job_does_not_know_is_named(self, shop: Shop, lacks: str) -> None:
        with StandIn("github") as forge:
            shop.variables.update(forge.variables())
            del shop.variables[lacks]
            done = shop.run("plan", "--comment", "always")
        assert (0, True) == (done.code, "AO921" in done.err)
        assert {} == forge.comments

    def test_a_request_that_is_no_number_is_refused(self, shop: Shop, forge: StandIn) -> None:
        done = told(shop, forge, "plan", "--comment", "always", "--pull-request", "../1")
        assert (0, True, {}) == (done.code, "AO921" in done.err, forge.comments)


def test_without_being_asked_nobody_is_called(shop: Shop, forge: StandIn) -> None:
    shop.commit(MERT, {ORDERS: orders(90)})
    told(shop, forge, "plan")
    assert [] == forge.server.seen
