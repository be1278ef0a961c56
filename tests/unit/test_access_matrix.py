"""The permission matrix: the tables, and what a right brings along."""

import pathlib
import re

import pytest

from apiops.access import matrix, roles
from apiops.model.access import Category, Right, Verb
from apiops.model.codes import access
from apiops.model.kinds import KINDS

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_expanded_table_is_what_the_raw_one_expands_to(role):
    assert roles.EXPANDED[role] == matrix.expand(roles.RAW[role])


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_role_names_a_right_that_its_category_does_not_have(role):
    assert roles.EXPANDED[role] <= roles.EVERYTHING


def test_the_owner_holds_everything():
    assert roles.EVERYTHING == roles.RAW["Project Owner"]


@pytest.mark.parametrize("role", ["API Creator", "API Security", "API Analytics", "API Tester"])
def test_members_are_not_managed_by_those_who_do_other_work(role):
    assert "V" == matrix.letters(roles.EXPANDED[role], Category.PROJECT_MANAGEMENT)


def test_expansion_reaches_the_fixpoint():
    held = matrix.expand([Right(Category.API_MANAGEMENT, Verb.MANAGE)])
    assert Right(Category.TESTING, Verb.MANAGE) in held
    assert held == matrix.expand(held)


@pytest.mark.parametrize("right", sorted(roles.EVERYTHING, key=str), ids=str)
def test_every_right_brings_the_view_of_its_category(right):
    assert Right(right.category, Verb.VIEW) in matrix.expand([right])


def test_the_matrix_has_a_row_for_each_category_and_a_column_for_each_role():
    table = matrix.rows()
    assert ("category", *roles.ROLES) == table[0]
    assert [c.value for c in Category] == [row[0] for row in table[1:]]
    assert {len(roles.ROLES) + 1} == {len(row) for row in table}


def test_a_row_reads_like_the_table():
    header, *body = matrix.rows(expanded=False)
    (cells,) = (row for row in body if row[0] == "SECRETS")
    row = dict(zip(header, cells, strict=True))
    assert ("VMX", "V", "") == (row["API Security"], row["API Tester"], row["API Analytics"])


def test_the_kinds_know_the_same_built_in_roles():
    assert set(roles.ROLES) == set(KINDS["Role"].builtin)


def test_every_rule_is_explained_to_people():
    text = (ROOT / "docs/explanation/permission.md").read_text()
    source = (ROOT / "apiops/access/decide.py").read_text()
    rules = set(re.findall(r'"(R-[a-z-]+)"', source))
    assert rules == set(re.findall(r"^\| (R-[a-z-]+)", text, re.MULTILINE))


def test_every_code_that_access_uses_is_registered_and_no_other():
    sources = (path.read_text() for path in (ROOT / "apiops/access").glob("*.py"))
    used = {code for source in sources for code in re.findall(r"AO5\d\d", source)}
    assert used == {code.id for code in access.CODES}
