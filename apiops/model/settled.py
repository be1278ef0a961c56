"""What a plan with nothing to do leaves behind: all that a later plan need not look at again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apiops.model.resource import ResourceId

Key = tuple[str, str | None, str]
"""Kind, project and name (folded, where the kind ignores case): what a reference finds."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A commit of which every resource was in the Manager as it is described, without a remark.

    `repository` is the lineage whose inventory they were in, `ids` are all resources that the
    commit describes for the target, in `checked` documents. `uses` has the manifests that refer to
    a file, by its path. `named` is whatever anything in it refers to or was called before, there or
    not: who has none of these names changes what no other says.
    """

    repository: str
    commit: str
    checked: int
    ids: frozenset[ResourceId]
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: frozenset[Key] = frozenset()

    def to_json(self) -> list[Any]:
        """The same as JSON values."""
        ids = [[id.kind, id.project, id.name] for id in self.ids]
        return [self.repository, self.commit, self.checked, ids, dict(self.uses), [*self.named]]

    @classmethod
    def from_json(cls, values: list[Any]) -> "Settled":
        """What `to_json` gave."""
        repository, commit, checked, ids, uses, named = values
        return cls(
            repository,
            commit,
            checked,
            frozenset(ResourceId(*id) for id in ids),
            {path: tuple(pages) for path, pages in uses.items()},
            frozenset(map(tuple, named)),
        )
