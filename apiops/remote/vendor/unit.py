"""One unit's changes, carried out on the vendor's Manager.

Nothing there is a transaction. So the changes go in waves, in the plan's order (expand, deploy,
contract), those of a wave side by side; each call is in the journal before it is sent, each
finished change in the ledger before the next wave, some at a time. After the first failure nothing
more is begun: what runs ends and is recorded, and the unit stays at its last applied commit until a
run has done everything.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from apiops.errors import ApiopsError, ManagerError
from apiops.model.kinds import KINDS
from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.plan import anew, graph, match
from apiops.ports import Batch, Book, Write
from apiops.remote.vendor import deploying, reading, renaming, waves
from apiops.remote.vendor.api import Api, understood
from apiops.remote.vendor.codec import Job, Place, plain
from apiops.remote.vendor.reading import OBSERVED, Reading
from apiops.remote.vendor.together import Together
from apiops.remote.vendor.waves import Wave
from apiops.spec import marks, paths

PEOPLE: Final = frozenset({"User", "Role", "Team", "Membership"})
"""Kinds that the API does not even show: who may what is judged on our side (section 3)."""


OWED: Final = "owed: it hangs on what is made anew"
"""What stands in the journal for the calls of a write that has to come."""

TOGETHER: Final = 32
"""So many finished changes are recorded in one transaction."""


class UnitRun:
    """One batch while it is carried out."""

    def __init__(self, api: Api, book: Book, seen: Reading, batch: Batch) -> None:
        self._api = api
        self._book = book
        self._desk = _Desk(book, batch)
        self._seen = seen
        self._batch = batch
        made = (write.change.id for write in batch.writes if self._makes(write))
        self._made = frozenset(map(graph.fold, made))
        self._stopped = ""
        self._sent: list[tuple[Write, str]] = []
        self._outcomes: dict[tuple[str, ...], Outcome] = {}

    def carry_out(self) -> tuple[Outcome, ...]:
        """An outcome for each write, in the batch's order.

        Raises Conflict before anything is sent.
        """
        self._owe()
        for wave in waves.split(self._batch.writes, self._seen.resources):
            self._begin(wave)
            try:
                self._wave(wave)
            finally:
                self._record(self._sent)
        return tuple(self._outcomes[write.change.key] for write in self._batch.writes)

    def _makes(self, write: Write) -> bool:
        live = self._live(write)
        if live is None or write.resource is None or write.change.action is not Action.UPDATE:
            return write.change.action is Action.CREATE
        return anew.remakes(KINDS[live.id.kind], live.spec, write.resource.spec)

    def _owe(self) -> None:
        """Note what hangs on something that is made anew, before that is: the API does not show
        all that points at what is gone, and the next run has to write it if this one dies first.
        """
        owed = [
            (write, OWED)
            for write in self._batch.writes
            if write.change.action is Action.UPDATE and write.resource is not None
            if self._made & graph.bound(write.change.id, write.resource.spec)
        ]
        if owed:
            self._book.intend(self._batch, owed)

    def _begin(self, wave: Wave) -> None:
        """Say what is about to be sent; who cannot say it sends nothing more."""
        sent = [write for group in wave for write in group if reading.codec_of(write.change.id)]
        if not sent or self._stopped:
            return
        try:
            self._book.begin(self._batch, sent)
        except ApiopsError as fault:
            if not self._outcomes:
                raise
            self._stop(fault)

    def _wave(self, wave: Wave) -> None:
        if self._api.most == 1 or len(wave) == 1:
            for group in wave:
                self._group(group)
            return
        rest, turn = iter(wave), threading.Lock()
        with ThreadPoolExecutor(self._api.most, "apiops-write") as pool:
            futures = [pool.submit(self._groups, rest, turn) for _ in range(self._api.most)]
            try:
                for future in futures:
                    future.result()
            except BaseException as fault:  # interrupted: what runs ends, nothing else begins
                self._stop(fault)
                raise

    def _groups(self, rest: Iterator[Sequence[Write]], turn: threading.Lock) -> None:
        """One group after the other, as long as there are any; the other threads take theirs."""
        while True:
            with turn:
                group = next(rest, None)
            if group is None:
                return
            try:
                self._group(group)
            except BaseException as fault:  # whatever it is, the other threads begin nothing more
                self._stop(fault)
                raise

    def _group(self, group: Sequence[Write]) -> None:
        for write in group:
            self._one(write)

    def _stop(self, fault: BaseException) -> None:
        told = (
            f"{fault.code} {fault.message}"
            if isinstance(fault, ApiopsError)
            else "it was interrupted"
        )
        self._stopped = self._stopped or told

    def _one(self, write: Write) -> None:
        """One write, unless there was a failure before."""
        if self._stopped:
            told = f"nothing more was begun after: {self._stopped}"
            self._end(Outcome(write.change, Result.BLOCKED, code="AO612", message=told))
            return
        try:
            with understood(str(write.change.id)):
                note = self._send(write)
        except ApiopsError as fault:
            self._fail(write.change, fault)
            return
        with self._desk.turn:
            self._sent.append((write, note))
            if len(self._sent) >= TOGETHER:
                self._record(self._sent)

    def _record(self, sent: list[tuple[Write, str]]) -> None:
        """Into the ledger, all at once; if that cannot be, each by itself."""
        taken = sent[:]
        sent.clear()
        try:
            self._desk.flush()
            writes = [self._as_begun(write) for write, _ in taken]
            done = self._book.record(self._batch, writes) if writes else ()
        except ApiopsError as fault:
            if len(taken) == 1:
                self._fail(taken[0][0].change, fault)
            else:
                for one in taken:
                    self._record([one])
            return
        for outcome, (write, note) in zip(done, taken, strict=True):
            self._end(replace(outcome, change=write.change, message=note))

    def _as_begun(self, write: Write) -> Write:
        """With the name that the book knows, of what an earlier run gave its new one."""
        id = write.change.id
        former = self._seen.renamed.get(id)
        if former is None or any(former == one.change.id for one in self._batch.writes):
            return write
        return replace(write, change=replace(write.change, renamed_from=id.since(former)))

    def _fail(self, change: Change, fault: ApiopsError) -> None:
        self._stop(fault)
        hint = f" ({fault.hint})" if fault.hint else ""
        told = f"{fault.message}{hint}"
        self._end(Outcome(change, Result.FAILED, code=fault.code, message=told))

    def _end(self, outcome: Outcome) -> None:
        self._outcomes[outcome.change.key] = outcome

    def _send(self, write: Write) -> str:
        """The calls of a write; gives what people should be told."""
        id, action = write.change.id, write.change.action
        codec = reading.codec_of(id)
        if codec is None:
            return self._assert(write)
        former = write.change.former
        if former and not match.renames(former, id):
            raise _renamed(former, id)
        if (id.kind, id.project or "") in self._seen.blind:
            raise reading.blind_to(id.kind, id.project or "")
        job = self._job(write)
        if action is Action.DEPLOY:
            return self._deploy(job, write, write.change.environment or "")
        if action is Action.UNDEPLOY:
            deploying.undeploy(job, write.change.environment or "", self._why(write))
        elif action is Action.DELETE:
            codec.delete(job)
        elif action is Action.CREATE or self._live(write) is None:
            codec.create(job)
        elif former and graph.fold(former) != graph.fold(id):
            renaming.rename(codec, job, former)
            self._run_on(job, write)
        else:
            codec.update(job)
        return ""

    def _run_on(self, job: Job, write: Write) -> None:
        """What was renamed runs under its new name where the target is, unless more is planned.

        The rights for that were judged. Of other environments their own plans have to tell.
        """
        live = self._live(write)
        planned = {one.change.environment for one in self._batch.writes if one.change.id == job.id}
        if live is None:
            return
        for run in live.deployments:
            here = self._batch.environment in ("", run.environment)
            if here and run.digest == live.digest and run.environment not in planned:
                self._deploy(job, write, run.environment)

    def _job(self, write: Write) -> Job:
        id = write.change.id
        live = self._live(write)
        place = self._seen.places.get(id.project or "") or Place(self._api, id.project or "")
        after = write.resource.spec if write.resource else {}
        gone = write.change.action is Action.CREATE or live is None
        hidden = tuple(v.reveal().decode("utf-8", "replace") for v in write.secrets.values())
        return Job(
            place=place,
            id=id,
            before={} if gone or live is None else self._before(live, after, id),
            after=after,
            plain=plain(after, write.secrets),
            journal=_Written(self._desk, write),
            files=write.files,
            secrets=write.secrets,
            hidden=tuple(text for text in hidden if text),
        )

    def _before(self, live: LiveResource, after: JsonObject, id: ResourceId) -> JsonObject:
        """What is there: of what is unsettled also what may be there unseen, and shall go; without
        what names by its id something that this batch makes anew.
        """
        there = _with_missing(live.spec, self._seen.hidden.get(live.id, {}), after)
        if not self._made & graph.bound(id, after):
            return there
        stale = (one.path for one in KINDS[id.kind].references if one.bound)
        for place in [place for path in stale for place in marks.expand(path, there)]:
            there = paths.put(there, place, None)
        return there

    def _live(self, write: Write) -> LiveResource | None:
        return self._seen.resources.get(write.change.former or write.change.id)

    def _deploy(self, job: Job, write: Write, environment: str) -> str:
        persistent = any(
            one.get("persistent", False)
            for one in (write.resource.spec if write.resource else {}).get("deployments") or ()
            if one["environment"] == environment
        )
        answer = deploying.deploy(job, environment, self._why(write), persistent=persistent)
        failed = deploying.failures(
            answer.get("deploymentResult") if isinstance(answer, dict) else None
        )
        if failed:
            raise ManagerError(
                f"{job.id} is saved and does not run in {environment}: {'; '.join(failed)}",
                code="AO767",
                hint="look at the workers of that environment; the next run deploys it again",
            )
        return ""

    def _why(self, write: Write) -> str:
        """The reason as the deploy history shows it: commit, subject, signer, run."""
        context = write.context
        return deploying.reason_text(context.reason, context.principal, context.run)

    def _assert(self, write: Write) -> str:
        """What the API cannot change must be so already; rights are kept in the book alone."""
        change = write.change
        if change.id.kind in PEOPLE:
            return "kept in the ledger: apiops judges by it; the console's own is set there"
        if change.id.kind not in OBSERVED:
            raise ManagerError(
                f"apiops cannot write {change.id} to a vendor's Manager",
                code="AO769",
                hint="docs/how-to/use-a-vendors-manager.md lists the kinds that it can write; keep "
                "this one in the console and out of the repository",
            )
        if change.action is Action.DELETE:
            return "no longer ours; an administrator may delete it in the console"
        if change.id not in self._seen.observed:
            raise _by_hand(f"there is no {change.id}", change.id, "create it")
        live = self._seen.resources.get(change.id)
        wanted: JsonObject = write.resource.spec if write.resource else {}
        for name in reading.observed_fields(change.id.kind):
            has = live.spec.get(name) if live else None
            if name in wanted and (wanted[name] or None) != (has or None):
                told = f"{change.id} has {name} {has!r}, not {wanted[name]!r}"
                raise _by_hand(told, change.id, "change it")
        return ""


class _Desk:
    """The book, as the threads of a unit come to it: a transaction is for all who wait.

    Nobody waits for the end of a call to be written down. It goes with the record of the write; a
    run that dies before leaves a call of which nobody knows the end, as one that dies in it does.
    """

    def __init__(self, book: Book, batch: Batch) -> None:
        self.turn = threading.Lock()
        self.intend: Together[tuple[Write, str], str] = Together(
            self.turn, lambda calls: book.intend(batch, calls)
        )
        self._book = book
        self._ended: deque[tuple[str, str]] = deque()

    def end(self, number: str, result: str) -> None:
        """What became of a call."""
        self._ended.append((number, result))

    def flush(self) -> None:
        """Write the ends down. Raises ManagerError."""
        results = [self._ended.popleft() for _ in range(len(self._ended))]
        if results:
            self._book.end(results)


@dataclass(frozen=True, slots=True)
class _Written:
    """The journal of one write."""

    desk: _Desk
    write: Write

    def intend(self, call: str) -> str:
        """Before a call."""
        return self.desk.intend.do((self.write, call))

    def end(self, number: str, result: str) -> None:
        """After it."""
        self.desk.end(number, result)


def _with_missing(spec: JsonObject, hidden: JsonObject, after: JsonObject) -> JsonObject:
    """A spec with those fields of `hidden` that neither it has nor what shall be."""
    whole = dict(spec)
    for name, value in hidden.items():
        ours, theirs = spec.get(name), after.get(name)
        if isinstance(value, Mapping) and isinstance(theirs, Mapping):
            inner = _with_missing(ours if isinstance(ours, Mapping) else {}, value, theirs)
            whole |= {name: inner} if inner else {}
        elif name not in spec and name not in after:
            whole[name] = value
    return whole


def _renamed(former: ResourceId, id: ResourceId) -> ManagerError:
    """Sent under its new name, it would be a second one beside the old."""
    return ManagerError(
        f"a vendor's Manager does not rename or move {former} to {id}; nothing was sent",
        code="AO769",
        hint="describe the new one without renamedFrom beside the old, let everything follow that "
        "refers to it, and leave the old one out in a later commit",
    )


def _by_hand(told: str, id: ResourceId, deed: str) -> ManagerError:
    where = "System Administration" if id.kind == "Environment" else "Projects"
    return ManagerError(
        f"{told}, and the Management API cannot change that",
        code="AO768",
        hint=f"ask a system administrator to {deed} in the console, under {where}; then run again",
    )
