"""Where judging begins, and what happens when history is not what it was: on real Git."""

import shutil
from pathlib import Path

import pytest

from apiops.errors import Conflict, ManagerUnavailable
from apiops.ports import Batch
from apiops.wiring import assemble
from tests.histories import CEM, LIMITS, ORDERS, REFUNDS, Tale, limits, orders, refunds
from tests.managers import a_context
from tests.shop import AYSE, DENIZ, MERT, Shop, the_bank


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def test_a_force_push_back_is_refused_by_whomever(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    tale.reset(tale.base)
    done = tale.sync()
    assert 5 == done.code
    assert "AO625" in done.err
    assert 90 == tale.live()["payments/orders"]


def test_a_rewritten_history_is_refused(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    tale.commit(MERT, {ORDERS: orders(91)}, "Amended", parents=[tale.base])
    assert 5 == tale.sync().code
    assert 90 == tale.live()["payments/orders"]


def test_a_rewrite_is_healed_by_bringing_the_applied_commit_back(tale: Tale) -> None:
    lost = tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    amended = tale.commit(MERT, {REFUNDS: refunds()}, "Amended", parents=[tale.base])
    tale.commit(MERT, {ORDERS: orders(90)}, "Bring it back", parents=[amended, lost])
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_a_rewrite_of_what_was_not_applied_yet_is_nobodys_business(tale: Tale) -> None:
    tale.commit(CEM, {ORDERS: orders(90)})
    assert 4 == tale.sync().code
    tale.commit(MERT, {ORDERS: orders(91)}, "Instead", parents=[tale.standing()["cards"]])
    assert 4 == tale.sync().code
    tale.commit(DENIZ, {LIMITS: limits(90)}, "Other", parents=[tale.base])
    done = tale.sync()
    assert 5 == done.code, "cards and system were at the commit that is gone now"


def test_an_unrelated_history_is_another_repository_and_begins_with_nothing(tale: Tale) -> None:
    tale.commit(CEM, {**the_bank(), ORDERS: orders(90)}, "A new beginning", parents=[])
    assert 5 == tale.sync().code, "everything belongs to the inventory of another repository"
    done = tale.run("sync", "--allow", "adopt")
    assert 4 == done.code
    assert "--introduction COMMIT --approver NAME" in done.err
    assert 60 == tale.live()["payments/orders"]


def test_a_shallow_clone_is_told_to_fetch_more(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(80)})
    edge = tale.commit(MERT, {ORDERS: orders(90)})
    tale.commit(MERT, {ORDERS: orders(91)})
    (tale.repository / ".git/shallow").write_text(f"{edge}\n")
    done = tale.sync()
    assert 3 == done.code
    assert "AO808" in done.err
    assert "fetch" in done.err
    assert 60 == tale.live()["payments/orders"]


def test_a_base_commit_that_git_collected_stops_the_run(tale: Tale) -> None:
    """The ledger names a commit that no ref held any longer and that `git gc` took away."""
    lost = tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    tale.commit(MERT, {ORDERS: orders(91)}, "Amended", parents=[tale.base])
    (tale.repository / ".git/objects" / lost[:2] / lost[2:]).unlink()
    done = tale.sync()
    assert 3 == done.code
    assert "AO818" in done.err
    assert 90 == tale.live()["payments/orders"]


def test_refs_replace_shows_people_another_history_than_apiops_reads(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    good = tale.commit(MERT, {ORDERS: orders(90)}, branch="decoy", parents=[tale.base])
    replace = tale.repository / ".git/refs/replace"
    replace.mkdir(parents=True)
    (replace / bad).write_text(f"{good}\n")
    assert (bad,) == tale.judged().guilty


def test_grafts_do_not_cut_a_bad_commit_out(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    head = tale.commit(MERT, {REFUNDS: refunds()})
    info = tale.repository / ".git/info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(f"{head} {tale.base}\n")
    assert (bad,) == tale.judged().guilty


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A bank with a Manager that has never seen a commit."""
    made = Shop(tmp_path)
    made.commit(AYSE, the_bank(), "Describe the bank")
    assert made.manager().code == 0
    return made


def introduce(shop: Shop, commit: str, approver: str = "ayse") -> tuple[int, str]:
    done = shop.run("apply", "--yes", "--introduction", commit, "--approver", approver)
    return done.code, done.err


def test_a_first_sync_begins_at_the_introduction(shop: Shop) -> None:
    assert 0 == introduce(shop, shop.story.open().resolve("main").commit)[0]
    assert 0 == shop.run("plan", "--detailed-exitcode").code


def test_a_first_sync_may_begin_after_commits_that_nobody_signed(shop: Shop) -> None:
    shop.commit(CEM, {ORDERS: orders(90)}, signed=False)
    here = shop.commit(AYSE, {}, "We begin here")
    assert 0 == introduce(shop, here)[0]


@pytest.mark.parametrize("signed", [True, False])
def test_an_introduction_is_signed_by_its_approver_or_nothing(shop: Shop, signed: bool) -> None:
    here = shop.commit(CEM, {}, "We begin here", signed=signed)
    code, err = introduce(shop, here)
    assert 4 == code
    assert "AO532" in err
    assert 4 == introduce(shop, here, "cem")[0]


def test_what_comes_after_the_introduction_is_judged(shop: Shop) -> None:
    here = shop.commit(AYSE, {}, "We begin here")
    shop.commit(CEM, {ORDERS: orders(90)})
    code, err = introduce(shop, here)
    assert 4 == code
    assert "ApiProxy/payments/orders" in err


def test_an_introduction_that_is_not_in_the_history_is_refused(shop: Shop) -> None:
    head = shop.story.open().resolve("main").commit
    alien = shop.commit(AYSE, {}, "Elsewhere", branch="alien", parents=[])
    shop.story.commit(AYSE, {}, "On", parents=[head])
    assert 5 == introduce(shop, alien)[0]


def test_the_first_introduction_stays_whatever_a_later_run_says(tale: Tale) -> None:
    late = tale.commit(AYSE, {"payments/ledger.yaml": orders(60).replace("orders", "ledger")})
    tale.commit(CEM, {ORDERS: orders(90)})
    done = tale.run("apply", "--yes", "--introduction", late, "--approver", "ayse")
    assert 4 == done.code
    assert 60 == tale.live()["payments/orders"]


def test_every_applied_revision_is_a_link_of_a_chain(tale: Tale) -> None:
    for timeout in (90, 91):
        tale.commit(MERT, {ORDERS: orders(timeout)})
        tale.settle()
    with assemble.manager(tale.target()) as manager:
        chain = manager.history(tale.base, "dev", "payments")
    assert [1, 2, 3] == [link.serial for link in chain]
    assert [link.digest for link in chain[:-1]] == [link.previous for link in chain[1:]]
    assert 3 == len({link.digest for link in chain})
    assert 0 == tale.run("audit", "verify").code


def test_a_unit_moves_by_compare_and_set(tale: Tale) -> None:
    head = tale.commit(MERT, {ORDERS: orders(90)})
    tale.settle()
    main = tale.story.open().resolve("main")
    with (
        assemble.manager(tale.target()) as manager,
        manager.lease(f"{tale.base}/dev", "late") as fence,
    ):
        late = Batch(tale.base, "dev", "payments", tale.base, main, (), a_context("ayse"), fence)
        with pytest.raises(Conflict) as refused:
            manager.write(late)
    assert 5 == refused.value.exit_code
    assert head == tale.standing()["payments"]


def test_of_two_runs_at_once_one_does_it_and_the_other_is_sent_away(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    with (
        assemble.manager(tale.target()) as manager,
        manager.lease(f"{tale.base}/dev", "the other run"),
    ):
        assert 7 == tale.sync().code
        with pytest.raises(ManagerUnavailable), manager.lease(f"{tale.base}/dev", "third"):
            pass
    tale.settle()
    assert 90 == tale.live()["payments/orders"]


def test_a_plan_that_another_run_overtook_is_stale(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    file = tale.folder / "plan.json"
    assert 0 == tale.run("plan", "--out", file).code
    tale.settle()
    assert 5 == tale.run("apply", file).code


def test_runs_from_two_clones_end_in_one_state(tale: Tale) -> None:
    tale.commit(MERT, {ORDERS: orders(90)})
    clone = tale.folder / "clone"
    shutil.copytree(tale.repository, clone)
    other = tale.run("sync", "-C", clone, "--config", clone / "apiops.toml")
    assert (0, 0) == (other.code, tale.sync().code)
    with assemble.manager(tale.target()) as manager:
        assert 2 == len(manager.history(tale.base, "dev", "payments"))
