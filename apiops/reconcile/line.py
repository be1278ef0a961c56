"""One run, from the commit to the audit row. Read it from top to bottom.

    validate   snapshot → documents → diagnostics
    prepare    … → secrets revealed → live state → plan → verdicts

`plan` shows what `prepare` gives, and `apply.py` carries out what `prepare` gives, so what is
shown cannot differ from what is done. `drift.py` enters with the last applied revision.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from apiops.access import judge, taint
from apiops.errors import SourceError
from apiops.model.access import Trust, Verdicts
from apiops.model.audit import Introduction, Source
from apiops.model.breaking import Breaking
from apiops.model.plan import Change, Plan
from apiops.model.resource import ResourceId, Target
from apiops.model.revision import Evidence, History, Proofs, Snapshot
from apiops.plan import build
from apiops.ports import Event, Ground, Keyring, Ledger, Live, Manager, Observer, Repository
from apiops.reconcile import breaking, concern, drifted, history, narrow, within
from apiops.reconcile.reveal import Revealed, reveal
from apiops.spec import load
from apiops.spec.documents import Documents
from apiops.spec.part import Part
from apiops.spec.views import Reader


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
    `corrects` sets right what somebody changed in the Manager, which is only told otherwise;
    `introduction` is where trust begins, on the first sync only; `approved` is the digest (or
    its beginning) of the plan that somebody approved; `stored` is that plan itself, from a file;
    `evidence` is what the forge says of merges that it made, from the CI job; `tags` are tag
    objects that came with the commits, for what is signed in them. `sees` says what
    the asker may look at, where that is not everything: a unit with anything that they may not
    see takes no part in the run. `ground` has what need not be looked at again, if the Manager did
    not move since that was found.
    """

    allow: frozenset[str] = frozenset()
    prune: bool = True
    corrects: bool = True
    introduction: Introduction | None = None
    approved: str | None = None
    stored: Plan | None = None
    evidence: Evidence = field(default_factory=dict)
    tags: tuple[bytes, ...] = ()
    sees: Callable[[ResourceId], bool] | None = None
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything between reading and writing: what a plan shows and an apply carries out.

    `left` is what would set right what somebody changed in the Manager, and is only told of;
    `breaking` what new API documents break; `narrowed` says that units are left out that the asker
    may not see.
    """

    snapshot: Snapshot
    loaded: load.Loaded
    revealed: Revealed
    live: Live
    built: build.Built
    history: History | None = None
    verdicts: Verdicts | None = None
    introduction: Introduction | None = None
    evidence: Evidence = field(default_factory=dict)
    left: tuple[Change, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    narrowed: bool = False

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.built.plan

    @property
    def concerns(self) -> tuple[str, ...]:
        """The environments that the plan concerns."""
        return concern.of_plan(self.plan, self.live, self.verdicts)


def validate(
    snapshot: Snapshot,
    target: Target,
    documents: Documents | None = None,
    part: Part | None = None,
) -> load.Loaded:
    """Read and check a snapshot, or a part of it, for one target. Faults are diagnostics in the
    result.

    `documents` keeps what was read, for whoever reads neighbouring commits next.
    """
    return load.load(snapshot, target, documents, part)


def prepare(line: Line, snapshot: Snapshot, wish: Wish) -> Prepared:
    """Walk the line up to the verdicts. Nothing is written.

    Where a plan with nothing to do came before, what is settled since is left out. All of it is
    walked if the part that is not turns out to be no plain one, or something moved meanwhile.
    Raises SourceError, SecretError, ManagerError, and PlanRefused for a cycle of references.
    """
    documents = Documents()
    part = _part(line, snapshot, wish, documents)
    if part is not None:
        prepared = _walk(line, snapshot, wish, documents, part)
        if _plain(prepared) and wish.ground is not None and wish.ground.still(prepared.live.shown):
            return prepared
    return _walk(line, snapshot, wish, documents)


def _plain(prepared: Prepared) -> bool:
    plan = prepared.plan
    return not (prepared.loaded.diagnostics or plan.stopped or plan.guards)


def _part(line: Line, snapshot: Snapshot, wish: Wish, documents: Documents) -> Part | None:
    ground, lineage = wish.ground, line.repository.lineage
    if ground is None or ground.settled.repository != lineage:
        return None
    if wish.sees is not None or not snapshot.revision.commit:
        return None
    live = line.manager.read(lineage, line.target.name, among=())
    known = proofs(live, believed(live, wish.evidence), line.now())
    past = line.repository.knowing(known)
    applied = {unit: last.commit for unit, last in live.ledger.applied.items()}
    with suppress(SourceError):  # the whole walk says what is wrong, if it meets it
        return narrow.part(past, line.target, snapshot, applied, ground.settled, documents)
    return None


def _walk(
    line: Line,
    snapshot: Snapshot,
    wish: Wish,
    documents: Documents,
    part: Part | None = None,
) -> Prepared:
    rest = "" if part is None else " that are not settled"
    line.observer.notice(Event("load", f"reading the specifications{rest}"))
    loaded = validate(snapshot, line.target, documents, part)
    line.observer.notice(Event("read", "reading the live state", total=loaded.checked))
    among = None if part is None else part.ids
    live = line.manager.read(line.repository.lineage, line.target.name, among)
    whole = len(loaded.desired.resources), len(live.resources)
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
        beside=0 if part is None else len(part.beside),
    )
    narrowed = whole != (len(loaded.desired.resources), len(live.resources))
    prepared = Prepared(snapshot, loaded, revealed, live, built, narrowed=narrowed)
    if not snapshot.revision.commit:
        return prepared
    reader = Reader(line.target, documents, None if part is None else part.paths)
    return _judged(line, prepared, wish, reader)


def _judged(line: Line, prepared: Prepared, wish: Wish, reader: Reader) -> Prepared:
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
        reader,
    )
    if not wish.corrects:
        plan, left = drifted.aside(prepared.plan, past)
        prepared = replace(prepared, built=replace(prepared.built, plan=plan), left=left)
    verdicts = judge.judge(
        prepared.plan, past, live.grants, live.trust, introduction, at=at, evidence=evidence
    )
    judged = replace(
        prepared, history=past, verdicts=verdicts, introduction=introduction, evidence=evidence
    )
    return _gated(line, judged, wish)


def _gated(line: Line, prepared: Prepared, wish: Wish) -> Prepared:
    """With what the new API documents break, and the guard for it where one is wanted."""
    history, verdicts, plan = prepared.history, prepared.verdicts, prepared.plan
    if history is None or verdicts is None:
        return prepared
    resources = {one.id: one for one in prepared.revealed.desired.resources}
    live = prepared.live
    gate = breaking.Gate(line.repository, prepared.snapshot, resources, live, history.base)
    commits = {view.commit.id: view.commit for view in history.views}
    bench = taint.Bench(live.grants, live.trust, line.now(), plan.environment, prepared.evidence)
    found = breaking.meant(gate.breaking(plan), verdicts.judgements, commits, bench.maker)
    refused = tuple(one for one in found if breaking.policy(live, plan, one.id) == "REFUSE")
    plan = breaking.gated(plan, refused, wish.allow)
    return replace(prepared, built=replace(prepared.built, plan=plan), breaking=found)


def believed(live: Live, evidence: Evidence) -> Evidence:
    """The forge's evidence, where the Manager believes forges; nothing otherwise."""
    return evidence if live.trust is Trust.HOST_ATTESTED else {}


def proofs(live: Live, evidence: Evidence, at: datetime) -> Proofs:
    """What commits are verified and read with: the Manager's certificates, the forge's heads."""
    heads = {commit: said.heads for commit, said in evidence.items() if said.heads}
    return Proofs(live.grants.certificates, at, heads)
