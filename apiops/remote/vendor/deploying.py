"""Deploying and undeploying proxies and groups of them (vendor document, 1.5, 2.5.6, 2.8).

A change is saved first and deployed then, so an answer of success may still say that the workers
did not take it.
"""

from typing import Any, Final

from apiops.model.audit import Reason
from apiops.model.resource import JsonObject
from apiops.remote.vendor.api import Absent, path
from apiops.remote.vendor.codec import Job

LONGEST_REASON: Final = 255
"""Characters of a deploy's description that are sent; the vendor names no limit."""

_SEGMENTS: Final = {"ApiProxy": "apiProxies", "ApiProxyGroup": "apiProxyGroups"}


def _where(job: Job, environment: str, *more: str) -> str:
    base = ("projects", job.place.project, _SEGMENTS[job.id.kind], job.id.name)
    return path(*base, "environments", environment, *more)


def deploy(job: Job, environment: str, description: str, *, persistent: bool) -> Any:
    """One explicit deploy, which carries the reason (section 4); the answer's tree."""
    body = {"description": description, "persistent": persistent}
    return job.make("POST", _where(job, environment), body, lambda: runs(job, environment))


def undeploy(job: Job, environment: str, description: str) -> Any:
    """Taken from an environment; that it does not run there is as good."""
    try:
        return job.send("DELETE", _where(job, environment), {"description": description})
    except Absent:
        return None


def runs(job: Job, environment: str) -> bool:
    """Whether the Manager says that what is saved runs there."""
    if job.id.kind == "ApiProxy":
        rows = job.api.items(_where(job, environment, "deploy-status"))
    else:
        base = ("projects", job.place.project, _SEGMENTS[job.id.kind], job.id.name)
        all_rows = job.api.items(path(*base, "environments"))
        rows = [row for row in all_rows if row.get("name") == environment]
    return bool(rows and rows[0].get("deployed") and not rows[0].get("redeployRequired"))


def reason_text(reason: Reason, principal: str, run: str) -> str:
    """At most `LONGEST_REASON` characters; the subject gives way first."""
    tail = f" (by {principal}, run {run[:12]})"
    head = f"{reason.commit[:10]} " if reason.commit else ""
    room = LONGEST_REASON - len(head) - len(tail)
    text = " ".join(reason.text.split())
    return head + (text if len(text) <= room else text[: room - 1] + "…") + tail


def failures(result: Any) -> list[str]:
    """What a `deploymentResult` says went wrong, in any of its four shapes (1.5)."""
    if not isinstance(result, dict):
        return []
    if result.get("failedEnvironments"):
        return [str(name) for name in result["failedEnvironments"]]
    rows = _rows(result)
    bad = [row for row in rows if row.get("success") is False]
    if bad:
        return [_told(row) for row in bad]
    if rows and result.get("success") is False:
        return [str(result.get("message") or result.get("detail") or "the Manager says no")]
    return []


def _rows(result: JsonObject) -> list[Any]:
    for name in ("detailList", "deploymentResults", "environmentResults"):
        if result.get(name):
            return [row for row in result[name] if isinstance(row, dict)]
    return []


def _told(row: JsonObject) -> str:
    where = row.get("podName") or row.get("environmentName") or row.get("envName") or "a worker"
    return f"{where}: {str(row.get('detail') or row.get('message') or 'failed')[:200]}"
