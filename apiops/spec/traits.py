"""What is to be known of a kind beside its fields, in sentences, from the table of kinds."""

from collections.abc import Iterable, Iterator

from apiops.model.kinds import Home, Kind

_HOMES = {
    Home.SYSTEM: "It belongs to the System tier: it has no `metadata.project`.",
    Home.PROJECT: "It belongs to a project.",
    Home.EITHER: "It belongs to a project or, without `metadata.project`, to the System tier.",
}


def of(kind: Kind) -> Iterator[str]:
    """The sentences about one kind, the most important first."""
    if kind.home is Home.SYSTEM:
        yield f"{_HOMES[kind.home]} A `sysAdmin` may change it."
    else:
        yield f"{_HOMES[kind.home]} Changing it takes {kind.category.value}.MANAGE."
    if kind.unique:
        yield "Its name is taken for all projects."
    if kind.folds_case:
        yield "Names that differ only in case are the same name."
    named = sorted({reference.kind for reference in kind.references})
    if named:
        yield f"It refers to {', '.join(named)}."
    if kind.immutable:
        yield (
            f"{_list(kind.immutable)} cannot change in place: the resource is deleted and made "
            "again, which the guard `replace` must allow."
        )
    if kind.steps:
        ways = "; ".join(
            f"{state} → {' or '.join(after)}" for state, after in kind.steps.after.items()
        )
        yield f"`{kind.steps.field}` goes step by step: {ways}."
    yield from _reading(kind)


def _reading(kind: Kind) -> Iterator[str]:
    """What a Manager of the vendor's makes of it."""
    if kind.merges:
        where = "`spec`" if kind.merges == ("",) else _list(kind.merges)
        yield f"In {where}, what is left out stays as it is, and null clears."
    if kind.write_only == ("",):
        yield "A vendor's Manager never shows what is in it: apiops compares what it wrote last."
    elif kind.write_only:
        shown = _list(kind.write_only)
        yield f"A vendor's Manager never shows {shown}: apiops compares what it wrote last."


def _list(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in fields)
