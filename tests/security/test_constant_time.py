"""Secrets, tokens and MACs are compared in constant time: `==` on anything named so is found here.

It looks at names and not at values, so it finds what is written plainly. What is right all the
same stands in `FINE`, with the reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = re.compile(
    r"(?:^|_)(?:tokens?|secrets?|passwords?|passphrase|mac|hmac|hash|bearer|credential|plaintext)"
    r"(?:$|_)"
)
FINE = {
    "row.c.token == old": "a column of SQL, of ciphertext",
    "secret != (self.algorithm is not None)": "whether there is one, not what it is",
    "value == switch.secret_when": "the word by which a field says that it is secret",
    "parent.get(secret.switch.field, secret.switch.default) == secret.switch.secret_when": (
        "the same word"
    ),
}


def named(node: ast.expr) -> str:
    """What the value of an expression is called, by its last name."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def compared(source: str) -> Iterator[str]:
    """Every plain comparison of something that is named like a secret."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops):
            sides = (node.left, *node.comparators)
            if any(NAMES.search(named(side)) for side in sides):
                yield ast.unparse(node)


def test_what_is_secret_is_compared_in_constant_time() -> None:
    found = {
        text for file in (ROOT / "apiops").rglob("*.py") for text in compared(file.read_text())
    }
    assert FINE.keys() == found


def test_a_plain_comparison_is_found() -> None:
    for source in ("token == given", "a != row.token_hash", "mac(x) == y", "x == self.secrets[0]"):
        assert [source] == list(compared(source))
    assert [] == list(compared("compare_digest(token, given) == (token is None)"))
