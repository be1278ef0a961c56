"""One call through the vendor-shaped door: who calls, what they see, and how a change is made.

Each change is one person's own: judged by the same `access.decide`, audited with the words of
`X-Apiops-Reason`, and drift to the next run.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials

from apiops.access import decide
from apiops.manager.embedded import EmbeddedManager
from apiops.model import secret
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.kinds import KINDS
from apiops.model.plan import Action
from apiops.model.resource import JsonObject, LiveResource, ResourceId
from apiops.model.token import Caller
from apiops.spec import marks, references
from apiops.web import envelope, identity
from apiops.web.envelope import Success, Told
from apiops.web.identity import Bearer
from apiops.web.vendor import shapes
from apiops.wiring import deeds, sealing

_DONE: Final[dict[int | str, dict[str, Any]]] = {200: {"model": Success, "description": "done"}}

Name = Annotated[str, Path(max_length=250)]
Why = Annotated[str, Header(max_length=250, alias="X-Apiops-Reason")]
Keys = Annotated[str, Header(max_length=250, alias="X-Apiops-Environment")]
"""Whose keys seal the secrets of a body that names no environment."""


class Door:
    """One call: who calls, the Manager, and how it is said that something is not there."""

    def __init__(self, request: Request, calling: Caller, why: str, keys: str = "") -> None:
        self.manager: EmbeddedManager = request.app.state.serving.manager
        self.calling = calling
        self._why = why or f"{request.method} {request.url.path}"[:250]
        self.grants = self.manager.views.grants()
        served = {target.environment for target in request.app.state.serving.targets.values()}
        self._keys = keys or (served.pop() if len(served) == 1 else None)

    def look(self, kind: str, project: str, name: str, absent: str) -> LiveResource:
        """The resource. Raises Told, in the vendor's words, if it is not there or not for them."""
        self.enter(project)
        found = self.find(kind, project, name)
        if found is None:
            raise Told(absent.format(name))
        return found

    def find(self, kind: str, project: str | None, name: str) -> LiveResource | None:
        """The resource of a name, in any case where the kind folds it; None if there is none.

        Raises Told where they may not see such a thing.
        """
        id = ResourceId(kind, project, name)
        self._may_see(id)
        if "\0" in name:
            return None
        found = self.manager.views.resource(self.calling.principal, id)
        if found is None and KINDS[kind].folds_case:
            every = self.manager.views.resources(self.calling.principal, kind, project)
            same = (one for one in every if one.id.name.casefold() == name.casefold())
            found = next(same, None)
        return found

    def every(self, kind: str, project: str) -> list[LiveResource]:
        """All resources of a kind that may be seen in a project, by name."""
        self.enter(project)
        self._may_see(ResourceId(kind, project, "x"))
        return self.manager.views.resources(self.calling.principal, kind, project)

    def enter(self, project: str) -> None:
        """Raise Told unless the caller has anything to do with the project."""
        identity.require(self.calling, "read")
        if project not in self.projects():
            raise Told(
                f"Project ({project}) is not found or user does not have privilege to access it!"
            )

    def projects(self) -> list[str]:
        """The projects that the caller has a role in, or rules over."""
        return self.manager.views.projects(self.calling.principal)

    def put(
        self,
        id: ResourceId,
        spec: JsonObject,
        before: LiveResource | None = None,
        files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Make it, or make it so, with the secrets of `spec` sealed. Raises AccessDenied, Told."""
        was = {k: v for k, v in (before.spec if before else {}).items() if k != "deployments"}
        sealed = sealing.take(id.kind, spec, was, self._keys)
        for name in {leaf.environment for _, leaf in secret.leaves(sealed.spec)}:
            self.environment(name)
        action = Action.CREATE if before is None else Action.UPDATE
        if self.may(action, id, before):
            self._demand_meant(id, sealed.spec, was)
        becomes = replace(sealed, spec=shapes.filled(sealed.spec), files=files)
        self.do(action, id, before=before, becomes=becomes)

    def _demand_meant(self, id: ResourceId, spec: JsonObject, was: JsonObject) -> None:
        """Refuse names of what is not there, but for those that stood there before. Raises Told."""
        known = {mention[1:] for mention in marks.references(id.kind, was)}
        new = [
            mention
            for mention in marks.references(id.kind, spec)
            if mention[1:] not in known and mention.name not in KINDS[mention.kind].builtin
        ]
        wanted = {one for mention in new for one in references.meant(id, mention)}
        found = self.manager.read("", "", among=wanted).resources if new else ()
        there = {one.id for one in found}
        for mention in new:
            if there.isdisjoint(references.meant(id, mention)):
                raise Told(shapes.absent(id.kind, mention.kind).format(mention.name))

    def environment(self, name: str) -> str:
        """The name of an environment that there is. Raises Told."""
        if name not in {one.id.name for one in self.manager.views.environments()}:
            raise Told(
                f"Environment ({name}) is not found or user does not have privilege to access it!"
            )
        return name

    def may(self, action: Action, id: ResourceId, before: LiveResource | None = None) -> bool:
        """Whether the write will be allowed: who may not is told that, and not what is there."""
        return deeds.allowed(self.manager, action, id, self._context(), before)

    def do(self, action: Action, id: ResourceId, **more: Any) -> None:
        """Change something. Raises AccessDenied, Told."""
        identity.require(self.calling, "write")
        deeds.do(self.manager, action, id, self._context(), **more)

    def _context(self) -> AuditContext:
        return AuditContext(
            actor=f"{self.calling.principal} ({self.calling.token.name})",
            principal=self.calling.principal,
            reason=Reason(text=self._why),
            run=uuid.uuid4().hex,
            source=Source.HTTP,
            address=self.calling.address,
        )

    def _may_see(self, id: ResourceId) -> None:
        need = decide.need_to_see(id)
        if decide.lacking(self.grants, self.calling.principal, (need,)) is not None:
            raise Told(envelope.FORBIDDEN)


def door(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(Bearer)],
    why: Why = "",
    keys: Keys = "",
) -> Door:
    """The call, once it is known who calls. Raises Told 401 in the vendor's words."""
    if shown is None:
        raise Told(envelope.NO_TOKEN, 401)
    return Door(request, identity.caller(request, shown), why, keys)


Call = Annotated[Door, Depends(door)]
Handler = Callable[..., Response]
Serve = Callable[..., Callable[[Handler], Handler]]


def family() -> tuple[APIRouter, Serve]:
    """A module's routes, and what declares one: method, path, summary, perhaps its answers, and
    more that FastAPI should know.
    """
    routes = APIRouter(prefix="/apiops")

    def serve(
        method: str,
        path: str,
        summary: str,
        answers: dict[int | str, dict[str, Any]] = _DONE,
        **more: Any,
    ) -> Callable[[Handler], Handler]:
        def decorate(handler: Handler) -> Handler:
            other = path[:-1] if path.endswith("/") else f"{path}/"
            for place, shown in ((path, True), (other, False)):  # the first is published (1.6)
                routes.add_api_route(
                    place, handler, methods=[method], summary=summary, include_in_schema=shown,
                    response_class=Response, responses=answers, **more,
                )  # fmt: skip
            return handler

        return decorate

    return routes, serve
