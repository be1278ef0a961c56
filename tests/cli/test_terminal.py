"""What somebody at a terminal sees and answers: nothing runs into anything else."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from apiops.cli.console import Console
from apiops.errors import UsageError
from apiops.ports import Event
from tests.process import terminal
from tests.shop import MERT, Shop, a_proxy

ESCAPES = re.compile(r"\x1b\[[0-9;]*[mK]")


@pytest.fixture
def waiting(tmp_path: Path) -> Shop:
    """A bank with a change that waits to be applied."""
    shop = Shop(tmp_path)
    shop.begin()
    raised = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")
    shop.commit(MERT, {"payments/orders.yaml": raised}, "Wait longer")
    return shop


def test_a_plan_is_applied_when_the_answer_is_yes(waiting: Shop) -> None:
    done = terminal("apply", cwd=waiting.repository, typed="y\n")
    seen = ESCAPES.sub("", done.out)

    assert 0 == done.code, seen
    assert seen.index("readTimeout 60 → 90") < seen.index("Apply this plan?")
    assert "Applied 2 changes to dev" in seen
    assert "No changes." in waiting.run("plan").out


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_nothing_is_applied_when_the_answer_is_no(waiting: Shop, answer: str) -> None:
    done = terminal("apply", cwd=waiting.repository, typed=answer)

    assert 5 == done.code
    assert done.out.endswith("Nothing was applied.\n")
    assert "readTimeout 60 → 90" in waiting.run("plan").out


def test_an_interrupt_at_the_question_ends_it(waiting: Shop) -> None:
    done = terminal("apply", cwd=waiting.repository, typed="\x04")

    assert 130 == done.code
    assert done.out.endswith("\ninterrupted\n")


def test_a_question_that_must_not_be_asked_is_not(waiting: Shop) -> None:
    done = terminal("apply", "--no-input", cwd=waiting.repository)

    assert 64 == done.code
    assert "AO906" in done.out
    assert "Apply this plan?" not in done.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_whatever_is_shown_takes_the_progress_line_away_first(
    environ: Callable[..., None],
) -> None:
    environ(CI=None, TERM="xterm")
    stream = Terminal()
    console = Console((("text", None),), color="never")
    with contextlib.redirect_stderr(stream), console.progress(delay=0) as progress:
        for show in (
            lambda: console.say("said"),
            lambda: console.note(UsageError("noted", code="AO905")),
            lambda: console.warn("warned"),
        ):
            progress.notice(Event("judge", "judging the commits"))
            progress._timer.join()
            show()

    for shown in ("said\n", "error AO905  noted\n", "warning: warned\n"):
        assert f"judge: judging the commits\r\x1b[K{shown}" in stream.getvalue()
