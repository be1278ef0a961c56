"""Deploying and undeploying through the vendor's shape (vendor document, 1.5, 2.5.6, 2.8)."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel

from apiops.errors import AccessDenied, ApiopsError
from apiops.model.plan import Action
from apiops.model.resource import LiveResource
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor.door import Door


class Deployment(BaseModel):
    """The optional body of a deploy and an undeploy; the audit log is their history here."""

    description: str | None = None
    persistent: bool | None = None


def deployed(call: Door, action: Action, before: LiveResource, environment: str) -> Response:
    """Carry out a deploy or an undeploy. Raises Told."""
    call.environment(environment)
    try:
        call.do(action, before.id, before=before, environment=environment)
    except AccessDenied:
        raise Told(envelope.NO_DEPLOY) from None
    return envelope.done(deployed=_result(environment))


def deployed_after(call: Door, before: LiveResource, environment: str) -> Response:
    """Deploy what has just been saved: that it cannot be is told beside that it is saved (1.5)."""
    try:
        call.do(Action.DEPLOY, before.id, before=before, environment=environment)
    except ApiopsError as fault:
        words = envelope.NO_DEPLOY if isinstance(fault, AccessDenied) else fault.message
        return envelope.done(deployed=_result(environment, words))
    return envelope.done(deployed=_result(environment))


def _result(environment: str, fault: str = "") -> dict[str, Any]:
    """DeploymentResult."""
    good = not fault
    detail = [] if good else [{"success": False, "envName": environment, "detail": fault}]
    return {"success": good, "envName": environment, "detailList": detail}
