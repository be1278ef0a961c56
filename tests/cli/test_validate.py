"""`validate` looks at what is committed, and says when something is not."""

from pathlib import Path

import pytest

from tests.shop import AYSE, Done, Shop, run, the_bank


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


class TestTheEnvironmentOfATarget:
    """`environment` in apiops.toml, which is the target's own name where it is left out."""

    SETTINGS = '[targets.dev]\nmanager = "sqlite:///../dev.db"\n# of the bank\n'

    def told(self, tmp_path: Path, settings: str, **files: str) -> Done:
        shop = Shop(tmp_path)
        shop.commit(AYSE, {**the_bank(), "apiops.toml": settings, **files})
        return shop.run("validate")

    def test_one_that_nobody_describes_is_shown_where_it_is_named(self, tmp_path: Path) -> None:
        done = self.told(tmp_path, self.SETTINGS + 'environment = "devv"\n')
        assert 3 == done.code
        assert "AO308" in done.out
        assert "apiops.toml:4:15" in done.out
        assert 'did you mean "dev"?' in done.out

    def test_a_targets_name_is_no_environment_by_itself(self, tmp_path: Path) -> None:
        done = self.told(tmp_path, self.SETTINGS.replace("targets.dev", "targets.production"))
        assert (3, True) == (done.code, "apiops.toml:1:1" in done.out)
        assert "the repository describes dev" in done.out

    def test_it_stops_a_plan(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        shop.begin()
        shop.commit(AYSE, {"apiops.toml": self.SETTINGS + 'environment = "prd"\n'})
        done = shop.run("plan")
        assert (3, True) == (done.code, "AO308" in done.err)
        elsewhere = tmp_path / "elsewhere.toml"
        elsewhere.write_text('[targets.dev]\nenvironment = "prd"\nmanager = "sqlite:///dev.db"\n')
        done = shop.run("sync", "--config", elsewhere)
        assert (3, True) == (done.code, "AO308" in done.err)

    def test_where_none_is_described_nothing_is_known(self, tmp_path: Path) -> None:
        files = {"system/dev.yaml": "# described elsewhere\n"}
        done = self.told(tmp_path, self.SETTINGS + 'environment = "devv"\n', **files)
        assert 0 == done.code, done.out

    def test_without_settings_there_is_no_target_to_judge(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        files = {**the_bank()}
        del files["apiops.toml"]
        shop.commit(AYSE, files)
        assert 0 == shop.run("validate").code


def test_a_fresh_clone_without_the_folder_of_identities_plans_without_a_key(shop: Shop) -> None:
    """`init` names a folder that Git ignores: whoever clones has the settings and not the keys."""
    settings = (shop.repository / "apiops.toml").read_text()
    (shop.repository / "apiops.toml").write_text(settings + 'identities = "not-in-git"\n')
    done = shop.run("plan")
    assert (0, False) == (done.code, "AO403" in done.err), done.err
