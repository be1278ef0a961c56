"""The two ways of reading YAML are one: what the fast one accepts, the slow one reads the same."""

import math
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apiops.model.kinds import KINDS
from apiops.spec import read
from apiops.spec.load import load
from apiops.spec.positions import Positions, Source
from tests.snapshots import TEST, snapshot

FRAGMENTS = st.sampled_from(
    [
        *("a", "b", "key", "1", "010", "0x1F", "0o17", "0b11", "+1", "-0", "1.10", "1e3", "1e400"),
        *("true", "no", "on", "~", "null", "Null", ".inf", "-.NaN", "12:30:00", "2024-01-01"),
        *("1_000", "9" * 19, "9" * 25, "<<", "=", "!x", "!!str", "&a", "*a", "%", "@", "`"),
        *(": ", ":", "- ", "? ", "\n", "\n  ", "\n    ", "\n- ", "\n---\n", "\n...\n", " #c\n"),
        *("{", "}", "[", "]", ", ", ",", '"', "'", "|\n", ">-\n", "\\", "\\0", "\t", "\r\n"),
        *("\ufeff", "\u00e9", "\u2028", "\x85", "\x07", "\u202e", "🙂", "%YAML 1.1\n"),
    ]
)
TEXTS = st.one_of(
    st.lists(FRAGMENTS, max_size=30).map("".join),
    st.text(alphabet="ab01:-?[]{},&*!|>'\"%#\n \t~.+_eExX\\", max_size=60),
)

VISIBLE = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cs", "Cn", "Co"]
)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(VISIBLE, max_size=20).map("x{}".format),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.text("abcxyz-_1", max_size=6), below, max_size=4)
    ),
    max_leaves=20,
)
"""Trees that a YAML 1.1 writer writes as YAML 1.2 reads them: no text that looks like a number."""


def normal(text: str) -> str | None:
    """The text as both paths are given it, or None where it is refused before."""
    decoded, refusal = read._decode(text.encode())
    return decoded if refusal is None else None


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.copysign(1, one) == math.copysign(1, other) and one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@settings(max_examples=1500, deadline=None)
@given(TEXTS)
def test_what_the_fast_path_accepts_the_slow_path_reads_the_same(text: str) -> None:
    decoded = normal(text)
    quick = None if decoded is None else read.fast(decoded)
    if decoded is None or quick is None:
        return
    documents, findings = read.slow(decoded)

    assert () == findings
    assert same([one.tree for one in documents], [one.tree for one in quick[0]])
    assert [one.index for one in documents] == [one.index for one in quick[0]]


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_where_a_sound_document_begins_is_found_without_composing_it(text: str) -> None:
    decoded = normal(text)
    quick = None if decoded is None else read.fast(decoded)
    if decoded is None or quick is None:
        return
    positions = Positions(lambda _: decoded.encode())
    for document in quick[0]:
        source = Source("a.yaml", "blob", document.index, document.tree)
        if isinstance(document.tree, dict):
            assert positions.location(source, ()) == positions.beginning(source)


@settings(max_examples=300, deadline=None)
@given(TREES, st.booleans())
def test_what_a_yaml_writer_writes_is_read_back(tree: Any, flow: bool) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    documents, findings = read.documents(text.encode(), "a.yaml")

    assert () == findings
    assert same(tree, documents[0].tree)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80) | TEXTS.map(str.encode))
def test_whatever_the_bytes_are_reading_only_reports(content: bytes) -> None:
    documents, findings = read.documents(content, "a.yaml")
    lines = content.count(b"\n") + content.count(b"\r") + 1

    assert all(finding.location.path == "a.yaml" for finding in findings)
    assert all(0 <= finding.location.line <= lines + 1 for finding in findings)
    assert findings or all(document.sound for document in documents)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), TREES, TREES, TREES)
def test_whatever_a_manifest_says_loading_only_reports(
    kind: str, metadata: Any, spec: Any, parameters: Any
) -> None:
    manifest = {"apiVersion": "apiops/v1", "kind": kind, "metadata": metadata, "spec": spec}
    named = {**manifest, "metadata": {"name": "one", "project": "p"}}
    files = {
        "one.yaml": yaml.safe_dump_all([manifest, named]),
        "parameters.yaml": yaml.safe_dump({"parameters": parameters}),
        "targets/test/params.yaml": yaml.safe_dump(parameters),
        "targets/test/patches/one.yaml": yaml.safe_dump(named),
    }

    loaded = load(snapshot(files), TEST)

    assert sorted(loaded.diagnostics, key=lambda one: one.order) == list(loaded.diagnostics)
