"""A person's own change in the Manager: proven by their key, judged and audited like any.

It is the console of the embedded Manager. The change stays out of every inventory, so the next
run finds it as drift.
"""

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from apiops.errors import AccessDenied, UsageError
from apiops.model.access import Grants
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.kinds import KINDS
from apiops.model.outcome import RunReport
from apiops.model.resource import JsonObject, ResourceId
from apiops.wiring import assemble
from apiops.wiring.settings import TargetSettings


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

    Raises AccessDenied when the private key is not the principal's or the right is missing.
    """
    run = uuid.uuid4().hex
    with assemble.manager(target) as manager:
        _prove(manager.grants(), principal, sign_key)
        context = AuditContext(
            actor=principal,
            principal=principal,
            reason=Reason(text=reason),
            run=run,
            source=Source.CONSOLE,
        )
        outcome = manager.change(id, patch, principal=principal, context=context)
    return RunReport(run=run, target=target.name, head="", outcomes=(outcome,))


def _prove(grants: Grants, principal: str, sign_key: Path) -> None:
    """Whoever holds the private key of a principal is that principal."""
    from apiops.git.signing import SigningKey

    fingerprint = SigningKey.load(sign_key.read_bytes()).fingerprint
    key = grants.keys.get(fingerprint)
    if key is None or key.principal != principal or key.revoked:
        raise AccessDenied(
            f"the key {fingerprint} does not belong to {principal}",
            code="AO502",
            hint=f"sign with a key that stands in User/{principal}, or say who you are with --as",
        )


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
        node = tree
        for step in steps[1:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = _value(value)
    return tree


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
