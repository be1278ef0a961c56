"""Suspend a target and resume it: a person's word, proven by their key, or by their token."""

from datetime import UTC, datetime
from pathlib import Path

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
    handwork.demand_reason("to suspend or resume", reason)
    if places.over_http(target):
        _say_there(target, reason, until, resumes=resumes)
        return
    proof = handwork.demand_name(principal, sign_key)
    with assemble.manager(target) as manager:
        handwork.prove(manager.grants(), principal, proof)
        context = handwork.console(principal, reason)
        here = Target(target.name, target.environment)
        suspension.say(manager, here, context, until=until, resumes=resumes)


def _say_there(
    target: TargetSettings, reason: str, until: datetime | None, *, resumes: bool
) -> None:
    from apiops.remote import native

    end = until.astimezone(UTC).isoformat() if until else None
    with assemble.client(target) as client:
        native.say(client, target.name, "resume" if resumes else "suspend", reason, end)
