"""A commit that the server fetches by itself: curl is enough, and no client names an address."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.remoteshop import Remote, remote
from tests.serving import a_token
from tests.shop import AYSE, DENIZ, MERT, a_proxy

TIMEOUT = ("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Remote]:
    """A server that follows the shop's own repository."""
    with remote(tmp_path, database, fetch_from=(tmp_path / "repo").as_uri()) as shop:
        yield shop


def submit(shop: Remote, what: str, head: str, **more: Any) -> tuple[int, Any]:
    """A submission without a pack."""
    form = {"repository": shop.lineage, "head": head, **more}
    body, media = urllib3.encode_multipart_formdata(form)
    answer = urllib3.request(
        "POST",
        f"{shop.url}/v1/targets/dev/{what}",
        body=body,
        headers={"Content-Type": media, "Authorization": f"Bearer {shop.token}"},
        timeout=60,
    )
    return answer.status, answer.json()


def begin(shop: Remote) -> None:
    service, shop.token = shop.token, a_token(shop.open, "ayse", "plan", "apply")
    order = json.dumps({"introduction": shop.first, "approver": "ayse"})
    status, answer = submit(shop, "runs", shop.first, order=order)
    assert 200 == status, answer
    shop.token = service


def test_a_commit_is_planned_and_applied_by_its_name_alone(shop: Remote) -> None:
    begin(shop)
    head = shop.commit(MERT, {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}, "Wait")
    status, planned = submit(shop, "plans", head)
    assert (200, 2) == (status, len(planned["view"]["plan"]["changes"])), planned
    assert (
        planned["view"]["plan"]["digest"] == shop.there("plan", "-o", "json").json["plan"]["digest"]
    )
    status, carried = submit(shop, "runs", head)
    assert 200 == status, carried
    assert "No changes" in shop.there("plan").out
    assert [] == submit(shop, "plans", head)[1]["view"]["plan"]["changes"]
    assert "No changes" in shop.there("drift").out + shop.there("plan").out


def test_its_committers_are_judged_all_the_same(shop: Remote) -> None:
    begin(shop)
    files = {"payments/orders.yaml": a_proxy("orders").replace(*TIMEOUT)}
    head = shop.commit(DENIZ, files, "Not mine")
    status, planned = submit(shop, "plans", head)
    judged = planned["view"]["verdicts"]["judgements"]
    assert (200, True) == (status, all(one["causes"] for one in judged)), planned
    written = shop.open.verify().entries
    status, carried = submit(shop, "runs", head)
    assert 200 == status, carried
    assert ["payments"] == carried["report"]["frozen"]
    assert written < shop.open.verify().entries, "the denial is an entry"


def test_what_is_on_no_branch_is_not_applied(shop: Remote) -> None:
    begin(shop)
    status, answer = submit(shop, "plans", "f" * 40)
    assert (422, "AO824") == (status, answer["code"])
    for strange in ("refs/heads/main", "main", "../../etc", "-u", "F" * 40, "https://evil.example"):
        assert 400 == submit(shop, "plans", strange)[0]
    assert 422 == submit(shop, "plans", shop.first, repository="a" * 40)[0]


def test_many_that_ask_at_once_are_all_answered(shop: Remote) -> None:
    begin(shop)
    head = shop.commit(AYSE, {"cards/limits.yaml": None}, "Fewer")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(submit(shop, "plans", head)[0]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [200] * 6 == found


def test_a_server_that_follows_nothing_fetches_nothing(tmp_path: Path) -> None:
    with remote(tmp_path, f"sqlite:///{tmp_path}/m.db") as shop:
        status, answer = submit(shop, "plans", shop.first)
    assert (400, "AO787") == (status, answer["code"])
    assert "--fetch-from" in answer["hint"]


def test_a_repository_that_is_gone_is_worth_another_try(tmp_path: Path) -> None:
    gone = (tmp_path / "nowhere").as_uri()
    with remote(tmp_path, f"sqlite:///{tmp_path}/m.db", fetch_from=gone) as shop:
        status, answer = submit(shop, "plans", shop.first)
    assert (503, "AO812", True) == (status, answer["code"], answer["retryable"])
    assert "nowhere" not in str(answer)  # what the server fetches from is its own business
