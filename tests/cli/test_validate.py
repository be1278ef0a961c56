"""`validate` looks at what is committed, and says when something is not."""

from pathlib import Path

import pytest

from tests.shop import Shop, run


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    return shop


def test_who_validates_an_edited_file_is_told_that_it_was_not_looked_at(shop: Shop) -> None:
    assert "--worktree" not in shop.run("validate").err
    (shop.repository / "payments/new.yaml").write_text("apiVersion: [\n")
    done = shop.run("validate")
    assert (0, True) == (done.code, "1 file is not as committed: --worktree" in done.err), done.err
    (shop.repository / "payments/orders.yaml").unlink()
    assert "2 files are not as committed" in shop.run("validate").err
    done = shop.run("validate", "--worktree")
    assert ("AO101" in done.out, "--worktree" in done.err) == (True, False)


def test_a_bare_repository_has_nothing_that_is_not_committed(shop: Shop) -> None:
    done = run("validate", cwd=shop.repository / ".git")
    assert (0, False) == (done.code, "--worktree" in done.err), done.err


def test_a_ref_that_is_named_is_what_is_looked_at(shop: Shop) -> None:
    (shop.repository / "new.yaml").write_text("x\n")
    assert "--worktree" not in shop.run("validate", "--ref", "main").err
