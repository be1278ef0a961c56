"""apiops.toml: what it may say, and what is said about what it may not."""

from pathlib import Path

import pytest

from apiops.errors import UsageError
from apiops.wiring import settings


def written(folder: Path, text: str) -> Path:
    file = folder / "apiops.toml"
    file.write_text(text)
    return file


def test_a_relative_database_starts_at_the_folder_of_the_settings(tmp_path: Path) -> None:
    read = settings.read(written(tmp_path, '[targets.dev]\nmanager = "sqlite:///.apiops/dev.db"\n'))
    assert f"sqlite:///{tmp_path}/.apiops/dev.db" == read.target("dev").manager


def test_an_absolute_database_and_another_engine_stay_as_they_are(tmp_path: Path) -> None:
    text = (
        '[targets.a]\nmanager = "sqlite:////srv/a.db"\n[targets.b]\nmanager = "postgresql://h/b"\n'
    )
    read = settings.read(written(tmp_path, text))
    assert "sqlite:////srv/a.db" == read.target("a").manager
    assert "postgresql://h/b" == read.target("b").manager


def test_the_environment_is_the_name_of_the_target_unless_it_is_given(tmp_path: Path) -> None:
    read = settings.read(
        written(tmp_path, '[targets.dev]\n[targets.eu]\nenvironment = "production"\n')
    )
    assert "dev" == read.target("dev").environment
    assert "production" == read.target("eu").environment


def test_the_only_target_needs_no_name(tmp_path: Path) -> None:
    assert "dev" == settings.read(written(tmp_path, "[targets.dev]\n")).target(None).name


def test_among_several_targets_apiops_never_guesses(tmp_path: Path) -> None:
    read = settings.read(written(tmp_path, "[targets.dev]\n[targets.test]\n"))
    with pytest.raises(UsageError) as caught:
        read.target(None)
    assert "AO904" == caught.value.code
    assert "dev, test" in caught.value.hint


def test_a_misspelt_target_gets_the_nearest_name(tmp_path: Path) -> None:
    read = settings.read(written(tmp_path, "[targets.production]\n[targets.test]\n"))
    with pytest.raises(UsageError) as caught:
        read.target("producton")
    assert 'did you mean "production"?' == caught.value.hint


def test_flags_may_have_defaults_under_their_long_names(tmp_path: Path) -> None:
    read = settings.read(written(tmp_path, 'target = "dev"\nno-prune = true\n[targets.dev]\n'))
    assert {"target": "dev", "no-prune": True} == dict(read.defaults)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targets = 3\n", "must hold one table"),
        ("[targets]\ndev = 3\n", "must be a table"),
        ("[targets.dev]\nmanger = 'x'\n", 'unknown key "manger"'),
        ("[targets.dev]\nmanager = 3\n", "must be text"),
        ("[trust]\nmode = 'committer'\n", "unknown table [trust]"),
        ("[targets.dev\n", "is not TOML"),
        ("\xff", "is not TOML"),
    ],
)
def test_what_is_not_expected_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "apiops.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        settings.read(file)
    assert "AO903" == caught.value.code
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# one\n[targets.dev]\nmanger = 'x'\n", (3, 1)),
        ("[targets.dev]\nmanager = 'x'\n  [targets.test]\n  \"manager\" = 3\n", (4, 3)),
        ("\n[trust]\nmode = 'committer'\n", (2, 2)),
        ("targets.dev.manger = 'x'\n", (0, 0)),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path: Path, text: str, place: tuple[int, int]) -> None:
    file = tmp_path / "apiops.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        settings.read(file)
    assert caught.value.location is not None
    assert place == (caught.value.location.line, caught.value.location.column)


def test_a_missing_or_huge_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        settings.read(tmp_path / "apiops.toml")
    with pytest.raises(UsageError, match="is larger than"):
        settings.read(written(tmp_path, "#" * (settings.MAX_BYTES + 1)))
