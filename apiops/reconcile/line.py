"""One run, from the commit to the audit row. Read it from top to bottom.

    validate   snapshot → documents → diagnostics
    prepare    … → secrets revealed → live state → plan → verdicts

`plan` shows what `prepare` gives, and `apply.py` carries out what `prepare` gives, so what is
shown cannot differ from what is done. `drift.py` enters with the last applied revision.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from apiops.access import judge
from apiops.model.access import Trust, Verdicts
from apiops.model.audit import Introduction, Source
from apiops.model.plan import Plan
from apiops.model.resource import ResourceId, Target
from apiops.model.revision import Evidence, History, Proofs, Snapshot
from apiops.plan import build
from apiops.ports import Event, Keyring, Ledger, Live, Manager, Observer, Repository
from apiops.reconcile import history, within
from apiops.reconcile.reveal import Revealed, reveal
from apiops.spec import load
from apiops.spec.documents import Documents


@dataclass(frozen=True, slots=True)
class Line:
    """The adapters of one run, and what it is called.

    `now` gives the time in UTC; `actor` is the engine's own name, for rows that no commit made;
    `source` and `address` are the door that the run came through, and from where.
    """

    repository: Repository
    keyring: Keyring
    manager: Manager
    ledger: Ledger
    observer: Observer
    target: Target
    run: str
    engine: str
    now: Callable[[], datetime]
    pull_request: str = ""
    actor: str = "apiops"
    source: Source = Source.APPLY
    address: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asks for beyond the revision.

    `allow` names guards to override; `prune` deletes what the desired state no longer has;
    `introduction` is where trust begins, on the first sync only; `approved` is the digest (or
    its beginning) of the plan that somebody approved; `stored` is that plan itself, from a file;
    `evidence` is what the forge says of merges that it made, from the CI job. `sees` says what
    the asker may look at, where that is not everything: a unit with anything that they may not
    see takes no part in the run.
    """

    allow: frozenset[str] = frozenset()
    prune: bool = True
    introduction: Introduction | None = None
    approved: str | None = None
    stored: Plan | None = None
    evidence: Evidence = field(default_factory=dict)
    sees: Callable[[ResourceId], bool] | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything between reading and writing: what a plan shows and an apply carries out."""

    snapshot: Snapshot
    loaded: load.Loaded
    revealed: Revealed
    live: Live
    built: build.Built
    history: History | None = None
    verdicts: Verdicts | None = None
    introduction: Introduction | None = None
    evidence: Evidence = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.built.plan


def validate(snapshot: Snapshot, target: Target, documents: Documents | None = None) -> load.Loaded:
    """Read and check a snapshot for one target. Faults are diagnostics in the result.

    `documents` keeps what was read, for whoever reads neighbouring commits next.
    """
    return load.load(snapshot, target, documents)


def prepare(line: Line, snapshot: Snapshot, wish: Wish) -> Prepared:
    """Walk the line up to the verdicts. Nothing is written.

    Raises SourceError, SecretError, ManagerError, and PlanRefused for a cycle of references.
    """
    line.observer.notice(Event("load", "reading the specifications"))
    documents = Documents()
    loaded = validate(snapshot, line.target, documents)
    line.observer.notice(Event("read", "reading the live state", total=loaded.checked))
    live = line.manager.read(line.repository.lineage, line.target.name)
    if wish.sees is not None:
        loaded, live = within.narrowed(loaded, live, wish.sees)
    line.observer.notice(Event("reveal", "opening secrets"))
    known = frozenset(resource.id for resource in live.resources)
    revealed = reveal(loaded.desired, snapshot, line.keyring, line.manager, known)
    line.observer.notice(Event("plan", "comparing"))
    built = build.build(
        revealed.desired,
        live,
        repository=line.repository.lineage,
        head=snapshot.revision,
        engine=line.engine,
        locate=loaded.locate,
        allow=wish.allow,
        prune=wish.prune,
    )
    prepared = Prepared(snapshot, loaded, revealed, live, built)
    return _judged(line, prepared, wish, documents) if snapshot.revision.commit else prepared


def _judged(line: Line, prepared: Prepared, wish: Wish, documents: Documents) -> Prepared:
    """The verdicts on every change, from the grants that were held before this run."""
    live = prepared.live
    introduction = live.ledger.introduction or wish.introduction
    line.observer.notice(Event("judge", "judging the commits"))
    at = line.now()
    evidence = believed(live, wish.evidence)
    desired, applied = prepared.loaded.desired, live.ledger.applied
    past = history.collect(
        line.repository.knowing(proofs(live, evidence, at)),
        line.target,
        prepared.snapshot.revision,
        {unit: last.commit for unit, last in applied.items() if not desired.stops(unit)},
        prepared.plan.affected,
        introduction,
        documents,
    )
    verdicts = judge.judge(
        prepared.plan, past, live.grants, live.trust, introduction, at=at, evidence=evidence
    )
    return replace(
        prepared, history=past, verdicts=verdicts, introduction=introduction, evidence=evidence
    )


def believed(live: Live, evidence: Evidence) -> Evidence:
    """The forge's evidence, where the Manager believes forges; nothing otherwise."""
    return evidence if live.trust is Trust.HOST_ATTESTED else {}


def proofs(live: Live, evidence: Evidence, at: datetime) -> Proofs:
    """What commits are verified and read with: the Manager's certificates, the forge's heads."""
    heads = {commit: said.heads for commit, said in evidence.items() if said.heads}
    return Proofs(live.grants.certificates, at, heads)
