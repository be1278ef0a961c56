"""Resources beside each other: names that must exist, identities that must be one, no circles."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from apiops.model.kinds import KINDS, Home
from apiops.model.resource import Resource, ResourceId
from apiops.model.settled import Key
from apiops.spec import marks, near
from apiops.spec.context import Context, Rendered
from apiops.spec.marks import Mention


@dataclass(frozen=True, slots=True)
class Described:
    """A resource with the document that describes it, and the names that it mentions."""

    resource: Resource
    document: Rendered
    mentions: tuple[Mention, ...]


def described(resource: Resource, document: Rendered) -> Described:
    """The resource with what it mentions."""
    return Described(resource, document, tuple(marks.references(resource.id.kind, resource.spec)))


def names(resource: Resource, mentions: Iterable[Mention]) -> Iterator[Key]:
    """Whatever a resource may refer to, there or not, and what it was called before."""
    for mention in mentions:
        yield from map(key, meant(resource.id, mention))
    for before in resource.renamed_from:
        yield key(resource.id.formerly(before))


def check(all_described: list[Described], known: Iterable[ResourceId], context: Context) -> None:
    """Report what is wrong between resources.

    `known` are the identities of all documents, those with faults of their own included: a
    reference to one of these is no second finding.
    """
    names = _Names(known)
    _duplicates(all_described, context)
    _same_name_elsewhere(all_described, context)
    edges: dict[ResourceId, list[tuple[ResourceId, Mention]]] = defaultdict(list)
    for one in all_described:
        _project(one, names, context)
        _renamed(one, names, context)
        for mention in one.mentions:
            found = names.find(one.resource.id, mention)
            if found is not None:
                edges[one.resource.id].append((found, mention))
            elif names.must_exist(mention) and not context.findings.blind:
                _missing(one, mention, names, context)
    _circles({one.resource.id: one for one in all_described}, edges, context)


class _Names:
    """What exists, by kind and place, case folded where the kind folds it."""

    def __init__(self, known: Iterable[ResourceId]) -> None:
        self._ids: dict[Key, ResourceId] = {}
        self._by_place: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        for id in known:
            self._ids.setdefault(key(id), id)
            self._by_place[id.kind, id.project].append(id.name)

    def find(self, of: ResourceId, mention: Mention) -> ResourceId | None:
        """The resource that a mention in `of` means (a built-in name is found as itself)."""
        for id in meant(of, mention):
            found = self.get(id)
            if found is not None:
                return found
        if mention.name in KINDS[mention.kind].builtin:
            return ResourceId(mention.kind, None, mention.name)
        return None

    def get(self, id: ResourceId) -> ResourceId | None:
        """The resource with this identity, if there is one."""
        return self._ids.get(key(id))

    def must_exist(self, mention: Mention) -> bool:
        """Whether this repository is the one that describes such resources.

        What the System tier has may be managed elsewhere: users, environments. It is judged
        only when the repository describes at least one of the kind.
        """
        return not mention.system or self.describes(mention.kind)

    def describes(self, kind: str) -> bool:
        """Whether there is any System-tier resource of this kind."""
        return bool(self._by_place.get((kind, None)))

    def near(self, of: ResourceId, mention: Mention) -> list[str]:
        """Names that might have been meant."""
        places = _places(of, mention)
        found = [name for project in places for name in self._by_place[mention.kind, project]]
        return [*found, *KINDS[mention.kind].builtin]


def key(id: ResourceId) -> Key:
    """What two identities share when they mean the same resource."""
    kind = KINDS.get(id.kind)
    name = id.name.casefold() if kind is not None and kind.folds_case else id.name
    return (id.kind, id.project, name)


def meant(of: ResourceId, mention: Mention) -> tuple[ResourceId, ...]:
    """Whatever a mention in `of` may mean, the nearest first."""
    return tuple(ResourceId(mention.kind, at, mention.name) for at in _places(of, mention))


def _places(of: ResourceId, mention: Mention) -> tuple[str | None, ...]:
    if mention.system:
        return (None,)
    if KINDS[mention.kind].home is Home.EITHER:
        return (of.project, None)
    return (of.project,)


def _missing(one: Described, mention: Mention, names: _Names, context: Context) -> None:
    id = one.resource.id
    place = "" if mention.system or id.project is None else f' in project "{id.project}"'
    otherwise = f"describe it, or correct the name; apiops explain {mention.kind}"
    one.document.report(
        context,
        ("spec", *mention.path),
        "AO301",
        f'there is no {mention.kind} "{mention.name}"{place}',
        near.hint(mention.name, names.near(id, mention), otherwise),
        on_key=mention.path[-1:] == (mention.name,),
    )


def _duplicates(all_described: list[Described], context: Context) -> None:
    first: dict[Key, Described] = {}
    for one in all_described:
        before = first.setdefault(key(one.resource.id), one)
        if before is one:
            continue
        for this, other in ((one, before), (before, one)):
            where = context.findings.positions.location(other.document.source, _NAME)
            this.document.report(
                context,
                _NAME,
                "AO302",
                f"{this.resource.id} is described twice; also at {where}",
                "remove one of the two",
            )


_NAME = ("metadata", "name")


def _same_name_elsewhere(all_described: list[Described], context: Context) -> None:
    """Both sides are told: which of them was first cannot be seen in one revision."""
    by_name: dict[tuple[str, str], list[Described]] = defaultdict(list)
    for one in all_described:
        if KINDS[one.resource.id.kind].unique:
            by_name[one.resource.id.kind, one.resource.id.name].append(one)
    for (kind, name), same in by_name.items():
        projects = sorted({one.resource.id.unit for one in same})
        for one in same if len(projects) > 1 else ():
            others = ", ".join(unit for unit in projects if unit != one.resource.id.unit)
            message = f'the {kind} "{name}" also exists in {others}; such names are unique'
            hint = "choose another name in one of the projects"
            one.document.report(context, _NAME, "AO306", message, hint)


def _project(one: Described, names: _Names, context: Context) -> None:
    project = one.resource.id.project
    if project is None or not names.describes("Project") or context.findings.blind:
        return
    if names.get(ResourceId("Project", None, project)) is None:
        one.document.report(
            context,
            ("metadata", "project"),
            "AO304",
            f'there is no Project "{project}"',
            near.hint(project, names.near(one.resource.id, _A_PROJECT), "describe the project"),
        )


_A_PROJECT = Mention((), "Project", "", system=True)


def _renamed(one: Described, names: _Names, context: Context) -> None:
    id = one.resource.id
    for before in one.resource.renamed_from:
        if names.get(id.formerly(before)) not in (None, id):
            one.document.report(
                context,
                ("metadata", "renamedFrom"),
                "AO307",
                f'renamedFrom is "{before}", which is described as well',
                "remove renamedFrom, or the resource with the old name",
            )


def _circles(
    by_id: Mapping[ResourceId, Described],
    edges: Mapping[ResourceId, list[tuple[ResourceId, Mention]]],
    context: Context,
) -> None:
    """Report each circle once, at the reference that closes it."""
    done: set[ResourceId] = set()
    for start in edges:
        trail: list[ResourceId] = []
        stack = [(start, iter(edges.get(start, ())))]
        while stack:
            id, rest = stack[-1]
            if not trail or trail[-1] != id:
                trail.append(id)
            for other, mention in rest:
                if other in trail:
                    circle = [*trail[trail.index(other) :], other]
                    _circle(by_id[id], mention, circle, context)
                elif other not in done and other in edges:
                    stack.append((other, iter(edges[other])))
                    break
            else:
                done.add(id)
                trail.pop()
                stack.pop()


def _circle(one: Described, mention: Mention, circle: list[ResourceId], context: Context) -> None:
    way = " → ".join(map(str, circle))
    one.document.report(
        context,
        ("spec", *mention.path),
        "AO303",
        f"references go round in a circle: {way}",
        "remove one of the references: neither can be created first",
    )
