"""The matrix against the vendor's table, cell by cell, with every deviation that the ADR explains.

The table is the vendor's document, 3.2, as it stands; the deviations are the decisions of
docs/adr/0005-permission-matrix.md by their number there.
"""

from pathlib import Path

import pytest

from apiops.access import matrix, roles
from apiops.model.access import Category

ROOT = Path(__file__).parents[2]

VENDOR_ROLES = (
    *("Project Owner", "API Developer", "API Manager", "API Creator"),
    *("API Security", "API Analytics", "API Tester"),
)
VENDOR = """
| API_MANAGEMENT | V M D X | V M D X | V M D X | V | V | V | V |
| API_CREATOR | V M X | V M X | V | V M X | – | – | V |
| API_INTEGRATOR | V M E | V M E | V | V | – | V | V |
| GLOBAL_SETTINGS | V M X | V M X | V | V | V X | – | – |
| CONNECTIONS | V M X | V M X | V | V | V M X | – | V |
| IDENTITY | V M | V M | V | V | V M X | – | V |
| SECRETS | V M X | V M X | V | V | V M X | – | V |
| MONITORING | V M | V M | V M | V | V | V | – |
| ANALYTICS | V | V | V | V | V | V M | – |
| AUDIT | V | V | V | V | V | V | – |
| TESTING | V E | V E | V E | V E | V E | – | V M E |
| PROJECT_MANAGEMENT | V M X | V M X | V M X | V M X | V M X | V M X | V M X |
"""
AI_ROLES = {
    "AI Admin": {"AI_DEVELOPMENT": "VMDX", "AI_BUDGETS": "VM", "AI_ANALYTICS": "V"},
    "AI Developer": {"AI_DEVELOPMENT": "VMDX"},
    "AI Finance": {"AI_BUDGETS": "VM"},
    "AI Analytics": {"AI_ANALYTICS": "V"},
}
"""The AI pages give these roles whole categories (ADR 0005, 7)."""

DEVIATIONS = {
    # 1: the Owner holds every supported action of every category.
    ("Project Owner", "IDENTITY"): (1, "VMX"),
    ("Project Owner", "ANALYTICS"): (1, "VM"),
    ("Project Owner", "TESTING"): (1, "VME"),
    ("Project Owner", "AI_DEVELOPMENT"): (1, "VMDX"),
    ("Project Owner", "AI_BUDGETS"): (1, "VM"),
    ("Project Owner", "AI_ANALYTICS"): (1, "V"),
    # 2: whoever manages members may give themselves every other right.
    ("API Creator", "PROJECT_MANAGEMENT"): (2, "V"),
    ("API Security", "PROJECT_MANAGEMENT"): (2, "V"),
    ("API Analytics", "PROJECT_MANAGEMENT"): (2, "V"),
    ("API Tester", "PROJECT_MANAGEMENT"): (2, "V"),
}
"""(role, category) → the decision of the ADR, and our cell."""

VENDOR_EXPANSIONS = {
    "API_MANAGEMENT.M": "API_INTEGRATOR.E CONNECTIONS.M IDENTITY.M SECRETS.M",
    "API_CREATOR.M": "API_INTEGRATOR.V MONITORING.V ANALYTICS.V AUDIT.V",
    "IDENTITY.M": "MONITORING.V ANALYTICS.V TESTING.V TESTING.E",
    "ANALYTICS.V": "API_INTEGRATOR.V",
    "TESTING.E": "TESTING.M API_INTEGRATOR.V CONNECTIONS.V IDENTITY.V SECRETS.V",
}
"""3.3 without its last line, which ADR 0005, 5 refuses."""


def vendor() -> dict[tuple[str, str], str]:
    cells = {}
    for line in VENDOR.strip().splitlines():
        category, *columns = (cell.strip() for cell in line.strip("|").split("|"))
        for role, cell in zip(VENDOR_ROLES, columns, strict=True):
            cells[role, category] = cell.replace(" ", "").replace("–", "")
    return cells


def ours(*, expanded: bool) -> dict[tuple[str, str], str]:
    view = matrix.view(expanded=expanded)
    return {
        (role, category): cell
        for category, row in view.cells.items()
        for role, cell in zip(view.roles, row, strict=True)
    }


EXPECTED = {
    **{(role, c.value): "" for role in roles.ROLES for c in Category},
    **vendor(),
    **{(role, c): cell for role, cells in AI_ROLES.items() for c, cell in cells.items()},
    **{at: cell for at, (_, cell) in DEVIATIONS.items()},
}


@pytest.mark.parametrize("at", sorted(EXPECTED), ids=" ".join)
def test_a_cell_is_the_vendors_or_a_deviation_that_is_explained(at: tuple[str, str]) -> None:
    assert EXPECTED[at] == ours(expanded=False)[at]


def test_every_deviation_is_one() -> None:
    assert {} == {at: cell for at, (_, cell) in DEVIATIONS.items() if vendor().get(at) == cell}


def test_every_deviation_is_explained_under_its_number() -> None:
    adr = (ROOT / "docs/adr/0005-permission-matrix.md").read_text(encoding="utf-8")
    assert {1, 2} == {number for number, _ in DEVIATIONS.values()}
    assert all(f"\n{number}. " in adr for number in (1, 2, 5, 7))


def test_the_table_has_all_cells_of_the_vendors_document() -> None:
    assert 12 * 7 == len(vendor())
    assert set(VENDOR_ROLES) | AI_ROLES.keys() == set(roles.ROLES)


def test_the_expansions_are_the_vendors() -> None:
    expected = {
        roles.right(given): {roles.right(text) for text in also.split()}
        for given, also in VENDOR_EXPANSIONS.items()
    }
    assert expected == {given: set(also) for given, also in roles.BRINGS.items()}


def test_the_expanded_matrix_adds_and_takes_nothing_away() -> None:
    raw, expanded = ours(expanded=False), ours(expanded=True)
    assert {} == {at: raw[at] for at in raw if not set(raw[at]) <= set(expanded[at])}
    added = {at: "".join(c for c in expanded[at] if c not in raw[at]) for at in raw}
    assert {
        ("API Developer", "TESTING"): "M",
        ("API Manager", "API_INTEGRATOR"): "E",
        ("API Manager", "CONNECTIONS"): "M",
        ("API Manager", "IDENTITY"): "M",
        ("API Manager", "SECRETS"): "M",
        ("API Manager", "TESTING"): "M",
        ("API Creator", "TESTING"): "M",
        ("API Security", "API_INTEGRATOR"): "V",
        ("API Security", "TESTING"): "M",
    } == {at: letters for at, letters in added.items() if letters}
