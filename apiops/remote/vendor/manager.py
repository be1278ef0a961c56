"""The Manager port over the vendor's Management API, with a book of our own beside it.

Nothing there is a transaction. So a unit's changes go one by one, in the plan's order (expand,
deploy, contract); each call is in the journal before it is sent, each finished change in the
ledger before the next begins. What fails blocks what needs it and nothing else, and the unit
stays at its last applied commit until everything is done.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from apiops.errors import AccessDenied, ApiopsError, ManagerError, ManagerUnavailable
from apiops.model.outcome import Outcome, Result
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.model.secret import SecretValue
from apiops.plan import graph
from apiops.ports import Batch, Book, Live, Write
from apiops.remote.vendor import deploying, reading, waves
from apiops.remote.vendor.api import Api, Forbidden
from apiops.remote.vendor.codec import Job, Place, plain
from apiops.remote.vendor.reading import CODECS, OBSERVED, Reading
from apiops.remote.vendor.waves import Wave

PEOPLE: Final = frozenset({"User", "Role", "Team", "Membership"})
"""Kinds that the API does not even show: who may what is judged on our side (section 3)."""


class VendorManager:
    """A vendor's Manager, as the line needs it."""

    def __init__(self, api: Api, book: Book) -> None:
        self._api = api
        self._book = book
        self._reading: Reading | None = None

    def read(
        self, repository: str, target: str, among: Collection[ResourceId] | None = None
    ) -> Live:
        """The live state, with the rights and the ledger of the book."""
        book = self._book.read(repository, target)
        unsettled = self._book.unsettled(repository, target)
        self._reading = reading.read(self._api, book, unsettled, repository)
        found = self._reading.resources.values()
        chosen = (one for one in found if among is None or one.id in among)
        return replace(book, resources=tuple(sorted(chosen, key=lambda one: one.id.order)))

    def fingerprint(
        self, id: ResourceId, pointer: str, environment: str, value: SecretValue
    ) -> str:
        """The book's."""
        return self._book.fingerprint(id, pointer, environment, value)

    def lease(self, name: str, holder: str) -> AbstractContextManager[int]:
        """The book's: the API has none (vendor document, 1.9)."""
        return self._book.lease(name, holder)

    def write(self, batch: Batch) -> tuple[Outcome, ...]:
        """Carry out a batch; gives an outcome for each write.

        Raises AccessDenied and Conflict before anything is sent.
        """
        self._book.rehearse(batch)
        if self._reading is None:
            self.read(batch.repository, batch.target)
        assert self._reading is not None, "it was just read"
        unit = _Unit(self._api, self._book, self._reading, batch)
        outcomes: tuple[Outcome, ...] = ()
        for wave in waves.split(batch.writes, self._reading.resources):
            unit.begin(wave)
            outcomes += tuple(unit.carry_out(write) for group in wave for write in group)
        if all(outcome.result is Result.DONE for outcome in outcomes):
            self._book.advance(batch)
        return outcomes


class _Unit:
    """One batch while it is carried out."""

    def __init__(self, api: Api, book: Book, seen: Reading, batch: Batch) -> None:
        self._api = api
        self._book = book
        self._seen = seen
        self._batch = batch
        self._failed: set[ResourceId] = set()
        self._ended: ApiopsError | None = None

    def begin(self, wave: Wave) -> None:
        """Say what is about to be sent. Raises Conflict before anything of it is."""
        sent = [write for group in wave for write in group if write.change.id.kind in CODECS]
        if sent and self._ended is None:
            self._book.begin(self._batch, sent)

    def carry_out(self, write: Write) -> Outcome:
        """One write, unless something that it needs failed."""
        change = write.change
        blocked = self._blocked(write)
        if blocked:
            self._failed.add(graph.fold(change.id))
            return Outcome(change, Result.BLOCKED, code="AO612", message=blocked)
        try:
            note = self._send(write)
            done = self._book.record(self._batch, write)
        except (ManagerUnavailable, AccessDenied, Forbidden) as fault:
            self._ended = fault if _ends(fault) else None
            return self._failure(change, fault)
        except ApiopsError as fault:
            return self._failure(change, fault)
        return replace(done, message=note)

    def _failure(self, change: Change, fault: ApiopsError) -> Outcome:
        self._failed.add(graph.fold(change.id))
        hint = f" ({fault.hint})" if fault.hint else ""
        return Outcome(change, Result.FAILED, code=fault.code, message=f"{fault.message}{hint}")

    def _blocked(self, write: Write) -> str:
        if self._ended is not None:
            return f"nothing more was sent after: {self._ended.message}"
        change = write.change
        if graph.fold(change.id) in self._failed:
            return f"an earlier change of {change.id} failed"
        live = self._seen.resources.get(change.id)
        removes = change.action in (Action.DELETE, Action.UNDEPLOY)
        spec = live.spec if removes and live else write.resource.spec if write.resource else {}
        if not removes:
            needs = graph.named(change.id, spec)
            hit = sorted(str(id) for id in needs if graph.fold(id) in self._failed)
            return f"it needs {hit[0]}, which failed" if hit else ""
        return self._still_used(change.id) if change.action is Action.DELETE else ""

    def _still_used(self, id: ResourceId) -> str:
        """A delete waits until what refers to it is changed (7 #25, #27)."""
        for other in self._failed:
            live = self._seen.resources.get(other)
            if live is not None and id in graph.named(other, live.spec):
                return f"{other} still uses it, for its change failed"
        return ""

    def _send(self, write: Write) -> str:
        """The calls of a write; gives what people should be told."""
        id, action = write.change.id, write.change.action
        if id.kind not in CODECS or id.project is None:
            return self._assert(write)
        if write.change.former and graph.fold(write.change.former) != graph.fold(id):
            raise _renamed(write.change.former, id)
        if (id.kind, id.project or "") in self._seen.blind:
            raise reading.blind_to(id.kind, id.project or "")
        job = self._job(write)
        codec = CODECS[id.kind]
        if action is Action.DEPLOY:
            return self._deploy(job, write)
        if action is Action.UNDEPLOY:
            deploying.undeploy(job, write.change.environment or "", self._why(write))
        elif action is Action.DELETE:
            codec.delete(job)
        elif action is Action.CREATE or self._live(write) is None:
            codec.create(job)
        else:
            codec.update(job)
        return ""

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
            before={} if gone or live is None else self._before(live, after),
            after=after,
            plain=plain(after, write.secrets),
            journal=_Written(self._book, self._batch, write),
            files=write.files,
            secrets=write.secrets,
            hidden=tuple(text for text in hidden if text),
        )

    def _before(self, live: LiveResource, after: JsonObject) -> JsonObject:
        """What is there: of what is unsettled also what may be there unseen, and shall go."""
        return _with_missing(live.spec, self._seen.hidden.get(live.id, {}), after)

    def _live(self, write: Write) -> LiveResource | None:
        return self._seen.resources.get(write.change.former or write.change.id)

    def _deploy(self, job: Job, write: Write) -> str:
        environment = write.change.environment or ""
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


@dataclass(frozen=True, slots=True)
class _Written:
    """The journal of one write."""

    book: Book
    batch: Batch
    write: Write

    def intend(self, call: str) -> str:
        """Before a call."""
        return self.book.intend(self.batch, self.write, call)

    def end(self, number: str, result: str) -> None:
        """After it."""
        self.book.end(number, result)


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


def _ends(fault: ApiopsError) -> bool:
    """Whether nothing more can be sent: the token is not accepted, or the circuit is open."""
    return fault.code in ("AO761", "AO765")


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
