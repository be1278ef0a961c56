"""Lines on a terminal: wrapped between words, columns where there is room, nothing lost."""

import io
import re
from collections.abc import Callable

import pytest

from apiops.render import ink
from apiops.render.ink import Page
from apiops.render.layout import Ink

SENTENCE = "deniz may not change it: the right is needed there, and nobody gave it to them"


def rows(page: Page, width: int | None) -> list[str]:
    return page.text(width=width).splitlines()


def a_plan() -> Page:
    page = Page()
    page.line("  ~ ApiProxy/payments/orders", aside="payments/orders.yaml:2")
    page.line("      spec.limit 100 → 250", aside=" " * len("payments/orders.yaml") + ":54")
    page.line("  + Connection/payments/a-rather-long-name-it-has", aside="payments/c.yaml:1")
    return page


def test_without_a_terminal_nothing_is_wrapped() -> None:
    page = Page()
    page.line(SENTENCE * 9)

    assert [SENTENCE * 9] == rows(page, None)


def test_a_line_is_continued_below_its_text() -> None:
    page = Page()
    page.line("  why      ", SENTENCE, then=" " * 11)

    assert [
        "  why      deniz may not change it: the",
        "           right is needed there, and",
        "           nobody gave it to them",
    ] == rows(page, 40)


def test_without_a_wish_a_line_is_continued_a_step_further_in() -> None:
    page = Page()
    page.line("  ", SENTENCE)

    assert {"      "} == {row[:6] for row in rows(page, 40)[1:]}


def test_columns_are_kept_together_where_that_wastes_little() -> None:
    page = Page()
    page.line("109   deniz   deploy (denied)   orders → production of it   why")

    assert ["109   deniz   deploy (denied)", "    orders → production of it   why"] == rows(
        page, 40
    )


def test_running_text_is_no_wider_than_can_be_read() -> None:
    page = Page()
    page.line(SENTENCE, most=50)

    assert all(len(row) <= 50 for row in rows(page, None))
    assert rows(page, 30) != rows(page, None)


def test_what_is_whole_is_left_whole() -> None:
    page = Page()
    page.line(SENTENCE, whole=True)

    assert [SENTENCE] == rows(page, 40)


def test_a_word_that_is_too_long_stands_alone_and_nothing_is_lost() -> None:
    page = Page()
    page.line("a ", "x" * 60, " b")

    assert ["a " + "x" * 60, "    b"] == rows(page, 40)


def test_asides_stand_in_a_column_as_far_right_as_they_can_be_read() -> None:
    assert [
        "  ~ ApiProxy/payments/orders" + " " * 24 + "payments/orders.yaml:2",
        "      spec.limit 100 → 250" + " " * 46 + ":54",
        "  + Connection/payments/a-rather-long-name-it-has   payments/c.yaml:1",
    ] == rows(a_plan(), None)
    assert rows(a_plan(), 75) == rows(a_plan(), None)


def test_an_aside_that_is_set_in_may_stand_beside_a_line_that_reaches_into_its_column() -> None:
    page = Page()
    page.line("title", aside="a/long/path.yaml:1")
    page.line("      spec.field 1 → 2", aside=" " * len("a/long/path.yaml") + ":9")

    assert 40 == len(rows(page, 40)[1])
    assert {40} == {len(row) for row in rows(page, 40)}


def test_an_aside_without_room_stands_below_in_its_column() -> None:
    shown = rows(a_plan(), 60)

    assert "  ~ ApiProxy/payments/orders         payments/orders.yaml:2" == shown[0]
    assert " " * 37 + "payments/c.yaml:1" == shown[-1]
    assert all(len(row) <= 60 for row in shown)


@pytest.mark.parametrize("width", [40, 41, 50, 80, 120])
def test_colour_changes_no_row(width: int) -> None:
    plain, coloured = Page(), Page()
    for page in (plain, coloured):
        page.line(("denied ", Ink.BAD), SENTENCE, (" really", Ink.STRONG), aside="there:1")
    drawn = coloured.text(colour=True, width=width)

    assert "\x1b[" in drawn
    assert plain.text(width=width) == re.sub(r"\x1b\[[0-9;]*m", "", drawn)


class TestTheWidth:
    @pytest.fixture(autouse=True)
    def plain(self, environ: Callable[..., None]) -> None:
        environ(CI=None, COLUMNS=None, FORCE_COLOR=None)

    def test_a_pipe_has_none(self, environ: Callable[..., None]) -> None:
        environ(COLUMNS="60")
        assert ink.width(io.StringIO()) is None

    def test_who_pretends_a_terminal_says_how_wide_it_is(
        self, environ: Callable[..., None]
    ) -> None:
        environ(FORCE_COLOR="1", COLUMNS="60")
        assert 60 == ink.width(io.StringIO())
        environ(COLUMNS="6")
        assert ink.NARROWEST == ink.width(io.StringIO())

    def test_a_build_server_has_none_whatever_it_pretends(
        self, environ: Callable[..., None]
    ) -> None:
        """A wrapped name could begin a line there, and such lines may be commands."""
        environ(FORCE_COLOR="1", COLUMNS="60", CI="true")
        assert ink.width(io.StringIO()) is None
