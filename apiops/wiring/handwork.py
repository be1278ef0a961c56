"""A person's own change in the Manager: proven by their key, judged and audited like any.

It is the console of the embedded Manager. The change stays out of every inventory, so the next
run finds it as drift.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from apiops.access import identify
from apiops.errors import AccessDenied, UsageError
from apiops.manager import embedded
from apiops.model.access import Grants
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.kinds import KINDS
from apiops.model.outcome import RunReport
from apiops.model.plan import Action, Change
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.model.secret import MARK
from apiops.ports import Live
from apiops.reconcile import approvals
from apiops.spec import marks, paths
from apiops.wiring import admin, assemble, deeds, files
from apiops.wiring.settings import TargetSettings

_NOTHING: Final = rb"\u0000"
"""How JSON spells the character that no text has."""


def change(
    target: TargetSettings,
    id: ResourceId,
    patch: JsonObject,
    *,
    principal: str,
    sign_key: Path,
    reason: str,
) -> RunReport:
    """Merge `patch` (RFC 7386) into the resource's spec, as `principal`.

    Raises AccessDenied when the private key is not the principal's or the right is missing,
    SpecInvalid when the resource would no longer be as its kind demands, UsageError for a secret,
    PlanRefused AO628 where one person is not enough.
    """
    demand_reason("a change by hand", reason)
    with assemble.manager(target) as manager:
        prove(manager.grants(), principal, sign_key)
        live = manager.read("", "")
        _check(live, id, patch)
        tier = KINDS[id.kind].tier.value if id.kind in KINDS else ""
        context = replace(console(principal, reason), tier=tier)
        if deeds.allowed(manager, Action.UPDATE, id, context, _row(live, id)):
            approvals.alone(live, Change(Action.UPDATE, id))
        outcome = manager.change(id, patch, principal=principal, context=context)
    return RunReport(run=context.run, target=target.name, head="", outcomes=(outcome,))


def console(principal: str, why: str) -> AuditContext:
    """The context of what a principal does by hand, as a run of its own."""
    return AuditContext(
        actor=principal,
        principal=principal,
        reason=Reason(text=why),
        run=uuid.uuid4().hex,
        source=Source.CONSOLE,
    )


def demand_reason(what: str, reason: str, example: str = "incident 4711") -> None:
    """Refuse what is done by hand without a word why. Raises UsageError AO910."""
    if not reason.strip():
        raise UsageError(
            f"{what} needs a reason",
            code="AO910",
            hint=f'say why, for the audit log: --reason "{example}"',
        )


def demand_name(principal: str, sign_key: Path | None) -> Path:
    """The file that proves who somebody is. Raises UsageError AO905 if nobody is named."""
    if not principal or sign_key is None:
        raise UsageError(
            "nothing says who you are",
            code="AO905",
            hint="say who you are and prove it: --as NAME --sign-key FILE",
        )
    return sign_key


def prove(grants: Grants, principal: str, sign_key: Path) -> None:
    """Whoever holds the private key of a principal is that principal. Raises AccessDenied."""
    from apiops.git.signing import SigningKey

    fingerprint = SigningKey.load(files.read(sign_key, admin.MAX_KEY_FILE)).fingerprint
    key = grants.keys.get(fingerprint)
    if key is None or key.principal != principal:
        raise AccessDenied(
            f"the key {fingerprint} does not belong to {principal}",
            code="AO502",
            hint=f"sign with a key that stands in User/{principal}, or say who you are with --as",
        )
    fault = identify.lapsed(key, datetime.now(UTC))
    if key.attests:
        fault = "AO515", f"is of {principal}, a forge and no person"
    if fault is not None:
        raise AccessDenied(
            f"the key {fingerprint} proves nothing: what it signs {fault[1]}",
            code=fault[0],
            hint=f"sign with a key of User/{principal} that counts now",
        )


def _check(live: Live, id: ResourceId, patch: JsonObject) -> None:
    """Hold what the change would make of the resource against its kind, as `validate` does."""
    row = _row(live, id)
    if row is None:
        return  # the Manager says so better
    spec = embedded.merge_patch(row.spec, patch)
    refuse_secrets(id.kind, row.spec, spec)
    deeds.check(id, spec)
    deeds.demand_way(id, row.spec, spec)


def _row(live: Live, id: ResourceId) -> LiveResource | None:
    return next((held for held in live.resources if held.id == id), None)


def refuse_secrets(kind: str, before: JsonObject, after: JsonObject) -> None:
    """A secret comes from an encrypted file alone: on a command line everybody could read it."""
    was, now = _secrets(kind, before), _secrets(kind, after)
    changed = [path for path in now if was.get(path) != now[path]]
    if changed:
        raise UsageError(
            f"{'.'.join(map(str, changed[0]))} holds a secret, which is not set by hand",
            code="AO910",
            hint="change the encrypted value in the repository: apiops secrets edit FILE",
        )


def _secrets(kind: str, spec: JsonObject) -> dict[paths.Path, Any]:
    """The value of every secret field, and of every other place that holds a leaf."""
    fields = {path: paths.value(spec, path) for path, _ in marks.secret_paths(kind, spec)}
    return {**fields, **dict(_leaves(spec, ()))}


def _leaves(node: Any, path: paths.Path) -> Iterator[tuple[paths.Path, Any]]:
    if isinstance(node, Mapping) and MARK in node:
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _leaves(value, (*path, index))


def identity(text: str) -> ResourceId:
    """`Kind/project/name` or, in the System tier, `Kind/name`. Raises UsageError AO905."""
    kind, _, rest = text.partition("/")
    project, slash, name = rest.partition("/")
    if kind not in KINDS or not project:
        raise UsageError(
            f'"{text}" does not name a resource',
            code="AO905",
            hint="write Kind/project/name (ApiProxy/payments/orders) or Kind/name (User/ayse)",
        )
    return ResourceId(kind, project, name) if slash else ResourceId(kind, None, project)


def patch(assignments: Iterable[str]) -> JsonObject:
    """`spec.a.b=VALUE` assignments as a JSON merge patch of `spec`. Raises UsageError AO905."""
    tree: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        steps = path.split(".")
        if not equals or steps[0] != "spec" or not all(steps[1:]) or len(steps) == 1:
            raise UsageError(
                f'"{assignment}" is not an assignment',
                code="AO905",
                hint="write spec.FIELD=VALUE, for example spec.settings.connection.readTimeout=90",
            )
        _assign(tree, steps[1:], _value(value), assignment)
    return tree


def _assign(tree: dict[str, Any], steps: list[str], value: Any, assignment: str) -> None:
    node: Any = tree
    for step in steps[:-1]:
        node = node.setdefault(step, {}) if isinstance(node, dict) else None
    if not isinstance(node, dict) or steps[-1] in node:
        raise UsageError(
            f'"{assignment}" contradicts another assignment',
            code="AO905",
            hint="set each field once",
        )
    node[steps[-1]] = value


def _value(text: str) -> Any:
    """JSON, or else the text itself; what JSON cannot carry back (NaN, too deep) is text too.

    Raises UsageError AO905 for an escape of what is no character: manifests cannot hold it either.
    """
    try:
        value = json.loads(text, parse_constant=str)
        written = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        written = _NOTHING
    except (ValueError, RecursionError):
        return text
    if _NOTHING in written.replace(b"\\\\", b""):
        raise UsageError(
            f"{text} holds an escape of what is no character",
            code="AO905",
            hint="leave out \\u0000 and \\ud800 to \\udfff",
        )
    return value
