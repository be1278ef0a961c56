"""`apiops doctor`: is this machine, this repository and this Manager ready for a run?

Every check either says what it saw or names the fix. A check never changes anything.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from apiops.errors import ApiopsError
from apiops.model import moment
from apiops.model.doctor import Check, DoctorReport, Health
from apiops.model.resource import JsonObject, ResourceId, Target
from apiops.model.revision import SignatureStatus
from apiops.wiring import assemble, editor, places
from apiops.wiring.settings import TargetSettings

Wanted = Callable[[], tuple[dict[ResourceId, JsonObject], str]]
"""What HEAD describes, and what is to be said where that is not all of it."""

if TYPE_CHECKING:
    from apiops.remote.vendor.api import Api
    from apiops.remote.vendor.probe import Seen


def examine(
    directory: Path, target: TargetSettings | None, *, trials: bool = False
) -> DoctorReport:
    """Make every check; without a target the Manager's are left out.

    With `trials` a vendor's Manager is asked for rights to write by calls that fail whatever the
    rights are.
    """
    return DoctorReport(tuple(_checks(directory, target, trials=trials)))


def _checks(directory: Path, target: TargetSettings | None, *, trials: bool) -> Iterator[Check]:
    repository = _asked("repository", lambda: _repository(directory))
    yield repository
    readable = repository.status is not Health.FAIL
    if readable:
        yield _asked("head", lambda: _head(directory))
    yield _asked("temporary folder", _scratch)
    schemas = editor.check(directory)
    if schemas is not None:
        yield schemas
    if target is None:
        yield Check(
            "target", Health.WARN, "no target chosen", "give --target to examine its Manager"
        )
        return
    if places.over_http(target):  # it opens the secrets itself
        yield _asked("manager", lambda: _served(target))
        return
    yield _asked("identities", lambda: _identities(directory, target))
    manager = _asked("manager", lambda: _manager(target))
    yield manager
    if manager.status is not Health.FAIL:
        yield _asked("audit log", lambda: _audit(target))
    if target.ledger:
        wanted = cache(partial(_wanted, directory, target)) if readable else None
        yield from _each("vendor's Manager", lambda: _vendor(target, wanted, trials=trials))


def _asked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except ApiopsError as fault:
        return _failed(name, fault)


def _each(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except ApiopsError as fault:
        yield _failed(name, fault)


def _failed(name: str, fault: ApiopsError) -> Check:
    return Check(name, Health.FAIL, f"{fault.code} {fault.message}", fault.hint)


def _repository(directory: Path) -> Check:
    lineage = assemble.repository(directory).lineage
    return Check("repository", Health.OK, f"readable, first commit {lineage[:7]}")


def _head(directory: Path) -> Check:
    repository = assemble.repository(directory)
    revision = repository.resolve("HEAD")
    status = repository.commit(revision.commit).signature.status
    said = {SignatureStatus.GOOD: "signed", SignatureStatus.UNKNOWN_KEY: "signed with OpenPGP"}
    if status in said:
        return Check("head", Health.OK, f'{revision.short} "{revision.subject}", {said[status]}')
    return Check(
        "head",
        Health.WARN,
        f'{revision.short} "{revision.subject}" is not signed as needed: {status.value}',
        "git config gpg.format ssh; git config user.signingkey FILE; git commit -S",
    )


def _scratch() -> Check:
    import tempfile

    folder = Path(tempfile.gettempdir())
    if os.access(folder, os.W_OK):
        return Check("temporary folder", Health.OK, "writable")
    return Check("temporary folder", Health.FAIL, "not writable", "mount an empty volume there")


def _identities(directory: Path, target: TargetSettings) -> Check:
    wiring = assemble.Wiring(directory, target)
    if assemble.keyring(wiring).available:
        return Check("identities", Health.OK, "an age identity is at hand")
    return Check(
        "identities",
        Health.WARN,
        "no age identity: plans say what they could not compare, applying secrets is refused",
        "set SOPS_AGE_KEY_FILE, or `identities` of the target",
    )


def _manager(target: TargetSettings) -> Check:
    with assemble.manager(target) as manager:
        grants = manager.grants()
    return Check(
        "manager",
        Health.OK,
        f"database at this version's schema, {len(grants.enabled)} people, {len(grants.keys)} keys",
    )


def _served(target: TargetSettings) -> Check:
    from apiops.remote import native

    with assemble.client(target) as client:
        native.probe(client)
        return Check("manager", Health.OK, f"{client.address} is ready, and the token counts")


def _vendor(target: TargetSettings, wanted: Wanted | None, *, trials: bool) -> Iterator[Check]:
    """Reachable, the token accepted, what it may read, and what of HEAD will be refused."""
    from apiops.remote.vendor import probe
    from apiops.wiring import vendor

    with vendor.api(target) as api:
        ahead = probe.healthy(api)
        sight = probe.look(api)
        yield _sight(sight)
        if sight.projects and wanted is not None:
            yield _asked("rights", lambda: _rights(wanted, sight, trials=trials))
            if trials:
                yield _asked("rights to write", lambda: _trials(api, wanted, sight))
    if abs(ahead) > moment.SLACK:
        yield Check(
            "clock",
            Health.WARN,
            f"the Manager's clock is {moment.against(ahead)}",
            "set both by a time server: tokens live by the Manager's clock, leases by this one's",
        )


def _sight(sight: "Seen") -> Check:
    count = len(sight.projects)
    seen = f"reachable, the token sees {count} project{'' if count == 1 else 's'}"
    if not sight.projects:
        return Check(
            "vendor's Manager",
            Health.FAIL,
            f"{seen}",
            "give the token's user a role in each project that the repository describes",
        )
    if sight.blind:
        return Check(
            "vendor's Manager",
            Health.WARN,
            f"{seen} and lacks {', '.join(sight.blind)}",
            "give the token's user these rights in the console, with MANAGE for what is written",
        )
    more = ", and is an administrator's" if sight.administrates else ""
    return Check("vendor's Manager", Health.OK, f"{seen}: {', '.join(sight.projects)}{more}")


def _wanted(directory: Path, target: TargetSettings) -> tuple[dict[ResourceId, JsonObject], str]:
    """What HEAD describes, and what is to be said where that is not all of it."""
    from apiops.reconcile import line

    snapshot = assemble.snapshot(directory, "HEAD", worktree=False)
    loaded = line.validate(snapshot, Target(target.name, target.environment))
    stopped = ", ".join(sorted(loaded.desired.stopped))
    beside = f", but for {stopped}, whose specifications have errors" if stopped else ""
    return {one.id: one.spec for one in loaded.desired.resources}, beside


def _rights(described: Wanted, sight: "Seen", *, trials: bool) -> Check:
    """What of HEAD this token cannot write for certain, and what the rest takes."""
    from apiops.remote.vendor import probe

    wanted, beside = described()
    refused = sight.refused(wanted)
    takes = "; ".join(probe.needs(wanted)) or "no right"
    if refused:
        return Check(
            "rights",
            Health.FAIL,
            f"the Manager will refuse what HEAD describes: {'; '.join(refused)}",
            f"in the console, give the token's user what all of HEAD takes: {takes}",
        )
    return Check(
        "rights",
        Health.WARN if beside else Health.OK,
        f"all that HEAD describes can be listed{beside}; to write it takes {takes}, which the API "
        f"shows of nobody{'' if trials else '; --probe-writes asks, and changes nothing'}",
        "`apiops validate` names the errors" if beside else "",
    )


def _trials(api: "Api", described: Wanted, sight: "Seen") -> Check:
    """Which rights to write are missing for certain."""
    from apiops.remote.vendor import probe, trial

    wanted = probe.rights(described()[0])
    tried = trial.attempt(api, (one for one in wanted if one.project in sight.projects))
    untold = f"; nothing is told of {', '.join(map(str, tried.untold))}" if tried.untold else ""
    if tried.missing:
        return Check(
            "rights to write",
            Health.FAIL,
            f"the token lacks {', '.join(map(str, tried.missing))}{untold}",
            "give the token's user a role with these rights in the console",
        )
    return Check(
        "rights to write",
        Health.OK,
        f"not refused: {', '.join(map(str, tried.allowed)) or 'none was asked for'}{untold} (a "
        "Manager that looks for the thing before the right refuses nobody here)",
    )


def _audit(target: TargetSettings) -> Check:
    with assemble.manager(target) as manager:
        report = manager.verify()
    if report.first_bad is None:
        return Check("audit log", Health.OK, f"{report.entries} entries, chain intact")
    return Check(
        "audit log",
        Health.FAIL,
        f"broken at entry {report.first_bad}: {report.problem}",
        "keep the database as evidence and compare it with your last exported log",
    )
