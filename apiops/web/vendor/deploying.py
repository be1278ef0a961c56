"""Deploying and undeploying through the vendor's shape (vendor document, 1.5, 2.5.6, 2.8)."""

from typing import Any

from fastapi import Response
from pydantic import BaseModel

from apiops.access import decide
from apiops.errors import AccessDenied, ApiopsError
from apiops.model.plan import Action
from apiops.model.resource import LiveResource, ResourceId
from apiops.web import envelope
from apiops.web.envelope import Told
from apiops.web.vendor.door import Door


class Deployment(BaseModel):
    """The optional body of a deploy and an undeploy; the audit log is their history here."""

    description: str | None = None
    persistent: bool | None = None


def demand(call: Door, id: ResourceId, environment: str) -> str:
    """An environment that there is, and in which they may deploy it. Raises Told."""
    needs = decide.need(id.kind, Action.DEPLOY, id, (call.environment(environment),))
    if decide.lacking(call.grants, call.calling.principal, needs) is not None:
        raise Told(envelope.NO_DEPLOY)
    return environment


def deployed(call: Door, action: Action, before: LiveResource, environment: str) -> Response:
    """Carry out a deploy or an undeploy. Raises Told."""
    call.environment(environment)
    try:
        call.do(action, before.id, before=before, environment=environment)
    except AccessDenied:
        raise Told(envelope.NO_DEPLOY) from None
    return envelope.done(deployed=_result(environment))


def deployed_after(call: Door, id: ResourceId, *environments: str) -> Response:
    """Deploy what has just been saved: that it cannot be is told beside that it is saved (1.5)."""
    details = []
    for environment in environments:
        saved = call.find(id.kind, id.project, id.name)
        try:
            call.do(Action.DEPLOY, id, before=saved, environment=environment)
        except ApiopsError as fault:
            words = envelope.NO_DEPLOY if isinstance(fault, AccessDenied) else fault.message
            details.append({"success": False, "envName": environment, "detail": words})
    only = environments[0] if len(environments) == 1 else None
    return envelope.done(deployed=_result(only, *details))


def _result(environment: str | None, *details: dict[str, Any]) -> dict[str, Any]:
    """DeploymentResult, with what went wrong; workers fetch by themselves what is deployed."""
    return {"success": not details, "envName": environment, "detailList": list(details)}
