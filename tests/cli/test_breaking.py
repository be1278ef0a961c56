"""The gate for what a new OpenAPI document breaks, through the whole line."""

from pathlib import Path

import pytest

from tests.shop import AYSE, MERT, Shop, the_bank

DOCUMENT = """\
openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      responses: {"200": {description: All}}
    post:
      responses: {"201": {description: New}}
"""
LESS = DOCUMENT.replace('    post:\n      responses: {"201": {description: New}}\n', "")
MORE = DOCUMENT + '  /new:\n    get:\n      responses: {"200": {description: New}}\n'
PROXY = """\
apiVersion: apiops/v1
kind: ApiProxy
metadata: {name: orders, project: payments}
spec:
  type: OPEN_API
  source: {file: orders.openapi.yaml}
  clientRoute: {relativePathList: [/orders]}
  routing: {addresses: [{address: "https://orders.bank.example"}]}
  deployments: [{environment: dev}]
"""
FILE = "payments/orders.openapi.yaml"


def an_environment(policy: str) -> str:
    says = f", breakingChanges: {policy}" if policy else ""
    return (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\n"
        f"spec: {{type: TEST{says}}}\n"
    )


def a_shop(folder: Path, policy: str = "REFUSE", document: str = LESS, message: str = "") -> Shop:
    """A bank whose orders have a document, and a commit that changes it."""
    shop = Shop(folder)
    files = {
        "system/dev.yaml": an_environment(policy),
        "payments/orders.yaml": PROXY,
        FILE: DOCUMENT,
    }
    shop.begin({**the_bank(), **files})
    shop.commit(MERT, {FILE: document}, message or "Another document")
    return shop


def test_a_plan_that_breaks_callers_is_refused_and_says_where(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    plan = shop.run("plan")
    assert (5, True) == (plan.code, "AO618" in plan.out), plan.out
    assert "ApiProxy/payments/orders breaks those who call it: POST /orders is gone" in plan.out
    done = shop.run("apply", "--yes")
    assert (5, True) == (done.code, "AO618" in done.err), done.err
    (found,) = shop.run("plan", "-o", "json").json["breaking"]
    (broken,) = found["breaks"]
    assert ("operation-removed", FILE, 4) == (
        broken["rule"],
        broken["location"]["path"],
        broken["location"]["line"],
    )


@pytest.mark.parametrize(
    ("policy", "told"),
    [("", True), ("TELL", True), ("ALLOW", False)],
    ids=["none", "tell", "allow"],
)
def test_an_environment_may_only_want_to_be_told_or_not_even_that(
    tmp_path: Path, policy: str, told: bool
) -> None:
    shop = a_shop(tmp_path, policy)
    plan = shop.run("plan")
    assert (0, told) == (plan.code, "breaks those who call it" in plan.out), plan.out
    assert 0 == shop.run("apply", "--yes").code


def test_what_is_added_stops_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, document=MORE)
    assert [] == shop.run("plan", "-o", "json").json["breaking"]
    assert 0 == shop.run("apply", "--yes").code


def test_a_reason_in_the_commit_that_changes_it_lets_it_through(tmp_path: Path) -> None:
    why = "apiops-break: ApiProxy/payments/orders partners were told, ticket 4711"
    shop = a_shop(tmp_path, message=f"Take no orders any more\n\n{why}")
    plan = shop.run("plan")
    assert (0, True) == (plan.code, "it is meant: partners were told, ticket 4711" in plan.out)
    assert 0 == shop.run("apply", "--yes").code
    entry = shop.run("audit", "list", "--action", "update", "-o", "json").json["entries"][0]
    assert ["breaking"] == entry["reason"]["overrides"]


@pytest.mark.parametrize(
    "line",
    [
        "apiops-break: ApiProxy/payments/orders",
        "apiops-break: ApiProxy/payments/others because",
        "apiops-break: ApiProxy/cards/orders because",
    ],
)
def test_a_line_without_a_reason_or_for_another_says_nothing(tmp_path: Path, line: str) -> None:
    shop = a_shop(tmp_path, message=f"Take no orders any more\n\n{line}")
    assert 5 == shop.run("apply", "--yes").code


def test_a_line_in_a_commit_that_does_not_answer_for_it_says_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.commit(
        AYSE, {"README.md": "x"}, "Say so\n\napiops-break: ApiProxy/payments/orders because"
    )
    assert 5 == shop.run("apply", "--yes").code


def test_a_whole_run_can_be_let_through_by_name(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert 0 == shop.run("apply", "--yes", "--allow", "breaking").code


def test_a_commit_cannot_take_the_gate_away_for_its_own_batch(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.commit(AYSE, {"system/dev.yaml": an_environment("ALLOW")}, "Never mind")
    assert 5 == shop.run("apply", "--yes").code


def test_it_is_compared_with_what_was_applied_and_not_with_the_last_commit(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.commit(MERT, {FILE: LESS.replace("All", "Every one")}, "Other words")
    assert 5 == shop.run("apply", "--yes").code
    shop.commit(MERT, {FILE: DOCUMENT.replace("All", "Every one")}, "Orders again")
    assert 0 == shop.run("apply", "--yes").code


def test_a_document_that_moved_is_the_same_document(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, document=DOCUMENT)
    moved = PROXY.replace("orders.openapi.yaml", "api/orders.yaml")
    files = {"payments/orders.yaml": moved, FILE: None, "payments/api/orders.yaml": LESS}
    shop.commit(MERT, files, "Move and take away")
    plan = shop.run("plan")
    assert (5, True) == (plan.code, "POST /orders is gone" in plan.out), plan.out


@pytest.mark.parametrize("document", ["openapi: [", "openapi: 9.9.9\n", "not: openapi\n"])
def test_a_document_that_can_no_longer_be_read_breaks_all(tmp_path: Path, document: str) -> None:
    shop = a_shop(tmp_path, document=document)
    plan = shop.run("plan")
    assert (5, True) == (plan.code, "its document cannot be read" in plan.out), plan.out


@pytest.mark.parametrize(
    ("format", "told"),
    [
        ("markdown", "POST /orders is gone"),
        ("github", f"::warning file={FILE},line=4"),
        ("junit", "operation-removed"),
    ],
)
def test_every_output_tells_of_it(tmp_path: Path, format: str, told: str) -> None:
    shop = a_shop(tmp_path, "TELL")
    shown = shop.run("plan", "-o", format)
    assert (0, True) == (shown.code, told in shown.out), shown.out
