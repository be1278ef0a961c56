"""Suspend a target and resume it: a person's word, proven by their key, or by their token."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

from apiops.errors import UsageError
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.resource import Target
from apiops.reconcile import suspension
from apiops.wiring import assemble, handwork, places
from apiops.wiring.settings import TargetSettings


def say(
    target: TargetSettings,
    *,
    principal: str,
    sign_key: Path | None,
    reason: str,
    until: datetime | None = None,
    resumes: bool = False,
) -> None:
    """Record it in the Manager. Raises AccessDenied, and UsageError for what is left out."""
    if not reason.strip():
        raise UsageError(
            "to suspend or resume needs a reason",
            code="AO910",
            hint='say why, for the audit log: --reason "incident 4711"',
        )
    if places.over_http(target):
        _say_there(target, reason, until, resumes=resumes)
        return
    if not principal or sign_key is None:
        raise UsageError(
            "nothing says who you are",
            code="AO905",
            hint="say who you are and prove it: --as NAME --sign-key FILE",
        )
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), principal, sign_key)
        context = AuditContext(
            actor=principal,
            principal=principal,
            reason=Reason(text=reason),
            run=uuid.uuid4().hex,
            source=Source.CONSOLE,
        )
        here = Target(target.name, target.environment)
        suspension.say(manager, here, context, until=until, resumes=resumes)


def _say_there(
    target: TargetSettings, reason: str, until: datetime | None, *, resumes: bool
) -> None:
    from apiops.remote import native

    end = until.astimezone(UTC).isoformat() if until else None
    with assemble.client(target) as client:
        native.say(client, target.name, "resume" if resumes else "suspend", reason, end)
