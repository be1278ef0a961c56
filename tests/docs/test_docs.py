"""The docs say what the code does: pages are fresh, verbs and settings are there, commands run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from apiops.cli import generate, options, reference
from apiops.wiring.settings import TARGET_KEYS
from tests.people import person

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT) for path in ROOT.glob("docs/**/*.md"))
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@pytest.mark.parametrize("page", sorted(generate.pages()))
def test_every_generated_file_is_what_make_generate_writes(page: str) -> None:
    assert generate.pages()[page] == (ROOT / page).read_text(encoding="utf-8")


def test_every_verb_has_help_examples_and_a_section_in_the_reference() -> None:
    text = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    for name, command in reference.commands():
        assert command.help, name
        assert f"\n## apiops {name}\n" in text
        assert hasattr(command, "commands") or getattr(command, "examples", ()), name


def test_a_flag_means_the_same_wherever_it_stands() -> None:
    """Flags of one name share a variable and a place in `apiops.toml`, so they share a type.

    `version` has an `--output` of its own: its two formats come without a console.
    """
    types: dict[str, set[str]] = {}
    for name, command in reference.commands():
        for one in command.params:
            if isinstance(one, click.Option) and name != "version":
                types.setdefault(one.opts[-1], set()).add(type(one.type).__name__)
    assert {} == {flag: found for flag, found in types.items() if len(found) > 1}


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/adr").glob("*.md")]
    assert len(numbers) == len(set(numbers))


def test_every_example_names_a_verb_that_exists() -> None:
    known = {name for name, _ in reference.commands()}
    for name, command in reference.commands():
        for example in getattr(command, "examples", ()):
            assert f"apiops {name}" in example, example
    assert {"plan", "audit list"} <= known


def test_a_flag_means_the_same_to_every_verb_in_what_a_file_may_say_of_it() -> None:
    """Or the file could say for one verb what nobody but the caller may say for another."""
    alike: dict[str, set[bool]] = {}
    for _, command in reference.commands():
        for option in command.params:
            if option.envvar:
                kind = isinstance(option, options.Deliberate)
                alike.setdefault(option.opts[-1].removeprefix("--"), set()).add(kind)

    assert set() == {name for name, kinds in alike.items() if len(kinds) > 1}
    assert options.ANSWERED <= {name for name, kinds in alike.items() if kinds == {True}}


def test_every_option_has_help() -> None:
    for name, command in reference.commands():
        for option in command.params:
            assert isinstance(option, click.Argument) or option.help, f"{name} {option.name}"


def test_every_package_has_its_place_in_the_map_and_on_a_floor() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    floors = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "apiops").glob("*/__init__.py")}

    assert {"cli", "spec", "git"} <= packages
    assert set() == {name for name in packages if f"`apiops/{name}/" not in readme}
    assert set() == {name for name in packages if f"`{name}`" not in floors}
    for file in re.findall(r"`(apiops/[\w/]+(?:\.py|/))`", readme):
        assert (ROOT / file).exists(), file


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in text for key in TARGET_KEYS)
    for _, command in reference.commands():
        for option in command.params:
            if getattr(option, "envvar", None):
                assert f"`{option.envvar}`" in text


def links(page: Path) -> Iterator[str]:
    """Relative link targets of a page."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


@pytest.mark.parametrize("page", [Path(name) for name in TOP] + PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(ROOT / page):
        assert (ROOT / page.parent / target).exists(), f"{page}: {target}"


def fenced(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def newcomer(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who signs with an SSH key and has apiops on the PATH."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    ayse = person("ayse")
    private = home / ".ssh/id_ed25519"
    private.write_bytes(ayse.key.private_bytes())
    private.chmod(0o600)
    private.with_suffix(".pub").write_text(ayse.public_line + "\n")
    (home / ".gitconfig").write_text(
        "[user]\nname = Ayse\nemail = ayse@bank.example\n"
        f"signingkey = {private}.pub\n[gpg]\nformat = ssh\n[init]\ndefaultBranch = main\n"
    )
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "apiops").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m apiops "$@"\n')
    (bin_ / "apiops").chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("APIOPS_", "SOPS_", "GIT_"))}
    return {**kept, "HOME": str(home), "PATH": f"{bin_}:{os.environ['PATH']}"}


def shell(script: str, cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_the_five_minutes_of_the_readme_run_as_they_stand(
    tmp_path: Path, newcomer: dict[str, str]
) -> None:
    assert shutil.which("ssh-keygen"), "git signs with ssh-keygen: install openssh-client"
    (script,) = fenced("README.md", "sh")
    assert "Applied " in shell(script, tmp_path, newcomer)


@pytest.mark.parametrize("page", ["first-secret", "rotate-recipients"])
def test_the_commands_of_a_how_to_run_as_they_stand(
    page: str, tmp_path: Path, newcomer: dict[str, str]
) -> None:
    begin = (
        "apiops init gateway --admin ayse --email ayse@bank.example"
        " --admin-key ~/.ssh/id_ed25519.pub\ncd gateway\ngit init -q\n"
    )
    script = begin + "".join(fenced(f"docs/how-to/{page}.md", "sh"))
    seen = shell(script, tmp_path, newcomer)
    assert re.search(r"^  password: (?!ENC\[)\S", seen, re.MULTILINE), (
        "what was encrypted was opened"
    )


def test_what_init_says_comes_next_runs_as_it_stands(
    tmp_path: Path, newcomer: dict[str, str]
) -> None:
    """For somebody who never signed a commit before, from the folder where they stood."""
    (Path(newcomer["HOME"]) / ".gitconfig").write_text("[user]\nname = A\nemail = a@b.example\n")
    shutil.copy(Path(newcomer["HOME"]) / ".ssh/id_ed25519", tmp_path / "my key")
    shutil.copy(Path(newcomer["HOME"]) / ".ssh/id_ed25519.pub", tmp_path / "my key.pub")
    who = "--admin ayse --email ayse@bank.example --admin-key 'my key.pub'"
    told = shell(f"apiops init 'my gateway' {who} 2>&1 >/dev/null", tmp_path, newcomer)
    typed = "\n".join(line for line in told.splitlines() if line.startswith("  "))

    assert 7 == typed.count("\n")
    assert "Applied " in shell(f"{typed} --yes", tmp_path, newcomer)


def steps(page: str) -> str:
    """What a reader types: the lines of a page's console blocks that begin with a prompt."""
    lines = (line for block in fenced(page, "console") for line in block.splitlines())
    return "\n".join(line[2:] for line in lines if line.startswith("$ "))


def test_the_tutorial_runs_as_it_stands(tmp_path: Path, newcomer: dict[str, str]) -> None:
    """What it says comes out does come out: refusals with their exit codes, drift, the audit."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples", checkout / "examples")
    script = steps("docs/tutorials/first-sync.md")
    told = shell(script, checkout, newcomer)

    for words in (
        "No findings. ",
        "exit code 4",
        "R-environment-limit",
        "readTimeout 90 → 60",
        "exit code 6",
        "The audit chain holds",
    ):
        assert words in told, told


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    commands = [line[2:] for block in fenced("README.md", "console") for line in block.splitlines()]
    assert ["make demo", "make test"] == commands
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{command.split()[1]}: " in makefile for command in commands)
    assert "exec make test" in (ROOT / ".ci/run").read_text()


SECRETS = ("APIOPS_MANAGER", "APIOPS_TOKEN", "SOPS_AGE_KEY")


@pytest.mark.parametrize(
    ("page", "pipeline", "pattern"),
    [
        ("github", "github/apiops.yml", r"secrets\.(\w+)"),
        ("gitea", "github/apiops.yml", r"secrets\.(\w+)"),
        ("jenkins", "jenkins/Jenkinsfile", r"credentials\('([\w-]+)'\)"),
    ],
)
def test_what_a_pipeline_asks_of_its_forge_is_what_the_how_to_has_made(
    page: str, pipeline: str, pattern: str
) -> None:
    told = (ROOT / f"docs/how-to/{page}.md").read_text(encoding="utf-8")
    asked = set(re.findall(pattern, (ROOT / "deploy/ci" / pipeline).read_text(encoding="utf-8")))
    assert len(asked) >= len(SECRETS)
    assert set() == {name for name in asked if f"`{name}`" not in told}


def test_every_pipeline_has_a_way_to_prove_itself_to_the_manager() -> None:
    for page in ("github", "gitea", "gitlab"):
        told = (ROOT / f"docs/how-to/{page}.md").read_text(encoding="utf-8")
        assert [] == [name for name in SECRETS if f"`{name}`" not in told], page
    for file in (ROOT / "deploy/ci").rglob("*"):
        if file.suffix in (".yml", ".groovy") or file.name == "Jenkinsfile":
            assert "APIOPS_TOKEN" in file.read_text(encoding="utf-8"), file


def test_one_folder_is_the_bundle_on_every_page() -> None:
    """And not the one that apiops itself is installed into."""
    named = {
        found
        for page in (*ROOT.glob("docs/how-to/*.md"), *(ROOT / "deploy/ci").rglob("*.yml"))
        for found in re.findall(
            r"(?:wheels: |_WHEELS: |`dist/bundle` as `)([\w/]+)", page.read_text(encoding="utf-8")
        )
    }
    assert {"/opt/bundle"} == named
