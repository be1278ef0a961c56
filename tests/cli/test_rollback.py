"""The way back: one more commit, judged and applied as any other."""

from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from tests.people import Person
from tests.shop import AYSE, DENIZ, MERT, Done, Shop, a_proxy

ORDERS, LIMITS = "payments/orders.yaml", "cards/limits.yaml"


def waiting(timeout: int, name: str = "orders", project: str = "payments") -> str:
    return a_proxy(name, project).replace("readTimeout: 60", f"readTimeout: {timeout}")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    config = made.story.path / ".git/config"
    config.write_text(config.read_text() + "[user]\n\tname = Mert\n\temail = mert@bank.example\n")
    return made


def back(shop: Shop, to: str, *more: str, who: Person = MERT) -> Done:
    return shop.run("rollback", "--to", to, "--sign-key", shop.person_key(who), *more)


def test_the_files_come_back_and_with_them_the_gateway(shop: Shop) -> None:
    good = shop.commit(MERT, {ORDERS: waiting(90)}, "Wait longer")
    shop.commit(MERT, {ORDERS: waiting(5), "payments/new.yaml": a_proxy("new")}, "Hurry")
    assert 0 == shop.run("apply", "--yes").code
    done = back(shop, good)
    assert 0 == done.code, done.err
    assert "readTimeout 5 → 90" in done.out
    assert "- ApiProxy/payments/new" in done.out
    digest = shop.run("plan", "--ref", f"rollback-{good[:7]}", "-o", "json").json["plan"]["digest"]
    done = shop.run("apply", "--ref", f"rollback-{good[:7]}", "--approve", digest)
    assert 0 == done.code, done.out + done.err
    (entry,) = shop.run("audit", "list", "--action", "delete", "-o", "json").json["entries"]
    assert f"Roll back to {good[:7]}: Wait longer" == entry["reason"]["text"]


def test_nothing_is_applied_and_nothing_checked_out(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.run("apply", "--yes")
    head, file = shop.story.open().resolve("HEAD").commit, shop.repository / ORDERS
    before = file.read_text()
    back(shop, first)
    assert (head, before) == (shop.story.open().resolve("HEAD").commit, file.read_text())
    assert "No changes." in shop.run("plan").out


def test_only_a_folder_goes_back_if_only_that_is_named(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.commit(DENIZ, {LIMITS: waiting(5, "limits", "cards")}, "Hurry as well")
    shop.run("apply", "--yes")
    done = back(shop, first, "--only", "payments/")
    assert (0, True) == (done.code, "ApiProxy/payments/orders" in done.out)
    assert "ApiProxy/cards" not in done.out


def test_it_is_judged_by_who_signs_it(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.run("apply", "--yes")
    done = back(shop, first, who=DENIZ)
    assert (4, True) == (done.code, "R-not-member" in done.out)


def test_what_cannot_be_gone_back_to_is_named(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    shop.story.commit(AYSE, {ORDERS: waiting(7)}, "Elsewhere", branch="side", parents=[first])
    for to, exit, said in (
        ("nowhere", 3, "AO805"),
        ("side", 64, "is no earlier revision"),
        ("HEAD", 64, "is no earlier revision"),
    ):
        done = back(shop, to)
        assert (exit, True) == (done.code, said in done.err), done.err


def test_a_branch_that_exists_is_not_moved(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    head = shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = back(shop, first, "--branch", "main")
    assert (3, True, True) == (done.code, "exists already" in done.err, "--branch" in done.err)
    assert head == shop.story.open().resolve("main").commit


@pytest.mark.parametrize("branch", ["../x", "a b", "a..b", "-x\n", "x.lock"])
def test_a_name_that_git_would_not_take_is_refused(shop: Shop, branch: str) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = back(shop, first, f"--branch={branch}")
    assert (3, True) == (done.code, "is no name of a branch" in done.err)


def test_where_nothing_would_change_no_branch_is_made(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = back(shop, first, "--only", "cards")
    assert (3, True) == (done.code, "the same files" in done.err)


def test_a_programs_mode_comes_back_with_it(shop: Shop) -> None:
    repository = pygit2.Repository(str(shop.repository))
    index = pygit2.Index()
    index.read_tree(repository.revparse_single("main").peel(pygit2.Tree))
    blob = repository.create_blob(b"#!/bin/sh\n")
    index.add(pygit2.IndexEntry("tools/check", blob, FileMode.BLOB_EXECUTABLE))
    tree = index.write_tree(repository)
    who = pygit2.Signature("Mert", "mert@bank.example")
    parent = repository.revparse_single("main").id
    good = repository.create_commit("refs/heads/main", who, who, "Check", tree, [parent])
    shop.commit(MERT, {"tools/check": None, "README.md": "gone"}, "Remove")
    back(shop, str(good), "--only", "tools")
    restored = repository.revparse_single(f"rollback-{str(good)[:7]}").peel(pygit2.Tree)
    assert FileMode.BLOB_EXECUTABLE == restored["tools/check"].filemode
    assert "README.md" in restored


def test_a_path_that_is_in_neither_revision_is_named(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = back(shop, first, "--only", "payments", "--only", "paymnets/")
    assert (3, True) == (done.code, "'paymnets' is in neither" in done.err), done.err


def test_a_public_key_does_not_sign_and_the_private_one_is_asked_for(shop: Shop) -> None:
    first = shop.story.open().resolve("main").commit
    shop.commit(MERT, {ORDERS: waiting(5)}, "Hurry")
    done = shop.run("rollback", "--to", first, "--sign-key", shop.folder / "ayse.pub")
    assert (3, True) == (done.code, "without `.pub`" in done.err), done.err
