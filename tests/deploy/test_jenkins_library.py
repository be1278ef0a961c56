"""The shared library for Jenkins: its Groovy is parsed, and the scripts of its steps are run.

No Jenkins and no Groovy is at hand, so what stands between a step's options and its script is read
from the syntax tree.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter
import tree_sitter_groovy

from tests.deploy.test_pipelines import run
from tests.shop import MERT, Shop, a_proxy

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "deploy/ci/jenkins/library/vars/apiops.groovy"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


def parsed(source: bytes) -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    return parser.parse(source).root_node


def below(node: tree_sitter.Node, kind: str) -> Iterator[str]:
    """The texts of all nodes of a kind."""
    if node.type == kind:
        yield (node.text or b"").decode()
    for child in node.children:
        yield from below(child, kind)


def steps() -> dict[str, str]:
    """Step → its script, of those that have one."""
    found = {}
    for function in below(parsed(LIBRARY.read_bytes()), "function_definition"):
        name = re.match(r"def (\w+)\(", function)
        script = re.search(r"sh '''(.*?)'''", function, re.DOTALL)
        if name and script:
            found[name[1]] = script[1]
    return found


def variables() -> dict[str, str]:
    """Option → the variable that it becomes."""
    pairs = (item.partition(":") for item in below(parsed(LIBRARY.read_bytes()), "map_item"))
    return {
        name: value.strip(" '") for name, _, value in pairs if value.strip().startswith("'APIOPS")
    }


def a_shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    shop.commit(MERT, {"payments/orders.yaml": CHANGED}, "Wait longer")
    return shop


def test_it_is_groovy() -> None:
    assert not parsed(LIBRARY.read_bytes()).has_error
    assert parsed(LIBRARY.read_bytes().replace(b"{", b"(", 1)).has_error


def test_every_option_is_a_variable_of_apiops() -> None:
    pages = ("cli", "settings")
    known = "".join((ROOT / f"docs/reference/{page}.md").read_text() for page in pages)
    assert len(variables()) > 5
    assert [] == [name for name in variables().values() if not re.search(rf"\b{name}\b", known)]


def test_what_is_given_never_stands_in_a_script() -> None:
    assert {"validate", "plan", "apply", "sync", "drift"} == steps().keys()
    assert [] == [script for script in steps().values() if "$" in script or "given" in script]


def test_a_plan_that_was_looked_at_is_what_is_applied(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    for step in ("validate", "plan", "apply"):
        code, printed = run(shop, [steps()[step]], {variables()["target"]: "dev"})
        assert 0 == code, printed
    assert "readTimeout" in (shop.repository / "apiops-plan.md").read_text()
    assert "No changes." in shop.run("plan").out


def test_a_sync_and_what_drifts_after_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    for step in ("sync", "drift"):
        code, printed = run(shop, [steps()[step]], {variables()["ref"]: "HEAD"})
        assert 0 == code, printed
    key = shop.person_key(MERT)
    by = ("--as", "mert", "--sign-key", key, "--reason", "by hand")
    field = "spec.settings.connection.connectTimeout=5"
    assert 0 == shop.run("manager", "set", "ApiProxy/payments/orders", field, *by).code
    assert 2 == run(shop, [steps()["drift"]], {})[0]
