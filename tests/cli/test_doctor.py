"""`apiops doctor`: what is ready, what is not and how to mend it, and who set what."""

from pathlib import Path

import pytest

from tests.process import child
from tests.shop import SETTINGS, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    return made


def test_a_place_that_is_ready_says_so(shop: Shop) -> None:
    shop.variables["SOPS_AGE_KEY"] = shop.identity
    done = shop.run("doctor")

    assert (0, "Ready.") == (done.code, done.out.splitlines()[-1]), done.out
    assert "chain intact" in done.out


def test_what_stands_in_the_way_is_told_once_with_its_fix(shop: Shop) -> None:
    (shop.folder / "dev.db").unlink()
    done = shop.run("doctor")

    assert 1 == done.code
    assert 1 == done.out.count("AO705")
    assert "fix: " in done.out
    assert "audit log" not in done.out


def test_a_repository_without_a_commit_is_told_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    done = shop.run("doctor")

    assert 1 == done.code
    assert 1 == done.out.count("AO80"), done.out
    assert "head" not in {line.split()[1] for line in done.out.splitlines() if line[:4] == "fail"}


def test_each_setting_comes_with_who_said_so(shop: Shop) -> None:
    (shop.repository / "apiops.toml").write_text('quiet = true\nref = "main"\n' + SETTINGS)
    shop.variables |= {"APIOPS_COLOR": "never", "SOPS_AGE_KEY": shop.identity}
    done = shop.run("doctor", "--settings", "--key-file", shop.folder / "dev.db.key", "-o", "json")
    told = {one["name"]: (one["value"], one["source"]) for one in done.json["doctor"]["settings"]}

    table = "apiops.toml [targets.dev]"
    assert {
        "settings file": (str(shop.repository / "apiops.toml"), ""),
        "target": ("dev", "the only one"),
        "environment": ("dev", "default"),
        "manager": (f"sqlite:///{shop.folder}/dev.db", table),
        "key-file": (f"{shop.folder}/dev.db.key", "flag"),
        "color": ("never", "variable APIOPS_COLOR"),
        "quiet": ("true", "apiops.toml"),
        "ref": ("main", "apiops.toml"),
        "undo-runs": ("20", "default"),
        "SOPS_AGE_KEY": ("(hidden)", "variable"),
    } == told


def test_a_setting_shows_no_password_and_no_key(shop: Shop) -> None:
    shop.variables |= {
        "APIOPS_MANAGER": "postgresql://u:hunter2@127.0.0.1:1/x?password=hunter3",
        "SOPS_AGE_KEY": shop.identity,
    }
    done = shop.run("doctor", "--settings")

    assert "postgresql://u:***@127.0.0.1:1/x" in done.out
    for secret in ("hunter2", "hunter3", shop.identity):
        assert secret not in done.out + done.err


def test_a_folder_without_anything_is_examined_all_the_same(tmp_path: Path) -> None:
    done = child("doctor", "--settings", cwd=tmp_path)

    assert 1 == done.code
    assert "AO801" in done.out
    assert "settings file   none found" in done.out


class TestTheSchemasOfAnEditor:
    LINE = "# yaml-language-server: $schema=../.apiops/schemas/ApiProxy.json\n"

    @pytest.fixture
    def named(self, shop: Shop) -> Path:
        """The folder where a manifest says that its schema is."""
        folder = shop.repository / ".apiops/schemas"
        manifest = shop.repository / "payments/orders.yaml"
        manifest.write_text(self.LINE + manifest.read_text())
        return folder

    def test_a_fresh_clone_has_none_and_is_told_how_to_get_them(
        self, shop: Shop, named: Path
    ) -> None:
        done = shop.run("doctor")
        assert f"fix: apiops schema --write {named}" in done.out
        assert 0 == shop.run("schema", "--write", named).code
        assert "ok    editor schemas" in shop.run("doctor").out

    def test_those_of_another_version_are_noticed(self, shop: Shop, named: Path) -> None:
        assert 0 == shop.run("schema", "--write", named).code
        (named / "ApiProxy.json").write_text("{}")
        assert "ApiProxy.json, which manifests name, is not of this version" in (
            shop.run("doctor").out
        )

    def test_manifests_that_name_none_are_left_alone(self, shop: Shop) -> None:
        assert "editor" not in shop.run("doctor").out
