"""Leases over HTTP: what keeps runs off, whose it is, and that nobody is kept off by accident."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from apiops.errors import ApiopsError, Conflict, ManagerUnavailable
from apiops.manager.leases import LIFE
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from tests.managers import NOON, REPOSITORY, a_resource, a_write, write_batch
from tests.serving import a_token
from tests.web.conftest import Api

HERE = "/v1/targets/production/leases"
NAME = f"{REPOSITORY}/production"
WHY = "Failover of the data centre"
OTHER = "a" * 40
MOMENT = timedelta(seconds=1)


@pytest.fixture
def desk(api: Api) -> Api:
    """A second administrator, zeynep, and for ayse a second token."""
    roles = {"email": "zeynep@bank.example", "systemRoles": ["sysAdmin"]}
    made = a_write(Action.CREATE, a_resource("User", "zeynep", roles, None))
    write_batch(api.house.manager, made, unit="system", base=2, number=3)
    for name, who in (("zeynep", "zeynep"), ("ayse-2", "ayse")):
        api.tokens[name] = a_token(api.house.manager, who, "read", "write")
    return api


def take(api: Api, as_: str = "ayse", path: str = HERE, **more: Any) -> Any:
    body = {"repository": REPOSITORY, "reason": WHY, **more}
    return api.call("POST", path, as_=as_, json=body)


def renew(api: Api, fence: int | str, as_: str = "ayse", repository: str = REPOSITORY) -> Any:
    body = {"repository": repository}
    return api.call("POST", f"{HERE}/{fence}/renew", as_=as_, json=body)


def release(api: Api, fence: int, as_: str = "ayse", repository: str = REPOSITORY) -> Any:
    body = {"repository": repository, "reason": "Over"}
    return api.call("POST", f"{HERE}/{fence}/release", as_=as_, json=body)


def said(answer: Any) -> tuple[int, str]:
    """The status, and the code of what went wrong."""
    return answer.status, answer.json().get("code", "")


def fence_of(answer: Any) -> int:
    assert 200 == answer.status, answer.data
    return int(answer.json()["fence"])


def run(api: Api) -> None:
    """A run that writes nothing; it takes the lease in another process."""
    with api.house.another().lease(NAME, "run-9"):
        pass


def entries(api: Api) -> list[tuple[str, str]]:
    """Who did what, newest first."""
    found = api.house.manager.entries(AuditQuery(action="lease", limit=0))
    return [(one.principal, one.outcome) for one in found]


def test_who_takes_it_is_told_what_they_hold(desk: Api) -> None:
    held = take(desk, job="deploy-17").json()
    token = desk.tokens["ayse"].split("_")[1]
    assert (NAME, f"ayse:{token}:deploy-17") == (held["name"], held["holder"])
    left = datetime.fromisoformat(held["expires"]) - NOON
    assert LIFE <= left < LIFE + MOMENT
    shown = desk.get("/v1/leases", as_="zeynep").json()["leases"]
    assert held in shown


def test_a_run_waits_and_is_told_who_holds_it(desk: Api) -> None:
    held = take(desk).json()
    with pytest.raises(ManagerUnavailable) as refused:
        run(desk)
    assert ("AO718", True) == (refused.value.code, refused.value.retryable)
    assert refused.value.message.startswith(f"{held['holder']} holds the lease of {NAME}")
    assert 200 == release(desk, held["fence"]).status
    run(desk)


def test_a_run_is_not_disturbed(desk: Api) -> None:
    with desk.house.another().lease(NAME, "run-9"):
        refused = take(desk)
    assert (409, "AO718") == said(refused)
    assert "run run-9 holds the lease" in refused.json()["detail"]
    assert [] == entries(desk)


def test_it_is_the_lease_of_one_repository_and_one_target(desk: Api) -> None:
    fence = fence_of(take(desk, repository=OTHER))
    run(desk)
    assert (409, "AO719") == said(release(desk, fence))
    assert 200 == release(desk, fence, repository=OTHER).status


def test_it_lives_five_minutes_from_when_it_was_renewed_last(desk: Api) -> None:
    fence, clock = fence_of(take(desk)), desk.house.clock
    clock.at += LIFE - MOMENT
    assert fence == fence_of(renew(desk, fence))
    clock.at += LIFE - MOMENT
    assert (409, "AO718") == said(take(desk, "zeynep"))
    clock.at += 2 * MOMENT
    for late in (renew, release):
        assert (409, "AO719") == said(late(desk, fence))
    run(desk)


def test_whoever_was_overtaken_is_told_so(desk: Api) -> None:
    old, clock = fence_of(take(desk)), desk.house.clock
    clock.at += LIFE + MOMENT
    new = fence_of(take(desk, "zeynep"))
    assert new > old
    for late in (renew, release):
        assert (409, "AO719") == said(late(desk, old))
    assert new == fence_of(renew(desk, new, "zeynep"))


def test_a_request_that_is_sent_again_is_the_same_for_the_same_job(desk: Api) -> None:
    fence = fence_of(take(desk, job="deploy-17"))
    assert fence == fence_of(take(desk, job="deploy-17"))
    for another in ({"job": "deploy-18"}, {}, {"job": "deploy-17", "as_": "ayse-2"}):
        assert (409, "AO718") == said(take(desk, **another))


def test_a_person_goes_on_with_another_token_of_theirs(desk: Api) -> None:
    fence = fence_of(take(desk))
    assert fence == fence_of(renew(desk, fence, "ayse-2"))
    assert 200 == release(desk, fence, "ayse-2").status
    assert (409, "AO719") == said(release(desk, fence))
    assert [("ayse", "released"), ("ayse", "taken")] == entries(desk)


def test_another_one_cannot_renew_it_but_break_it_and_that_is_on_record(desk: Api) -> None:
    fence = fence_of(take(desk))
    assert (403, "AO520") == said(renew(desk, fence, "zeynep"))
    broken = release(desk, fence, "zeynep")
    assert 200 == broken.status
    for late in (renew, release):
        assert (409, "AO719") == said(late(desk, fence))
    told = [("zeynep", "broken"), ("zeynep", "denied"), ("ayse", "taken")]
    assert told == entries(desk)
    entry = desk.house.manager.entry(broken.json()["entry"])
    assert entry is not None
    assert ("Over", "http", "127.0.0.1") == (entry.reason.text, entry.source, entry.address)
    assert {"repository", "holder", "fence"} == set(entry.delta or {})


def test_a_run_whose_lease_was_broken_writes_nothing_more(desk: Api) -> None:
    write = a_write(Action.CREATE, a_resource("IpGroup", "office", {"ipList": ["10.0.0.1"]}))
    with desk.house.manager.lease(NAME, "run-9") as fence:
        assert 200 == release(desk, fence).status
        with pytest.raises(Conflict) as refused:
            write_batch(desk.house.manager, write, base=2, number=3, fence=fence)
    assert "AO719" == refused.value.code
    assert ("ayse", "broken") == entries(desk)[0]
    run(desk)


@pytest.mark.parametrize("as_", ["mert", "deniz"])
def test_whoever_may_not_suspend_the_target_may_nothing_and_learns_nothing(
    desk: Api, as_: str
) -> None:
    free = take(desk, as_)
    fence = fence_of(take(desk))
    for answer in (
        take(desk, as_),
        *(way(desk, n, as_) for way in (renew, release) for n in (fence, 1)),
    ):
        assert (403, "AO520") == said(answer)
        assert free.json()["detail"] == answer.json()["detail"]
    assert [(as_, "denied")] * 5 + [("ayse", "taken"), (as_, "denied")] == entries(desk)
    assert [] == desk.get("/v1/leases", as_=as_).json()["leases"]
    assert [] == desk.get("/v1/audit?action=lease", as_=as_).json()["entries"]
    assert fence == fence_of(renew(desk, fence))


def test_a_token_must_be_for_it_and_for_the_repository(desk: Api) -> None:
    weak = a_token(desk.house.manager, "ayse", "read", "plan", "apply", "audit")
    bound = a_token(desk.house.manager, "ayse", "write", repository=OTHER)
    desk.tokens |= {"weak": weak, "bound": bound}
    for as_ in ("weak", "bound", "ci", "worker-production"):
        for answer in (take(desk, as_), renew(desk, 1, as_), release(desk, 1, as_)):
            assert (403, "AO780") == said(answer)
    assert 200 == take(desk, "bound", repository=OTHER).status
    assert (401, "AO781") == said(desk.call("POST", HERE, json={"repository": REPOSITORY}))


def test_a_fence_cannot_be_guessed_into_anything(desk: Api) -> None:
    fence = fence_of(take(desk))
    for guess in (1, fence - 1, fence + 1, 2**63 - 1):
        for way in (renew, release):
            assert (409, "AO719") == said(way(desk, guess))
    for wrong in ("0", "-1", "1e3", str(2**63), "%00", "renew", f"{fence}%20OR%201"):
        assert 400 == renew(desk, wrong).status, wrong
    assert fence == fence_of(renew(desk, fence))


@pytest.mark.parametrize(
    "path",
    [
        HERE.replace("production", other)
        for other in ("test", "production%2F", "production%0A", "..%2Fdev")
    ],
)
def test_a_target_that_the_server_does_not_have_is_not_found(desk: Api, path: str) -> None:
    assert (404, "AO784") == said(take(desk, path=path))


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "../" * 13 + "x"},
        {"repository": REPOSITORY.upper()},
        {"repository": REPOSITORY + "\n"},
        {"repository": f"{REPOSITORY}/production"},
        {"reason": " "},
        {"reason": "a\0b"},
        {"job": "a:b"},
        {"job": "a b"},
        {"job": "deploy\n"},
        {"job": "x" * 65},
    ],
)
def test_words_that_are_none_are_refused(desk: Api, wrong: dict[str, str]) -> None:
    assert (400, "AO787") == said(take(desk, **wrong))
    assert [] == entries(desk)


def at_once(*ways: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(ways)) as pool:
        return [one.result() for one in [pool.submit(way) for way in ways]]


def test_of_many_at_once_one_holds_it(desk: Api) -> None:
    managers = [desk.house.another() for _ in range(3)]

    def a_run(number: int) -> str:
        try:
            with managers[number].lease(NAME, f"run-{number}"):
                return "it ran"
        except ApiopsError as refused:
            return refused.code

    hands = [lambda n=n: said(take(desk, job=f"job-{n}")) for n in range(5)]
    runs = [lambda n=n: a_run(n) for n in range(3)]
    told = at_once(*hands, *runs)
    assert {(200, ""), (409, "AO718")} >= set(told[:5])
    assert told[:5].count((200, "")) <= 1
    assert {"it ran", "AO718"} >= set(told[5:])
    held = [
        one for one in desk.get("/v1/leases", as_="ayse").json()["leases"] if one["name"] == NAME
    ]
    assert told[:5].count((200, "")) == len(held) == entries(desk).count(("ayse", "taken"))
    assert desk.house.manager.verify().first_bad is None


def test_many_of_the_same_job_hold_the_same(desk: Api) -> None:
    fences = at_once(*[lambda: fence_of(take(desk, job="deploy-17"))] * 6)
    assert 1 == len(set(fences))


def test_of_many_that_give_back_or_break_it_one_does(desk: Api) -> None:
    fence = fence_of(take(desk))
    told = at_once(*[lambda n=n: said(release(desk, fence, n)) for n in ("ayse", "zeynep") * 3])
    assert 1 == told.count((200, ""))
    assert {(200, ""), (409, "AO719")} == set(told)
    assert 2 == len(entries(desk))
