"""The `apiops` command: verbs are found by name and imported only when they are called.

This is the outermost door: every error of ours becomes a message on stderr and an exit code
here, and nowhere else.
"""

import atexit
import difflib
import gc
import importlib
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Final

import click

from apiops import __version__
from apiops.errors import ApiopsError, Exit, UsageError

atexit.register(gc.freeze)
"""The system takes it all back: to look for garbage then is a seventh of a small plan."""

VERBS: Final = {
    "init": "Scaffold a specification repository; never overwrites.",
    "validate": "Check the specifications, offline, no keys needed.",
    "plan": "Show what would change, and whether you may.",
    "apply": "Carry out a plan.",
    "sync": "Plan, judge and apply a ref without asking; for CI and schedules.",
    "suspend": "Let nothing be applied to a target until further notice.",
    "resume": "End the suspension of a target.",
    "approve": "Give a second person's word for a plan.",
    "rollback": "Commit an earlier revision's files again, and plan that.",
    "undo": "Put back what a run changed, from what the Manager kept.",
    "drift": "Compare the Manager with the last applied revision.",
    "export": "Write what the Manager holds as manifests.",
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a misspelled verb is told its neighbour."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            did_you_mean = f'; did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'there is no verb "{args[0]}"{did_you_mean}')
        return super().resolve_command(ctx, args)

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
@click.version_option(__version__, message="%(prog)s %(version)s")
def apiops() -> None:
    """Signed commits become audited changes of an API gateway."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.excepthook = _report_bug
    _streams()
    if threading.current_thread() is threading.main_thread():
        # A cancelled CI job ends like Ctrl-C: what is open is taken back, the lease given back.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        _require_text(given)
        result = apiops.main(
            args=given,
            prog_name="apiops",
            standalone_mode=False,
        )
        code = result if isinstance(result, int) else Exit.OK
    except ApiopsError as fault:
        code = _tell(fault)
    except click.exceptions.NoArgsIsHelpError as fault:
        fault.show()
        code = Exit.USAGE
    except click.UsageError as fault:
        code = _tell(_misused(fault))
    except click.ClickException as fault:
        code = _tell(ApiopsError(fault.format_message(), code="AO911"))
    except (click.Abort, KeyboardInterrupt):
        click.echo("\ninterrupted" if sys.stderr.isatty() else "interrupted", err=True)
        code = Exit.INTERRUPTED
    sys.exit(int(code))


def _require_text(arguments: Iterable[str]) -> None:
    """Bytes that are no text become half characters, which no database and no output can hold."""
    variables = (f"{name}={value}" for name, value in os.environ.items() if name[:7] == "APIOPS_")
    for word in (*arguments, *variables):
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UsageError(
                f'"{word}" is not UTF-8 text',
                code="AO910",
                hint="give it in UTF-8; a file can be renamed",
            )


def _streams() -> None:
    """Make the standard streams safe to use.

    A closed one is opened on nothing, or a database could get its number and take our messages.
    What the terminal's encoding lacks is written as an escape.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _misused(fault: click.UsageError) -> UsageError:
    """Say click's complaint about the command line as an error of ours."""
    path = fault.ctx.command_path if fault.ctx else "apiops"
    message = fault.format_message().rstrip(".")
    return UsageError(message, code="AO910", hint=f"`{path} --help` shows how it is used")


def _tell(fault: ApiopsError) -> Exit:
    from apiops.cli import console

    console.tell(fault)
    return fault.exit_code


def _report_bug(
    kind: type[BaseException], _fault: BaseException, trace: TracebackType | None
) -> None:
    """An exception that is not ours is a bug: say where. Exit code 1 is Python's own.

    Its text is left out: a library may have quoted a secret there.
    """
    click.echo(
        "".join(traceback.format_tb(trace))
        + f"error AO901  unexpected error ({kind.__qualname__}): this is a bug in apiops\n"
        "  please report it with the lines above and `apiops version -o json`; "
        "neither holds a secret",
        err=True,
    )
