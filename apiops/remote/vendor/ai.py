"""LLM providers (vendor document, 2.16)."""

from collections.abc import Iterable
from typing import Any, Final

from apiops.errors import ManagerError
from apiops.model.kinds import KINDS
from apiops.model.resource import JsonObject
from apiops.plan.settle import UNSET
from apiops.remote.vendor.api import path
from apiops.remote.vendor.codec import Found, Job, Place, unknown
from apiops.remote.vendor.shared import Listed, gone, there

_OWNED: Final = frozenset(
    {
        *("id", "name", "projectId", "_class", "builtIn", "healthStatus", "lastHealthCheckAt"),
        *("lastLatencyMs", "usedByRefs", "apiKeySet", "apiSecretSet", "lastUpdatedAt"),
        "providerDefinitionId",  # an id, which says nothing here: what was written stands
    }
)
_LASTING: Final = KINDS["LlmProvider"].lasting
_SECRETS: Final = {"apiKey": "apiKeySet", "apiSecret": "apiSecretSet"}


class Providers(Listed):
    """LlmProvider. POST makes or replaces; a secret that is left out is kept (5.3)."""

    kind = "LlmProvider"
    right = "AI_DEVELOPMENT"

    def found(self, place: Place) -> Iterable[Found]:
        """One list; what is built in is nobody's (7 #36)."""
        items = place.api.items(path("projects", place.project, "llm-providers"))
        return [Found(one["name"], one) for one in items if not one.get("builtIn")]

    def seen(self, _place: Place, one: Found, written: JsonObject | None) -> JsonObject:
        """A flag says whether a secret is held; region and service account are not shown."""
        seen: dict[str, Any] = {
            name: value
            for name, value in one.raw.items()
            if name not in _OWNED and name not in _SECRETS and name != "serviceAccountJson"
        }
        for secret, flag in _SECRETS.items():
            if one.raw.get(flag) is False:
                seen[secret] = UNSET
            elif written is None and one.raw.get(flag):
                seen[secret] = unknown()
        if seen.get("metadata"):
            hidden = {"value": unknown()} if written is None else {}
            seen["metadata"] = [
                {**{k: v for k, v in fact.items() if k != "value"}, **hidden}
                if fact.get("secret")
                else fact
                for fact in seen["metadata"]
            ]
        return seen

    def create(self, job: Job) -> None:
        """The whole of it."""
        where = path("projects", job.place.project, "llm-providers", job.id.name)
        job.make("POST", where, self._body(job), lambda: there(self, job))

    def update(self, job: Job) -> None:
        """The whole of it: what is left out is emptied, but a secret is kept (5.3), so one that
        is to go takes the provider with it. A guard of the plan (AO619) has seen that none uses it.
        """
        if any(job.before.get(name) and not job.after.get(name) for name in _LASTING):
            self.delete(job)
            self.create(job)
            return
        where = path("projects", job.place.project, "llm-providers", job.id.name)
        job.send("PUT", where, self._body(job))

    def delete(self, job: Job) -> None:
        """Refused while a proxy uses it."""
        gone(job, path("projects", job.place.project, "llm-providers", job.id.name))

    def _body(self, job: Job) -> dict[str, Any]:
        rest = dict(job.plain)
        follows = definition(job, rest.pop("providerDefinition", None))
        return {"_class": "llm", "description": "", **rest, "name": job.id.name, **follows}


def definition(job: Job, name: str | None) -> dict[str, str]:
    """The field that says which definition is followed: manifests name it, the Manager wants its
    id (2.2).
    """
    if name is None:
        return {}
    where = path("projects", job.place.project, "llm-provider-definitions")
    ids = {one["name"].casefold(): one.get("id") for one in job.api.items(where)}
    id = ids.get(name.casefold())
    if not id:
        raise ManagerError(
            f"{job.id} follows the provider definition {name}, whose id the Manager does not say",
            code="AO766",
            hint="create that definition first, in this project",
        )
    return {"providerDefinitionId": str(id)}
