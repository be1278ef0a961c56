"""What a set of rights amounts to, and the matrix as people read it.

The tables are in `roles`; here they are expanded and laid out in rows.
"""

from collections.abc import Iterable

from apiops.access import roles
from apiops.model.access import Category, Right, Verb
from apiops.model.view import PermissionMatrix


def expand(rights: Iterable[Right]) -> frozenset[Right]:
    """The rights and all that they bring along, to the fixpoint.

    MANAGE, DEPLOY_UNDEPLOY, EXECUTE and EXPORT_IMPORT each bring VIEW of the same category
    (vendor document 3.3 and its remark on 3.1; the last three are our reading).
    """
    known: set[Right] = set()
    fresh = set(rights)
    while fresh:
        known |= fresh
        brought = {also for right in fresh for also in _brings(right)}
        fresh = brought - known
    return frozenset(known)


def _brings(right: Right) -> frozenset[Right]:
    return roles.BRINGS.get(right, frozenset()) | {Right(right.category, Verb.VIEW)}


def letters(rights: Iterable[Right], category: Category) -> str:
    """The verbs held in a category, as the tables write them: `VMDX`, or nothing."""
    held = {right.verb for right in rights if right.category is category}
    return "".join(letter for letter, verb in roles.LETTERS.items() if verb in held)


def rows(*, expanded: bool = True) -> tuple[tuple[str, ...], ...]:
    """The matrix: a header row, then one row per category with one cell per built-in role."""
    table = roles.EXPANDED if expanded else roles.RAW
    header = ("category", *roles.ROLES)
    body = (
        (category.value, *(letters(table[role], category) for role in roles.ROLES))
        for category in Category
    )
    return (header, *body)


def view(*, expanded: bool) -> PermissionMatrix:
    """The matrix as people are shown it."""
    (_, *names), *body = rows(expanded=expanded)
    return PermissionMatrix(
        roles=tuple(names),
        cells={category: tuple(cells) for category, *cells in body},
        letters={letter: verb.value for letter, verb in roles.LETTERS.items()},
        expanded=expanded,
    )
