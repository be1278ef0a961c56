"""A plan with nothing to do against a vendor's Manager is said again while that one shows the same."""

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apiops.manager import embedded
from apiops.manager.book import SqlBook
from apiops.model.plan import Action, Change
from apiops.model.resource import ResourceId
from apiops.ports import Batch, Write
from tests import ledgers, managers
from tests.dying import Ended, Mortals
from tests.remote.bank import DOCUMENT, PROXY, VendorShop, manifest
from tests.shop import MERT, Done
from tests.standin import Standin


@pytest.fixture(params=["", "policies-nameless"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VendorShop]:
    with VendorShop(tmp_path, *filter(None, [request.param])) as shop:
        shop.variables |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": "true"}
        shop.begin()
        assert "No changes." in shop.run("plan").out
        shop.world.requests.clear()
        yield shop


def recalled(done: Done) -> bool:
    """Whether no line was walked: a walk shows CI its progress on stderr."""
    assert 0 == done.code, done.err
    return "reading" not in done.err


def test_it_is_said_again_for_the_requests_of_one_reading(bank: VendorShop) -> None:
    said = bank.run("plan")
    asked = sorted(bank.world.requests)
    assert recalled(said)
    assert "No changes." in said.out
    assert {"GET"} == {method for method, _ in asked}

    bank.world.requests.clear()
    whole = bank.run("plan", "--pull-request", "7")
    assert not recalled(whole)
    assert (said.out, asked) == (whole.out, sorted(bank.world.requests))


def test_an_edit_in_the_console_is_seen(bank: VendorShop) -> None:
    bank.world.projects["payments"].ip_groups["offices"]["ipList"] = ["203.0.113.0/24"]
    done = bank.run("plan")
    assert not recalled(done)
    assert "offices" in done.out


def test_a_commit_and_a_setting_are_seen(bank: VendorShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})
    bank.world.requests.clear()
    done = bank.run("plan")
    assert not recalled(done)
    assert "60 → 30" in done.out
    assert 1 == sum(path == "/apiops/projects/" for _, path in bank.world.requests)


def part_and_whole(bank: VendorShop) -> tuple[Done, Done]:
    """The same plan from what is settled, and from nothing; for the same requests."""
    bank.world.requests.clear()
    part = bank.run("plan", "-o", "json")
    asked = sorted(bank.world.requests)
    bank.world.requests.clear()
    cache = bank.variables["XDG_CACHE_HOME"]
    bank.variables["XDG_CACHE_HOME"] = f"{cache}-that-is-empty"
    whole = bank.run("plan", "-o", "json")
    bank.variables["XDG_CACHE_HOME"] = cache
    assert PART not in whole.err
    if PART in part.err and WHOLE not in part.err:
        assert asked == sorted(bank.world.requests)
    return part, whole


EACH = 15
"""Of so many steps it dies at one; the last few are not the same number in every run."""

LATER = timedelta(minutes=10)
"""When the lease of the dead has ended."""

PART, WHOLE = "specifications that are not settled", "reading the specifications\n"
SLOWER = manifest("ApiProxy", "orders", PROXY.replace("readTimeout: 60", "readTimeout: 30"))
ANOTHER = PROXY.replace("/orders]", "/more]").replace("name: throttle", "name: brake")
NET = "spec: {ipList: [10.0.0.0/8]}\n"
MOVES: dict[str, tuple[bool, dict[str, str | None]]] = {
    "change a proxy": (True, {"payments/orders.yaml": SLOWER}),
    "add a proxy": (True, {"payments/more.yaml": manifest("ApiProxy", "more", ANOTHER)}),
    "change a document": (True, {"payments/orders.openapi.yaml": DOCUMENT.replace("new", "big")}),
    "change a group": (True, {"payments/offices.yaml": manifest("IpGroup", "offices", NET)}),
    "say nothing of resources": (False, {"README.md": "The bank."}),
    "leave a group out": (False, {"payments/offices.yaml": None}),
    "make a mistake": (False, {"payments/offices.yaml": "kind: IpGroup\n"}),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_change_is_planned_without_what_is_settled(bank: VendorShop, move: str) -> None:
    apart, files = MOVES[move]
    bank.commit(MERT, files)

    part, whole = part_and_whole(bank)

    assert apart is (PART in part.err and WHOLE not in part.err), part.err
    assert (whole.code, whole.out) == (part.code, part.out)


def carried_out(bank: VendorShop) -> tuple[Done, Any]:
    """What an apply says, sends and leaves in the ledger; all is as before then."""
    before, projects = ledgers.kept(bank.folder), copy.deepcopy(bank.world.projects)
    bank.world.requests.clear()
    bank.world.bodies.clear()
    try:
        done = bank.run("apply", "--yes", "-o", "json")
        report = {k: v for k, v in done.json["report"].items() if k not in ("run", "seconds")}
        sent = sorted(map(repr, (*bank.world.requests, *bank.world.bodies)))
        sent = [one.replace(done.json["report"]["run"][:12], "") for one in sent]
        return done, (done.code, report, sent, ledgers.rows(bank.folder))
    finally:
        before.back()
        bank.world.projects = projects


@pytest.mark.parametrize("move", MOVES)
def test_a_change_is_applied_without_what_is_settled(bank: VendorShop, move: str) -> None:
    """The same calls, the same ledger and journal, the same report."""
    apart, files = MOVES[move]
    bank.commit(MERT, files)

    done, part = carried_out(bank)
    bank.variables["XDG_CACHE_HOME"] += "-that-is-empty"
    _, whole = carried_out(bank)

    assert apart is (PART in done.err and WHOLE not in done.err), done.err
    assert whole == part


def test_an_edit_in_the_console_is_set_right_by_the_apply_that_sees_it(bank: VendorShop) -> None:
    bank.commit(MERT, {"payments/orders.yaml": SLOWER})
    bank.world.projects["payments"].ip_groups["offices"]["ipList"] = ["203.0.113.0/24"]

    done = bank.run("apply", "--yes")

    assert (0, True, True) == (done.code, PART in done.err, WHOLE in done.err)
    offices = bank.world.projects["payments"].ip_groups["offices"]
    assert ["203.0.113.0/24", "198.51.100.7"] == offices["ipList"]


def test_an_apply_that_dies_in_a_part_is_ended_by_the_next(tmp_path: Path) -> None:
    """Whatever it had begun is another state of the ledger, in which nothing is settled."""
    with VendorShop(tmp_path) as bank, Mortals() as mortals:
        bank.variables |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": "true"}
        bank.begin()
        assert "No changes." in bank.run("plan").out
        bank.commit(MERT, {**MOVES["change a group"][1], **MOVES["change a proxy"][1]})
        before, projects = ledgers.kept(tmp_path), copy.deepcopy(bank.world.projects)

        def apply(at: int = 0, later: timedelta = timedelta()) -> Ended:
            place = {"cwd": bank.repository, "variables": bank.variables}
            return mortals.run("apply", "--yes", **place, at=at, later=later)

        whole = apply()
        assert PART in whole.err
        for at in range(1, whole.steps - EACH, EACH):
            before.back()
            bank.world.projects = copy.deepcopy(projects)
            assert None is apply(at).code, f"not killed at step {at}"
            ended = apply(later=LATER)
            assert 0 == ended.code, f"after a death at step {at}: {ended.out}{ended.err}"
            assert ["10.0.0.0/8"] == bank.world.projects["payments"].ip_groups["offices"]["ipList"]
            assert "No changes." in bank.run("plan").out, f"after a death at step {at}"


def test_nothing_is_settled_that_somebody_edited_in_the_console(bank: VendorShop) -> None:
    bank.commit(MERT, {"payments/orders.yaml": SLOWER})
    bank.world.projects["payments"].ip_groups["offices"]["ipList"] = ["203.0.113.0/24"]

    part, whole = part_and_whole(bank)

    assert whole.out == part.out
    assert {"orders", "offices"} <= {
        change["id"]["name"] for change in part.json["plan"]["changes"]
    }


def test_what_uses_a_provider_has_a_say_in_what_it_can_lose(bank: VendorShop) -> None:
    """The guard must see it, though no line of it was changed."""
    provider = manifest("LlmProvider", "models", "spec: {providerType: OPENAI, apiKey: '${KEY}'}\n")
    route = "{llmProviderRefName: models, modelId: small}"
    chat = f"spec: {{type: AI, clientRoute: {{relativePathList: [/chat]}}, aiRouting: {route}}}\n"
    bank.commit(
        MERT,
        {
            "payments/models.yaml": provider,
            "payments/chat.yaml": manifest("ApiProxy", "chat", chat),
        },
    )
    assert 0 == bank.run("apply", "--yes").code
    assert "No changes." in bank.run("plan").out
    bare = manifest("LlmProvider", "models", "spec: {providerType: OPENAI}\n")
    bank.commit(MERT, {"payments/models.yaml": bare})

    part, whole = part_and_whole(bank)

    assert (5, whole.out) == (part.code, part.out)
    assert "AO619" in part.out


def test_what_a_killed_run_began_is_seen(bank: VendorShop) -> None:
    """Its journal is in the ledger, and what it wrote may be where the Manager shows nothing."""
    url, key = f"sqlite:///{bank.folder}/dev.db", bank.folder / "dev.db.key"
    opened = embedded.open_manager(url, key_file=key)
    id = ResourceId("ApiProxy", "payments", "orders")
    lineage = bank.story.open().lineage
    write = Write(Change(Action.UPDATE, id), None, ("mert",), managers.a_context())
    book = SqlBook(*opened.parts)
    with book.lease(f"{lineage}/dev", "killed") as fence:
        batch = Batch(lineage, "dev", "payments", None, None, (write,), managers.a_context(), fence)
        book.intend(batch, [(write, "PATCH")])
    opened.close()

    done = bank.run("plan")
    assert not recalled(done)
    assert "orders" in done.out


def test_a_token_that_does_not_count_says_so(bank: VendorShop) -> None:
    bank.variables["APIOPS_TOKEN"] = "another"
    assert "AO761" in bank.run("plan").err


def test_a_manager_that_is_away_says_so(bank: VendorShop) -> None:
    bank.standin.__exit__(None, None, None)
    assert "AO742" in bank.run("plan").err
    bank.standin = Standin().__enter__()  # for the fixture to end
