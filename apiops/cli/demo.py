"""`apiops demo`: the whole story, told by the real commands in a throw-away folder."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from apiops.cli import options
from apiops.errors import ApiopsError, Exit

if TYPE_CHECKING:
    from apiops.wiring.stage import Stage

ORDERS = "projects/payments/proxies/orders.yaml"


@options.verb("demo", "apiops demo", "apiops demo --keep playground")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Leave repository, settings and database in this folder.",
)
def command(keep: Path | None) -> int:
    """Run the whole story: signed commits, plan, apply, drift, a denial, the audit trail."""
    if keep is not None:
        Story(keep.resolve()).tell()
        click.echo(_afterwards(keep))
        return Exit.OK
    with tempfile.TemporaryDirectory(prefix="apiops-demo-") as folder:
        Story(Path(folder)).tell()
    click.echo("\nNothing is left behind. `apiops demo --keep DIR` keeps it to play with.")
    return Exit.OK


def _afterwards(keep: Path) -> str:
    """What to type to go on with what the demo left, apiops itself included."""
    steps = [f"cd {shlex.quote(str(keep / 'repo'))}"]
    if shutil.which("apiops") is None:
        steps.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
    steps += [
        "export APIOPS_TARGET=production SOPS_AGE_KEY_FILE=../keys/age/production.txt",
        "apiops plan      # what Deniz was denied, and who could approve it",
    ]
    told = "".join(f"  {step}\n" for step in steps)
    return f"\nIt is all in {keep}. To go on (README.md there says more):\n\n{told}"


class Story:
    """The narrator: one line a step, then the command as anyone would type it, and its output."""

    def __init__(self, folder: Path) -> None:
        from apiops.wiring import stage

        self._step = 0
        self._stage: Stage = stage.build(folder)
        self._files = stage.contents()

    def tell(self) -> None:
        """All steps, in order."""
        self._begin()
        self._everyday()
        self._drift()
        self._denied()
        self._trail()

    def _begin(self) -> None:
        self._say("Ayşe, the platform admin, commits the bank's specifications and signs.")
        first = self._stage.commit("ayse", "Describe the bank's gateway", self._files)
        self._say("A Manager is made, with Ayşe as its first admin.")
        key = "../keys/people/ayse.pub"
        self._run("manager", "init", "--admin", "ayse", "--admin-key", key)
        begin = ("--introduction", first[:12], "--approver", "ayse")
        self._say("The first plan: everything is new. Ayşe answers for this first commit.")
        self._run("plan", *begin, head=16, tail=8)
        self._say("It is applied: one transaction for each project, an audit row for each change.")
        self._run("apply", *begin, "--yes", head=3, tail=8)
        self._say("A second plan has nothing to do.")
        self._run("plan")

    def _everyday(self) -> None:
        self._say("Mert, who leads payments, raises a limit in a signed commit.")
        self._stage.edit(
            "mert",
            "Raise the order limit for the season",
            ORDERS,
            "messageCountForInterval: 100",
            "messageCountForInterval: 250",
        )
        self._run("plan")
        self._run("sync")

    def _drift(self) -> None:
        self._say("Zeynep changes a timeout in the Manager by hand: allowed, and audited.")
        key = "../keys/people/zeynep"
        self._run(
            "manager",
            "set",
            "ApiProxy/payments/orders",
            "spec.settings.connection.readTimeout=90",
            *("--as", "zeynep", "--sign-key", key, "--reason", "incident 4711"),
        )
        self._say("Drift shows what is no longer as the last applied commit says.")
        self._run("drift")
        self._say("The next sync takes it back.")
        self._run("sync")

    def _denied(self) -> None:
        self._say("Deniz, of the cards team, edits a proxy of payments. He signs, but may not.")
        self._stage.edit(
            "deniz",
            "Let cards through without a limit",
            ORDERS,
            "messageCountForInterval: 250",
            "messageCountForInterval: 100000",
        )
        self._run("sync", expect=Exit.DENIED, head=13, tail=7)

    def _trail(self) -> None:
        self._say("The audit log tells who, what and why; commits are the reasons.")
        self._run("audit", "list", "--project", "payments", "--limit", "8")
        self._say("And its chain verifies.")
        self._run("audit", "verify")

    def _say(self, text: str) -> None:
        self._step += 1
        click.secho(f"\n{self._step}. {text}", bold=True)

    def _run(self, *arguments: str, expect: int = Exit.OK, head: int = 0, tail: int = 0) -> None:
        """Run `apiops …` in the repository, as a process of its own, and show what it prints."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
        click.secho(f"\n$ apiops {shown}", fg="cyan")
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own arguments
            [sys.executable, "-m", "apiops", *arguments],
            cwd=self._stage.repository,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )
        click.echo(_middle_cut(done.stdout.rstrip("\n"), head, tail))
        if done.returncode != expect:
            raise ApiopsError(
                f"the demo's command ended with exit code {done.returncode}, not {expect}",
                code="AO901",
            )
        if expect:
            click.echo(f"(exit code {done.returncode})")

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("APIOPS_", "SOPS_"))}
        return {
            **kept,
            **_terminal(),
            "APIOPS_TARGET": "production",
            "APIOPS_QUIET": "1",
            "SOPS_AGE_KEY_FILE": str(self._stage.identity("production")),
        }


def _terminal() -> dict[str, str]:
    """Variables that let a command behind a pipe draw for the terminal that we write to."""
    if not sys.stdout.isatty():
        return {}
    colour = {} if "NO_COLOR" in os.environ else {"FORCE_COLOR": "1"}
    return {**colour, "COLUMNS": str(shutil.get_terminal_size().columns)}


def _middle_cut(text: str, head: int, tail: int) -> str:
    """The text, or its first and last lines with a count between them."""
    lines = text.splitlines()
    if not tail or len(lines) <= head + tail + 3:
        return text
    skipped = f"  … {len(lines) - head - tail} more lines …"
    return "\n".join([*lines[:head], skipped, *lines[-tail:]])
