"""Drift: the live state against what was applied last, unit by unit.

A newer revision that nobody applied yet is pending, not drift: it is not looked at here.
"""

from dataclasses import dataclass, replace

from apiops.model.diagnostic import Location
from apiops.model.resource import Desired, ResourceId
from apiops.model.revision import Snapshot
from apiops.plan import build
from apiops.ports import Event
from apiops.reconcile import within
from apiops.reconcile.line import Line, Prepared, validate
from apiops.reconcile.reveal import Revealed, reveal
from apiops.reconcile.within import Sees
from apiops.spec.load import Loaded


def find(line: Line, sees: Sees | None = None) -> Prepared | None:
    """The plan that would bring the live state back to the last applied revision.

    It is neither judged nor applied. Units with anything that `sees` says no to are left out.
    None when nothing was ever applied. Raises SourceError when an applied commit is not in this
    clone, SecretError, ManagerError.
    """
    applied = line.ledger.state(line.repository.lineage, line.target.name).applied
    if not applied:
        return None
    at = {record.commit: record.at for record in applied.values()}
    commits = sorted(at, key=lambda commit: (at[commit], commit))
    parts = [
        _part(line, commit, {unit for unit, a in applied.items() if a.commit == commit})
        for commit in commits
    ]
    line.observer.notice(Event("read", "reading the live state"))
    live = line.manager.read(line.repository.lineage, line.target.name)
    desired = _joined([part.revealed.desired for part in parts])
    if sees is not None:
        shown = within.seen(desired, live, sees)
        desired, live = within.desired(desired, shown), within.live(live, shown)
    newest = parts[-1]
    built = build.build(
        desired,
        live,
        repository=line.repository.lineage,
        head=newest.snapshot.revision,
        engine=line.engine,
        locate=_locator(parts),
    )
    return Prepared(newest.snapshot, newest.loaded, Revealed(desired), live, built)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one applied commit describes of the units that are at it."""

    snapshot: Snapshot
    loaded: Loaded
    revealed: Revealed


def _part(line: Line, commit: str, units: set[str]) -> _Part:
    line.observer.notice(Event("load", f"reading commit {commit[:7]}"))
    snapshot = line.repository.snapshot(line.repository.resolve(commit))
    loaded = validate(snapshot, line.target)
    mine = tuple(r for r in loaded.desired.resources if r.id.unit in units)
    revealed = reveal(replace(loaded.desired, resources=mine), snapshot, line.keyring, line.manager)
    return _Part(snapshot, loaded, revealed)


def _joined(parts: list[Desired]) -> Desired:
    resources = sorted((r for part in parts for r in part.resources), key=lambda r: r.id.order)
    return replace(parts[-1], resources=tuple(resources))


def _locator(parts: list[_Part]) -> build.Locate:
    home = {r.id: part for part in parts for r in part.revealed.desired.resources}

    def locate(id: ResourceId, path: tuple[str | int, ...]) -> Location | None:
        part = home.get(id)
        return part.loaded.locate(id, path) if part else None

    return locate
