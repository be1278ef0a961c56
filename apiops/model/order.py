"""What a run is asked for: the words of a person or a CI job, before anything is looked up."""

from dataclasses import dataclass, field

from apiops.model.plan import Plan
from apiops.model.revision import Evidence


@dataclass(frozen=True, slots=True)
class Order:
    """A plan or an apply, as it is asked for.

    `ref` is a branch, tag or commit; `worktree` reads the files as they lie there instead.
    `allow` names guards to override; `prune` deletes what the desired state no longer has;
    `corrects` sets right what somebody changed in the Manager, which is only told otherwise;
    `introduction` (a commit) and `approver` say where trust begins, on the first sync only;
    `approved` is the digest, or its beginning, of the plan that somebody approved; `stored` is
    that plan itself; `evidence` is what the forge says of merges that it made; without `secrets`
    none is opened. `commit` is what `ref` was found to be, by whoever has the branches and tags;
    `tags` are the objects of its tags, as text.
    """

    ref: str = "HEAD"
    worktree: bool = False
    allow: tuple[str, ...] = ()
    prune: bool = True
    corrects: bool = True
    introduction: str = ""
    approver: str = ""
    approved: str | None = None
    stored: Plan | None = None
    evidence: Evidence = field(default_factory=dict)
    pull_request: str = ""
    secrets: bool = True
    commit: str = ""
    tags: tuple[str, ...] = ()
