"""Reading text: caps, positions, streams of documents, characters nobody sees."""

import pytest

from apiops.spec import compose, near, read, scalars
from apiops.spec.findings import Findings
from apiops.spec.positions import Positions, Source


def codes(content: bytes | str) -> list[tuple[str, int, int]]:
    data = content.encode() if isinstance(content, str) else content
    found = read.documents(data, "a.yaml")[1]
    return [(one.code, one.location.line, one.location.column) for one in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("on", "on"), ("no", "no"), ("12:30:00", "12:30:00"), ("1_000", "1_000")),
        *(("010", 10), ("0o10", 8), ("0x1F", 31), ("0b11", "0b11"), ("+0x1", "+0x1")),
        *(("1.10", 1.1), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-0", 0)),
        *(("~", None), ("", None), ("NULL", None), ("nULL", "nULL"), ("TRUE", True)),
        *(("2024-01-01", "2024-01-01"), ("18446744073709551615", 2**64 - 1), ("=", "=")),
    ],
)
def test_plain_values_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    documents, findings = read.documents(f"a: {text}\n".encode(), "a.yaml")

    assert () == findings
    assert value == documents[0].tree["a"]
    assert type(value) is type(documents[0].tree["a"])


@pytest.mark.parametrize(
    "text", ["010", "0b11", "1_000", "2024-01-01", "2024-1-1T10:00:00Z", "+0x1F", "08"]
)
def test_values_that_sops_reads_differently_are_known(text: str) -> None:
    assert scalars.sops_differs(text)


@pytest.mark.parametrize("text", ["10", "0", "1.5", "0x1F", "0o17", "3.11.0", "a_b", "on", "-1"])
def test_values_that_sops_reads_alike_are_left_alone(text: str) -> None:
    assert not scalars.sops_differs(text)


def test_a_file_above_the_cap_is_refused_unread() -> None:
    assert [("AO110", 0, 0)] == codes(b"a: " + b"x" * read.SIZE)


def test_a_value_above_the_cap_is_refused() -> None:
    assert [("AO115", 1, 4)] == codes("a: " + "x" * (compose.SCALAR + 1))


def test_a_document_with_too_many_values_is_refused() -> None:
    assert ["AO112"] == [code for code, _, _ in codes("- 1\n" * (compose.NODES + 1))]


def test_aliases_of_aliases_do_not_explode() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]

    assert ["AO112"] == [code for code, _, _ in codes("\n".join(["a0: &a0 [x]", *levels]))]


def test_aliases_cannot_nest_deeper_than_the_cap() -> None:
    levels = [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 80)]

    assert ["AO111"] == [code for code, _, _ in codes("\n".join(["a0: &a0 [x]", *levels]))]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_of_opening_brackets_is_left_at_the_depth_cap(opening: str) -> None:
    assert ["AO111"] == [code for code, _, _ in codes(opening * 100_000)]


def test_a_fault_in_one_document_does_not_hide_those_in_others() -> None:
    text = "a: [1\n---\nb: 1\nb: 2\n---\nc: 1\n"
    documents, findings = read.documents(text.encode(), "a.yaml")

    assert [("AO101", 2), ("AO102", 4)] == [(one.code, one.location.line) for one in findings]
    assert [False, False, True] == [document.sound for document in documents]
    assert {"c": 1} == documents[2].tree


def test_a_marker_inside_quotes_or_indented_text_is_no_document() -> None:
    documents, findings = read.documents(b"a: |\n  x\n  ---\n  y: !z\nb: &b 1\n", "a.yaml")

    assert () == findings
    assert [{"a": "x\n---\ny: !z\n", "b": 1}] == [document.tree for document in documents]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("kind: X\nmetadata: {name: a, project: p}\nspec: [\n", "p"),
        ("kind: X\nmetadata: {name: a}\nspec: {a: 1, a: 2}\n", "system"),
        ("kind: X\nmetadata: {name: a}\nspec: [\n", None),
        ('kind: X\nmetadata: {name: a, project: "ENC[AES256_GCM]"}\na: !x 1\n', None),
        ("- a: 1\n  a: 2\n", None),
    ],
)
def test_a_faulty_document_stops_the_unit_that_can_be_told(text: str, unit: str | None) -> None:
    assert {unit} == {finding.project for finding in read.documents(text.encode(), "a")[1]}


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe"]
)
def test_characters_that_are_not_shown_are_refused(character: str) -> None:
    assert [("AO107", 2, 2)] == codes(f"a: 1\n#{character}\n")


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\u061c"])
def test_characters_that_turn_the_text_around_are_refused(character: str) -> None:
    assert [("AO108", 1, 5)] == codes(f"a: x{character}\n")


def test_a_lone_carriage_return_is_refused_and_a_windows_line_end_is_not() -> None:
    assert [("AO107", 1, 5)] == codes("a: 1\rb: 2\n")
    assert [] == codes("a: 1\r\nb: 2\r\n")


def test_positions_are_those_of_the_value_and_of_its_key() -> None:
    content = b"x: 0\n---\nspec:\n  a: [1, {b: two}]\n  anchor: &n {deep: 1}\n  alias: *n\n"
    source = Source("f.yaml", "id", 1, None)
    positions = Positions({"id": content}.__getitem__)

    path = ("spec", "a", 1, "b")

    assert "f.yaml:4:14" == str(positions.location(source, path))
    assert "f.yaml:4:11" == str(positions.location(source, path, on_key=True))
    assert "f.yaml:4:6" == str(positions.location(source, ("spec", "a", 7, "c")))
    assert "f.yaml:6:10" == str(positions.location(source, ("spec", "alias", "deep")))
    assert "f.yaml:3:1" == str(positions.location(source, ()))


def test_a_file_is_taken_apart_once_however_much_is_found_in_it() -> None:
    asked: list[str] = []

    def content(blob: str) -> bytes:
        asked.append(blob)
        return b"a: 1\n---\n" * 500

    positions = Positions(content)
    places = [
        positions.location(Source("f.yaml", "id", index, None), ("a",)) for index in range(500)
    ]
    excerpts = {positions.excerpt("id", place.line) for place in places}

    assert list(range(1, 1000, 2)) == [place.line for place in places]
    assert {"a: 1"} == excerpts
    assert 2 == len(asked)


def test_a_long_name_is_not_repeated_at_full_length() -> None:
    (found,) = read.documents(b"a: !" + b"x" * 10_000, "a.yaml")[1]
    findings = Findings(Positions({}.__getitem__))
    findings.file("a.yaml", found.code, found.message)

    assert len(findings.all()[0].message) < 500


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "  clientSecret: x",
        "Authorization: Basic eA==",
        "  MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
        "a: ENC[AES256_GCM,data:eA==]",
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_quoted(line: str) -> None:
    positions = Positions({"id": line.encode()}.__getitem__)

    assert "" == positions.excerpt("id", 1)


def test_the_nearest_name_is_offered_only_when_it_is_near() -> None:
    names = ["timeout", "readTimeout", "weight"]

    assert "timeout" == near.nearest("timeoutt", names)
    assert "readTimeout" == near.nearest("readtimeout", names)
    assert near.nearest("limit", names) is None
    assert near.nearest("x", ["y"]) is None
