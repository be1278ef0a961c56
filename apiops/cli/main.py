"""The `apiops` command: verbs are found by name and imported only when they are called.

This is the outermost door: every error of ours becomes a message on stderr and an exit code
here, and nowhere else.
"""

import importlib
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final

import click

from apiops.errors import ApiopsError, Exit

VERBS: Final = {
    "init": "Scaffold a specification repository; never overwrites.",
    "validate": "Check the specifications, offline, no keys needed.",
    "plan": "Show what would change, and whether you may.",
    "apply": "Carry out a plan.",
    "sync": "Plan, judge and apply a ref without asking; for CI and schedules.",
    "drift": "Compare the Manager with the last applied revision.",
    "explain": "Explain a kind, a field (ApiProxy.spec.routing) or a code (AO203).",
    "schema": "Print or write the JSON Schemas of the kinds.",
    "secrets": "Encrypt, decrypt and edit sops files.",
    "access": "Who may do what.",
    "audit": "List, show and verify the audit log.",
    "manager": "Set up and change the embedded Manager.",
    "doctor": "Is this machine, repository and Manager ready?",
    "version": "Print versions.",
    "completion": "Print the completion script for a shell.",
    "demo": "Run the whole story in a throw-away folder.",
}
"""Verb → one-line help; the module of the verb has the same name."""


class Verbs(click.Group):
    """A group whose verbs are modules of this package, imported when called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs in the order of a user's first day."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's `command`, or None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"apiops.cli.{cmd_name}").command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `apiops demo`. Docs: docs/ in the repository.",
)
def apiops() -> None:
    """Signed commits become audited changes of an API gateway."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.excepthook = _report_bug
    click.UsageError.exit_code = Exit.USAGE
    try:
        result = apiops.main(
            args=None if arguments is None else list(arguments),
            prog_name="apiops",
            standalone_mode=False,
        )
        code = result if isinstance(result, int) else Exit.OK
    except ApiopsError as fault:
        code = _tell(fault)
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = Exit.OK
    sys.exit(int(code))


def _tell(fault: ApiopsError) -> Exit:
    from apiops.cli import console

    console.tell(fault)
    return fault.exit_code


def _report_bug(
    kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> None:
    """An exception that is not ours is a bug: say so; exit code 1 is Python's own."""
    sys.__excepthook__(kind, fault, trace)
    click.echo(
        "\nerror AO901  unexpected error: this is a bug in apiops\n"
        "  please report it with the lines above and `apiops version -o json`",
        err=True,
    )
