"""The hooks for pre-commit, run by pre-commit itself on a real repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GOOD = "apiVersion: apiops/v1\nkind: Project\nmetadata: {name: payments}\nspec: {}\n"
PLAIN = "password: hunter2\n"
RULES = """\
creation_rules:
  - path_regex: secrets\\.yaml$
    age: {}
"""


class Work:
    """A repository with the hooks, and pre-commit on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "specs"
        self.hooks = folder / "hooks"
        settings = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.environment = settings
        (folder / "gitconfig").write_text("[user]\nname = A\nemail = a@bank.example\n")
        for place in (self.folder, self.hooks):
            place.mkdir()
            self.run("git", "init", "--quiet", cwd=place)
        shutil.copy(ROOT / ".pre-commit-hooks.yaml", self.hooks)
        self.run("git", "add", "--all", cwd=self.hooks)
        self.run("git", "commit", "--quiet", "--message", "Hooks", cwd=self.hooks)

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def check(self, hook: str, **files: str) -> tuple[int, str]:
        """What a hook says of these files."""
        for name, text in files.items():
            (self.folder / name.replace("_yaml", ".yaml").replace("_toml", ".toml")).write_text(
                text
            )
        self.run("git", "add", "--all", cwd=self.folder)
        words = (str(BIN / "pre-commit"), "try-repo", str(self.hooks), hook, "--all-files")
        done = self.run(*words, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path)
    (made.folder / "apiops.toml").write_text('[targets.dev]\nmanager = "sqlite:///../dev.db"\n')
    return made


def test_what_is_valid_passes_and_what_is_not_is_shown_with_its_place(work: Work) -> None:
    code, said = work.check("apiops-validate", project_yaml=GOOD)
    assert (0, True) == (code, "Passed" in said), said
    code, said = work.check("apiops-validate", project_yaml=GOOD.replace("spec: {}", "spek: {}"))
    assert (1, True) == (code, "project.yaml:4" in said), said


def test_a_file_that_others_can_open_than_the_rules_say_is_found(work: Work) -> None:
    keys = [
        next(
            word
            for word in work.run(
                "apiops", "secrets", "keygen", name, cwd=work.folder
            ).stdout.split()
            if word.startswith("age1")
        )
        for name in ("../one.age", "../two.age")
    ]
    (work.folder / ".sops.yaml").write_text(RULES.format(keys[0]))
    (work.folder / "secrets.yaml").write_text(PLAIN)
    sealed = work.run("apiops", "secrets", "encrypt", "--in-place", "secrets.yaml", cwd=work.folder)
    assert 0 == sealed.returncode, sealed.stderr
    assert 0 == work.check("apiops-recipients")[0]
    (work.folder / ".sops.yaml").write_text(RULES.format(",".join(keys)))
    code, said = work.check("apiops-recipients")
    assert (1, True) == (code, "secrets.yaml" in said), said
