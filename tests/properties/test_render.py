"""What holds for every rendering, whatever stands in files, names and commit messages."""

import html
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from apiops import render
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.plan import Action, Change, FieldChange
from apiops.model.resource import ResourceId
from apiops.model.secret import SecretLeaf
from apiops.model.view import Findings, PlanView
from apiops.render.markdown import paper
from tests import sarif
from tests.golden import stories

CANARY = "correct-horse-battery-staple"
NASTY = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    [
        "\x1b[2Jgone",
        "\x9b31m",
        "a\r\nb",
        "\u202egnirts",
        "</details>",
        "a|b",
        "``` x",
        "@everyone",
        "![x](http://a)",
        "<img src=x>",
        "[a](b)",
        "&lt;b",
        "\\`",
        "a\\|<b>",
        "a\\\\|@b",
        "closes #12, !3, GH-4, $5 and org/repo#6",
        "see https://evil.example or www.evil.example",
        "/merge",
        "##[error]x",
        "###vso[task.setvariable variable=APIOPS_ALLOW]empty",
    ]
)
OUR_TAGS = frozenset(
    [
        "h3",
        "p",
        "strong",
        "em",
        "code",
        "br",
        "ul",
        "li",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
        "!--",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.builds(FieldChange, path=NASTY, before=VALUES, after=VALUES)
CHANGES = st.builds(
    Change,
    action=st.sampled_from(Action),
    id=st.builds(ResourceId, NASTY, NASTY, NASTY),
    environment=NASTY,
    fields=st.lists(FIELDS, max_size=3).map(tuple),
    location=st.none() | st.builds(Location, NASTY, st.integers(0, 9), st.just(1)),
    renamed_from=st.none() | NASTY,
)
PLANS = st.lists(CHANGES, max_size=4).map(lambda changes: PlanView(stories.a_plan(*changes)))
FINDINGS = st.builds(
    Diagnostic,
    code=st.just("AO203"),
    message=NASTY,
    location=st.builds(Location, NASTY, st.integers(0, 9), st.integers(0, 200)),
    hint=NASTY,
    excerpt=NASTY,
    width=st.integers(0, 300),
).map(lambda found: Findings((found,), 1))
VIEWS = PLANS | FINDINGS


def printable(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


@given(VIEWS)
def test_text_and_markdown_have_no_control_characters(view: PlanView | Findings) -> None:
    assert printable(render.render(view, "text"))
    assert printable(render.render(view, "markdown"))


@given(VIEWS)
def test_json_parses_and_is_ascii(view: PlanView | Findings) -> None:
    shown = render.render(view, "json")

    assert shown.isascii()
    assert json.loads(shown, parse_constant=pytest.fail)["format_version"] == "1.0"


@pytest.mark.parametrize("format", ["text", "markdown", "json", "jsonl", "github", "sarif"])
@given(view=VIEWS)
def test_no_name_is_an_order_to_a_build_server(view: PlanView | Findings, format: str) -> None:
    assert not re.search(r"##\w*\[", render.render(view, format))


@given(VIEWS)
def test_annotations_are_one_printable_command_a_line(view: PlanView | Findings) -> None:
    shown = render.render(view, "github")

    assert printable(shown)
    assert all(re.match("::(error|warning|notice) ", line) for line in shown.splitlines())


@given(VIEWS)
def test_reports_for_build_servers_parse(view: PlanView | Findings) -> None:
    assert "testsuites" == ET.fromstring(render.render(view, "junit")).tag
    assert json.loads(render.render(view, "gitlab")) is not None
    assert "apiops" == sarif.valid(render.render(view, "sarif"))["tool"]["driver"]["name"]


@given(VIEWS)
def test_colour_only_adds(view: PlanView | Findings) -> None:
    coloured = render.render(view, "text", colour=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)

    assert render.render(view, "text").split() == plain.split()


@given(VIEWS, st.integers(1, 200))
def test_a_width_only_moves_words(view: PlanView | Findings, width: int) -> None:
    plain = render.render(view, "text").replace("│", "")

    assert plain.split() == render.render(view, "text", width=width).replace("│", "").split()


@given(st.lists(CHANGES, min_size=1, max_size=3), st.sampled_from(render.FORMATS))
def test_what_is_hidden_stays_hidden(changes: list[Change], format: str) -> None:
    hidden = (
        FieldChange("spec.password", CANARY, {"inner": [CANARY]}, hidden=True),
        FieldChange("spec.key", {"$secret": {"plaintext": CANARY}}, SecretLeaf("e").node()),
    )
    if format in {"json", "jsonl"}:
        hidden = hidden[:1]
    changes = [replace(change, fields=hidden, action=Action.UPDATE) for change in changes]

    assert CANARY not in render.render(PlanView(stories.a_plan(*changes)), format)


@given(VIEWS)
def test_markdown_is_only_what_we_wrote(view: PlanView | Findings) -> None:
    """Read by a real Markdown parser, no name or value has become a tag, a link or an image."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shown = parser.render(render.render(view, "markdown"))

    assert OUR_TAGS >= set(re.findall(r"<\/?([a-zA-Z!][\w-]*)", shown))


@given(NASTY)
def test_a_code_span_cannot_be_left(text: str) -> None:
    span = paper.code(text)
    fence = re.match("`*", span)
    assert fence is not None

    inside = span[fence.end() : len(span) - fence.end()]
    assert fence.group() not in re.findall("`+", inside)


@given(NASTY)
def test_a_sentence_has_no_html_and_no_mention(text: str) -> None:
    quiet = paper.prose(text).replace("@<!-- -->", "").replace("<!-- -->", "")

    assert not set("<>@") & set(quiet)


REFERENCES = ["@all", "#12", "!3", "GH-4", "$5", "%1", "&7", "~bug", "a/b#6", "WWW.x.example"]


@pytest.mark.parametrize("reference", [*REFERENCES, "https://evil.example", "ftp://x"])
def test_a_forge_sees_no_reference_in_a_sentence(reference: str) -> None:
    """Forges look for references in the text between tags and comments, after Markdown."""
    shown = MarkdownIt("commonmark").render(paper.prose(f"fix {reference}!"))
    texts = re.split(r"<[^>]*>", shown)

    assert f"fix {html.escape(reference)}!" == "".join(texts).strip()
    assert not any(html.escape(reference) in text for text in texts)


def test_a_sentence_is_no_order_to_a_forge() -> None:
    assert not paper.prose("/merge").startswith("/")


@given(NASTY, NASTY)
def test_a_cell_ends_where_we_end_it(first: str, second: str) -> None:
    """By the rule of the forges: a backslash escapes what follows, another backslash too."""
    out = paper.Paper()
    out.table(("a", "b"), [(paper.code(first), paper.prose(second))])
    row = out.text(pointer="").splitlines()[2]

    assert 3 == re.sub(r"\\.", "", row).count("|")


@settings(max_examples=5, deadline=None)
@given(st.integers(400, 3000))
def test_markdown_can_always_be_posted(number: int) -> None:
    changes = (
        replace(stories.CORE, id=ResourceId("ApiProxy", "payments", f"{'ö' * 40}-{n}"))
        for n in range(number)
    )
    shown = render.render(PlanView(stories.a_plan(*changes)), "markdown", full="See there.")

    assert len(shown.encode()) <= paper.LIMIT
    assert "See there." in shown
    assert shown.count("<details>") == shown.count("</details>")
