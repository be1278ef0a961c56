"""Options that verbs share. Each has an `APIOPS_*` variable and a place in `apiops.toml`, but for
those that whoever runs a command answers for (`ANSWERED`).

click does the precedence: flag, then variable, then `default_map` (filled from apiops.toml by
the eager `--config`/`-C` pair), then default; it also remembers where a value came from.
"""

import difflib
import functools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from apiops.errors import ApiopsError
from apiops.wiring import settings as settings_file

Command = TypeVar("Command", bound=Callable[..., Any])


LAST: Final = ("outputs", "color", "quiet", "no_input", "directory", "config")
"""What nearly every verb has, by click's names: it stands below what is the verb's own."""


class Verb(click.Command):
    """A command whose help shows examples before the flags, and the flags of its own first."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.params.sort(key=lambda one: LAST.index(one.name) + 1 if one.name in LAST else 0)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say once what holds for every flag."""
        named = next((flag for flag in self.params if flag.envvar), None)
        if named is not None:
            formatter.write_paragraph()
            formatter.write_text(f"Flags have variables: {named.opts[-1]} is {named.envvar}.")
        super().format_epilog(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the flags."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write_text(example)
        super().format_options(ctx, formatter)


def verb(name: str, *examples: str) -> Callable[[Callable[..., Any]], Verb]:
    """Make a function a verb with examples."""
    return click.command(name, cls=Verb, examples=examples)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: a folder in the repository, and the settings that hold there."""

    directory: Path
    settings: settings_file.Settings


_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
ANSWERED: Final = frozenset(
    {
        *("yes", "allow", "approve", "introduction", "approver", "evidence", "trust"),
        *("as", "sign-key", "reason", "admin", "admin-key", "email"),
        *("age", "recipient", "encrypted-regex", "encrypt-to", "with-secrets"),
        *("out", "into", "overwrite", "check", "clone", "metrics-file"),
        *("git-token-file", "git-ssh-key", "git-ssh-passphrase-file", "git-known-hosts"),
    }
)
"""Flags that have no place in `apiops.toml`: whoever runs the command answers for them.

That file comes with a repository, and whoever can change it could speak for others there: approve,
override a guard, begin trust, choose who can open secrets, or have a file written anywhere.
"""


class Deliberate(click.Option):
    """A flag that is `ANSWERED` for."""


def deliberate(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option that is answered for in one verb, under a name that is not on the list."""
    return option(*names, cls=Deliberate, **attributes)


def chosen_target(place: Place, /, chosen: Mapping[str, Any]) -> settings_file.TargetSettings:
    """The target that the options name. Raises UsageError AO904."""
    found = replace(place.settings.target(chosen.get("target")), directory=place.directory)
    if chosen.get("manager"):
        found = replace(found, manager=chosen["manager"])
    if chosen.get("key_file"):
        found = replace(found, key_file=Path(chosen["key_file"]), wrapping_key="")
    if chosen.get("deadline"):
        found = replace(found, deadline=chosen["deadline"])
    if chosen.get("parallel"):
        found = replace(found, parallel=chosen["parallel"])
    return found


def interactive(chosen: Mapping[str, Any]) -> bool:
    """Whether somebody can be asked."""
    return not chosen.get("no_input") and sys.stdin.isatty() and sys.stderr.isatty()


def option(*names: str, **attributes: Any) -> Callable[[Command], Command]:
    """A click option whose variable is `APIOPS_` and its long name."""
    flag = next(name for name in names if name.startswith("--")).split("/")[0]
    long = flag.removeprefix("--")
    variable = "APIOPS_" + long.replace("-", "_").upper()
    attributes.setdefault("cls", Deliberate if long in ANSWERED else click.Option)
    return click.option(*names, envvar=variable, **attributes)


def _settle(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    """Read the settings once both options are known, before any other looks for its default."""
    ctx.meta[f"apiops.{parameter.name}"] = value
    if not {"apiops.directory", "apiops.config"} <= ctx.meta.keys():
        return
    directory, explicit = ctx.meta["apiops.directory"], ctx.meta["apiops.config"]
    path = explicit or settings_file.find(directory)
    settings = settings_file.Settings() if path is None else settings_file.read(path)
    ctx.default_map = {**(ctx.default_map or {}), **_defaults(ctx, settings)}
    ctx.obj = Place(directory, settings)


def _defaults(ctx: click.Context, settings: settings_file.Settings) -> dict[str, Any]:
    """The settings' defaults for the flags of a verb, by click's names. Raises UsageError AO903."""
    flags = _flags(ctx.command)
    path = settings.path or Path()
    strange = settings.defaults.keys() - flags
    every = dict(flags)
    for verb in _verbs(ctx.find_root()) if strange else ():
        every.update(_flags(verb))
    for name in sorted(settings.defaults):
        if name not in every:
            near = difflib.get_close_matches(name, every, n=1)
            hint = f'did you mean "{near[0]}"?' if near else ""
            at = settings_file.spot(path, name)
            raise settings_file.fault(path, f'has an unknown key "{name}"', hint, at=at)
        if isinstance(every[name], Deliberate):
            hint = f"give --{name}, or {every[name].envvar}, with the command that it is meant for"
            raise settings_file.fault(path, f"cannot say {name}: no file decides it", hint)
    return {
        str(flags[name].name): _default(path, flags[name], value)
        for name, value in settings.defaults.items()
        if name in flags
    }


def every(ctx: click.Context) -> dict[str, click.Option]:
    """Every flag that has a variable, of any verb, by its long name."""
    found = (flag for verb in _verbs(ctx.find_root()) for flag in _flags(verb).values())
    return {_long(flag): flag for flag in found if flag.envvar}


def _verbs(ctx: click.Context) -> Iterator[click.Command]:
    """Every verb and sub-verb under a context's command."""
    command = ctx.command
    names = command.list_commands(ctx) if isinstance(command, click.Group) else []
    for name in names:
        assert isinstance(command, click.Group)
        below = command.get_command(ctx, name)
        if below is not None:
            yield below
            yield from _verbs(click.Context(below, ctx, name))


def _flags(command: click.Command) -> dict[str, click.Option]:
    return {_long(one): one for one in command.params if isinstance(one, click.Option)}


def _long(flag: click.Option) -> str:
    return flag.opts[-1].lstrip("-")


def _default(path: Path, flag: click.Option, value: object) -> object:
    """A default as click wants it; a relative path starts at the folder of the settings."""
    name = _long(flag)
    if flag.is_flag:
        if not isinstance(value, bool):
            raise settings_file.fault(path, f"{name} must be true or false")
        return value
    given = value if flag.multiple and isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int) for one in given):
        raise settings_file.fault(path, f"{name} must be text")
    texts = [str(one) for one in given]
    if "\0" in "".join(texts):
        raise settings_file.fault(path, f"{name} holds a null character")
    if name == "output" and "=" in "".join(texts):
        hint = "name formats here, and files with the command: -o json=FILE"
        raise settings_file.fault(path, "output must not name a file to write", hint)
    if isinstance(flag.type, click.Path):
        texts = [str(settings_file.beside(path, text)) for text in texts]
    elif name == "manager":
        texts = [settings_file.located(text, path.parent) for text in texts]
    return texts if flag.multiple else texts[0]


def _each(command: Command, *decorators: Callable[[Command], Command]) -> Command:
    """The command with all of these, in the order in which help shows them."""
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def place(command: Command) -> Command:
    """-C and --config: where to work. The command gets `ctx.obj` as a Place."""
    command = option(
        "-C",
        "--directory",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        is_eager=True,
        expose_value=False,
        callback=_settle,
        help="Work in the repository of this folder (bare ones too).",
    )(command)
    return option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_settle,
        help="Settings file instead of apiops.toml there or above, up to the repository's root.",
    )(command)


def _with_console(command: Command, formats: tuple[str, ...]) -> Command:
    """The command with its outputs as a console, which is told of the error that ends it."""

    @functools.wraps(command)
    def with_console(*args: Any, **chosen: Any) -> Any:
        from apiops.cli.console import Console

        outputs, color, quiet = (chosen.pop(name) for name in ("outputs", "color", "quiet"))
        console = Console.open(outputs, color, quiet=quiet, formats=formats)
        try:
            return command(*args, console=console, **chosen)
        except ApiopsError as fault:
            console.fail(fault)
            raise

    return cast("Command", with_console)


def output(*formats: str) -> Callable[[Command], Command]:
    """-o, repeatable, `FORMAT` or `FORMAT=FILE`; with --color and -q.

    The command gets them together, as `console`.
    """

    def decorate(command: Command) -> Command:
        wrapped: Any = _with_console(command, formats)
        for decorator in reversed(
            (
                option(
                    "-o",
                    "--output",
                    "outputs",
                    multiple=True,
                    default=formats[:1],
                    metavar="FORMAT[=FILE]",
                    help=f"Output format, repeatable: {', '.join(formats)}.",
                ),
                option(
                    "--color",
                    type=click.Choice(["auto", "always", "never"]),
                    default="auto",
                    help="Colour; auto obeys NO_COLOR, FORCE_COLOR and TERM.",
                ),
                option("-q", "--quiet", is_flag=True, help="No progress, no summary on stderr."),
            )
        ):
            wrapped = decorator(wrapped)
        return cast("Command", wrapped)

    return decorate


def target(command: Command) -> Command:
    """--target, --manager, --key-file: which Manager and environment."""
    return _each(
        command,
        option("-t", "--target", help="Target from apiops.toml."),
        option("--manager", metavar="URL", help="Manager URL instead of the target's."),
        option(
            "--key-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File with the key that wraps the Manager's keys.",
        ),
    )


class Duration(click.ParamType[float]):
    """A length of time as people write it: `90s`, `5m`, `1h`; gives seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds."""
        found = re.fullmatch(r"([1-9]\d{0,4})([smh])", str(value))
        if found is None:
            self.fail(f'"{value}" is no length of time: write 90s, 5m or 1h', param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


def pace(command: Command) -> Command:
    """--deadline and --parallel: how long a run may take over a network, and how hard it asks."""
    return _each(
        command,
        option(
            "--deadline",
            type=Duration(),
            metavar="TIME",
            help="Send nothing more over the network after so long (90s, 5m, 1h).",
        ),
        option(
            "--parallel",
            type=click.IntRange(1, 64),
            metavar="N",
            help="Calls of a vendor's Manager at once, at most (default 8; fewer while it is "
            "slow).",
        ),
    )


def revision(command: Command) -> Command:
    """--ref or --worktree: what is read."""
    return _each(
        command,
        option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit to read."),
        option("--worktree", is_flag=True, help="Read the files as they lie in the folder."),
    )


def introduction(command: Command) -> Command:
    """--introduction and --approver: where trust begins, on the first sync."""
    return _each(
        command,
        option("--introduction", metavar="COMMIT", help="First sync: the commit to begin with."),
        option("--approver", metavar="NAME", help="First sync: who answers for its tree."),
    )


def wishes(command: Command) -> Command:
    """Everything that shapes a plan."""
    return _each(
        command,
        option(
            "--allow",
            multiple=True,
            metavar="GUARD",
            help="Override a guard by name (audited), repeatable.",
        ),
        option("--no-prune", is_flag=True, help="Delete nothing."),
        option("--no-secrets", is_flag=True, help="Open no secret, even if a key is at hand."),
        option(
            "--drift",
            type=click.Choice(["correct", "report"]),
            default="correct",
            show_default=True,
            help="What somebody changed in the Manager: set it right, or only tell of it.",
        ),
        option("--pull-request", default="", help="Pull request to name in the audit reason."),
        option(
            "--evidence",
            metavar="FILE",
            help="What the forge says of merges that it made: a JSON file, or the JSON itself.",
        ),
    )


def reporting(command: Command) -> Command:
    """--comment and --status: what the forge is told of the outcome."""
    return _each(
        command,
        option(
            "--comment",
            type=click.Choice(["never", "auto", "always"]),
            default="never",
            show_default=True,
            help="Keep one comment on the pull request; auto begins none that says nothing.",
        ),
        option("--status", is_flag=True, help="Set a status on the commit."),
    )
