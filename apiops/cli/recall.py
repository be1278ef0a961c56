"""A plan with nothing to do is said again, where nothing has moved since it was made; and what it
found to be settled is not looked at again by the runs that follow.

The walk itself begins with imports that take longer than this whole answer. Only the plain case
is recalled: one output on stdout, nothing that reads other files, nothing that writes elsewhere.
"""

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from apiops.cli import options
from apiops.errors import Exit, UsageError
from apiops.wiring import memory

if TYPE_CHECKING:
    from apiops.model.shown import Shown
    from apiops.model.view import Planned
    from apiops.ports import Ground

Command = TypeVar("Command", bound=Callable[..., Any])

_PLAIN: Final = frozenset(
    {
        "target", "manager", "key_file", "ref", "allow", "no_prune", "no_secrets", "outputs",
        "color", "quiet", "detailed_exitcode", "no_input", "deadline", "parallel",
    }
)  # fmt: skip
"""Options that a recalled plan may have been given; any other sends it the long way."""

_USUAL: Final = {"comment": "never", "drift": "correct"}
_FORMATS: Final = (("text",), ("json",), ("markdown",))
_LOOKS: Final = ("CI", "COLORTERM", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM", "TTY_COMPATIBLE")
_QUESTION: Final = "apiops.question"


def first(command: Command) -> Command:
    """Ask the memory before the command runs; it runs if there is no answer."""

    @functools.wraps(command)
    def recalling(*args: Any, **chosen: Any) -> Any:
        context = click.get_current_context()
        asked = question(context.obj, chosen)
        answer = None if asked is None else asked.answer()
        if answer is not None:
            click.echo(answer, nl=False, color=True)
            return Exit.OK
        context.meta[_QUESTION] = (asked, context.obj, chosen)
        return command(*args, **chosen)

    return cast("Command", recalling)


class Memory:
    """What is settled, as a run begins from it and a plan with nothing to do leaves it.

    The Manager may move while the line is walked, and what is settled is so in one state only: so
    the state is looked at before and after. A Manager elsewhere has none to look at but what it
    shows, and the run has just been shown that.
    """

    def __init__(self, place: options.Place, chosen: Mapping[str, Any]) -> None:
        self._place = place
        self._chosen = chosen
        self._question = self._asked()
        self._kept = None if self._question is None else self._question.kept()

    def ground(self) -> "Ground | None":
        """Where a run may begin; None if it has to look at everything."""
        from apiops.model.settled import Settled
        from apiops.ports import Ground

        if self._kept is None:
            return None
        return Ground(Settled.from_json(self._kept.answer), self._still)

    def keep(self, planned: "Planned") -> None:
        """Keep what a plan found to be settled, if it looked at everything and nothing moved.

        What is known is not replaced: the first commit that settles a state stays its settled one.
        """
        asked, settled = self._question, planned.settled
        if self._kept is None and asked and settled and asked == self._asked():
            asked.keep(settled.to_json(), planned.shown)

    def _still(self, shown: "Shown | None") -> bool:
        if self._kept is not None and self._kept.holds(shown) and self._question == self._asked():
            return True
        self._kept = None
        return False

    def _asked(self) -> memory.Question | None:
        """What is asked for all that is settled; None if this run may not begin from there."""
        chosen = self._chosen
        if chosen.get("worktree") or chosen["introduction"]:
            return None
        home = Path.home() if options.interactive(chosen) else None
        target = options.chosen_target(self._place, chosen)
        asked = {"no_secrets": chosen["no_secrets"]}
        return memory.ground(self._place.directory, target, home, asked)


def keep(answer: str, shown: "Shown | None") -> None:
    """Keep what the command on its way has answered, if nothing moved while it did.

    `shown` is what a Manager elsewhere showed for it.

    A command that did not ask the memory first leaves nothing in it.
    """
    asked, place, chosen = click.get_current_context().meta.get(_QUESTION, (None, None, {}))
    if asked is not None and asked == question(place, chosen):
        asked.keep(answer, shown)


def question(place: options.Place, chosen: Mapping[str, Any]) -> memory.Question | None:
    """What the options ask; None if they ask for more than the plain case."""
    more = {name: value for name, value in chosen.items() if name not in _PLAIN}
    if any(value and value != _USUAL.get(name) for name, value in more.items()):
        return None
    if chosen["outputs"] not in _FORMATS:
        return None
    terminal = sys.stdout.isatty()
    looks = [terminal, terminal and os.get_terminal_size(sys.stdout.fileno()).columns]
    looks += [os.environ.get(name) for name in _LOOKS]
    asked = {**chosen, "looks": looks}
    home = Path.home() if options.interactive(chosen) else None
    try:
        target = options.chosen_target(place, chosen)
    except UsageError:  # for the command to say, in the format that was asked for
        return None
    return memory.question(place.directory, target, chosen["ref"], home, asked)
