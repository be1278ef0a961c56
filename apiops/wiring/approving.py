"""A person's word for a plan: proven by their key here, or by their token over HTTP."""

from pathlib import Path

from apiops.errors import UsageError
from apiops.model.order import Order
from apiops.model.view import Planned
from apiops.ports import Observer
from apiops.reconcile.runs import InProcess
from apiops.wiring import assemble, handwork, places


def approve(
    wiring: assemble.Wiring,
    observer: Observer,
    order: Order,
    *,
    principal: str,
    sign_key: Path | None,
    withdraw: bool,
) -> Planned:
    """Record it in the Manager; the plan, with how far its approval is then.

    Raises PlanRefused, AccessDenied, and UsageError AO905 when nothing says who it is.
    """
    if places.over_http(wiring.target):
        with assemble.runs(wiring, observer) as runs:
            return runs.approve(order, principal, withdraw=withdraw)
    if not principal or sign_key is None:
        raise UsageError(
            "an approval is somebody's own word",
            code="AO905",
            hint="say who you are and prove it: --as NAME --sign-key FILE",
        )
    with assemble.line(wiring, observer) as line:
        live = line.manager.read(line.repository.lineage, line.target.name, among=())
        handwork.prove(live.grants, principal, sign_key)
        return InProcess(line).approve(order, principal, withdraw=withdraw)
