"""Names that the Manager can change (vendor document, 2.1).

A proxy's by a setting, those of connections, keys, keystores and JWKs by the name in their body.
Whatever refers to them by id follows; what names them is written by its own change.
"""

from typing import Any, Final

from apiops.model.resource import ResourceId
from apiops.remote.vendor.api import path
from apiops.remote.vendor.codec import Job
from apiops.remote.vendor.shared import there

SEGMENTS: Final = {
    "Connection": "connections",
    "Key": "keys",
    "Keystore": "keystores",
    "Jwk": "jwks",
}
"""Kind → the segment of its calls, beside ApiProxy. `Kind.renames` says the same to the plan."""


def rename(codec: Any, job: Job, former: ResourceId) -> None:
    """Give it its new name, and whatever else is to change."""
    if job.id.kind == "ApiProxy":
        _call(codec, job, "PATCH", {"name": job.id.name, "deploy": False}, "apiProxies", former)
        codec.update(job)
    else:
        _call(codec, job, "PUT", codec.body(job), SEGMENTS[job.id.kind], former)


def _call(
    codec: Any, job: Job, method: str, body: dict[str, Any], segment: str, former: ResourceId
) -> None:
    """Sent again after a lost answer only where nothing has the new name yet."""
    more = ("settings", "metadata") if method == "PATCH" else ()
    where = path("projects", job.place.project, segment, former.name, *more)
    job.make(method, where, body, lambda: there(codec, job))
