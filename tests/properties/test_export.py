"""The way back loses nothing: trees through YAML, live states through manifests, on both engines."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.spec import emit, read
from tests.engines import ENGINES, fresh
from tests.estates import Thing, estates, written
from tests.shop import AYSE, MERT, Shop, the_bank

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["on", "1e3", "0o17", "1_000", "12:30:00", "~", "=", "<<", "a: b", "# c", "a\n", "\n a", " a\nb",
     "a\nb\n", "a \nb\n", "\ta\n", "\u2028", "\x85", "\ufeff", "2026-01-01", ".inf", "- a", "key:"]
)  # fmt: skip
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
trees = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(st.dictionaries(texts, trees, max_size=4))
def test_what_is_emitted_reads_back_as_the_same_tree(tree: dict[str, Any]) -> None:
    text = emit.document({"spec": tree})
    (document,), findings = read.documents(text.encode(), "x.yaml")
    assert () == findings, text
    assert same({"spec": tree}, document.tree), text


def by_hand(shop: Shop, things: list[Thing]) -> None:
    """Somebody changes what the commits say, so that what is live was never written."""
    who = ("--as", "mert", "--sign-key", str(shop.person_key(MERT)), "--reason", "incident 4711")
    for one in things:
        if one.kind == "Credential":
            done = shop.run("manager", "set", one.id, "spec.fullName=By hand: on", *who)
            assert 0 == done.code, done.err


def exported(shop: Shop) -> dict[str, bytes]:
    """Project payments as `apiops export` writes it into the repository, secrets and all."""
    who = ("--as", "ayse", "--sign-key", str(shop.person_key(AYSE)), "--reason", "begin again")
    secrets = ("--encrypt-to", shop.recipient)
    done = shop.run("export", "--into", ".", "--project", "payments", *secrets, *who)
    assert 0 == done.code, done.err
    return {
        path: (shop.repository / path).read_bytes()
        for path in (line.strip() for line in done.out.splitlines())
    }


@pytest.mark.parametrize("engine", ENGINES)
@given(things=estates())
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_exported_and_committed_plans_to_nothing(
    request: pytest.FixtureRequest, engine: str, things: list[Thing]
) -> None:
    with fresh(engine, request) as shop:
        files = {**the_bank(), **written(things, shop.recipient)}
        shop.begin(files)
        by_hand(shop, things)
        live = exported(shop)
        old = [path for path in files if path.startswith("payments/")]
        shop.commit(AYSE, {**dict.fromkeys(old), **live}, "Begin again")
        plan = shop.run("plan", "-o", "json")
        assert (0, []) == (plan.code, plan.json["plan"]["changes"]), plan.out
        for value in (value for thing in things for value in plaintexts(thing.spec)):
            assert not [path for path, content in live.items() if value.encode() in content]


def plaintexts(node: Any) -> Iterator[str]:
    """The secrets of a thing."""
    if isinstance(node, dict):
        if "$plain" in node:
            yield node["$plain"]
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from plaintexts(item)
