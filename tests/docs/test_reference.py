"""Reference pages say what the code says. When one is stale: `make generate`."""

import re
from pathlib import Path

import pytest

from apiops.errors import Exit
from apiops.model import codes
from apiops.render import reference

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", reference.PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert reference.PAGES[page]() == (ROOT / page).read_text(encoding="utf-8")


def test_every_code_has_an_entry_that_can_be_linked_to() -> None:
    entries = re.findall(r"^### (AO\d{3})$", reference.code_page(), re.MULTILINE)

    assert list(codes.ALL) == entries


def test_every_exit_code_has_a_meaning() -> None:
    assert set(Exit) == set(reference.MEANINGS)


def test_the_glossary_is_in_alphabetical_order() -> None:
    glossary = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\*\*(.+?)\*\*", glossary, re.MULTILINE)

    assert sorted(words, key=str.lower) == words
    assert 30 < len(words)
