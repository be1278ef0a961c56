"""What is seen of a resource, as the line compares it."""

import hashlib
from collections.abc import Mapping

from apiops.model import canonical
from apiops.model.kinds import KINDS
from apiops.model.resource import Deployment, JsonObject, LiveResource, ResourceId, state_digest
from apiops.remote.vendor.codec import Found


def running(one: Found, book: LiveResource | None, spec: JsonObject) -> tuple[Deployment, ...]:
    """Where it runs, with the digest of what runs: that of the spec, unless it is out of date."""
    digest = state_digest(bare(spec), book.labels if book else {})
    ours = {run.environment: run.digest for run in book.deployments} if book else {}
    rows = []
    for environment, fresh in sorted(one.running.items()):
        behind = book is not None and environment in ours and ours[environment] != book.digest
        rows.append(Deployment(environment, digest if fresh and not behind else ""))
    return tuple(rows)


def bare(spec: JsonObject) -> JsonObject:
    """A spec without where it runs, which is compared by itself."""
    return {name: value for name, value in spec.items() if name != "deployments"}


def resource(
    id: ResourceId, spec: JsonObject, book: LiveResource | None, running: tuple[Deployment, ...]
) -> LiveResource:
    """What is seen, with whose it is and what was written by the book."""
    labels = book.labels if book else {}
    whole = dict(bare(spec))
    if KINDS[id.kind].deployable:
        kept = {d["environment"]: d for d in (book.spec.get("deployments") or ())} if book else {}
        whole["deployments"] = [
            kept.get(one.environment, {"environment": one.environment}) for one in running
        ]
    return LiveResource(
        id=id,
        spec=whole,
        digest=state_digest(bare(spec), labels),
        serial=_serial(spec, labels, running),
        owner=book.owner if book else None,
        applied=book.applied if book else None,
        labels=labels,
        deployments=running,
        protected=book.protected if book else False,
    )


def _serial(spec: JsonObject, labels: Mapping[str, str], running: tuple[Deployment, ...]) -> int:
    """The API counts nothing, so what is seen is its own serial: it moves when anything moves."""
    seen = [state_digest(bare(spec), labels), [[one.environment, one.digest] for one in running]]
    return int(hashlib.sha256(canonical.encode(seen)).hexdigest()[:12], 16)
