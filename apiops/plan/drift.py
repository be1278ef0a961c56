"""Drift: what somebody changed in the Manager since the last run.

Drift is the same build with another desired state: that of the last applied revision. A newer
revision that nobody applied yet is pending, and does not come into it. So there is no second
diff; this module only leaves out what such a plan holds that is no drift.
"""

from dataclasses import replace

from apiops.model.plan import Plan
from apiops.plan import build


def only_drift(plan: Plan) -> Plan:
    """A plan made from the last applied revisions, without the units that were never applied.

    What is left says what would bring the live state back. Guards are left out with them: the
    plan is read, not applied.
    """
    changes = tuple(change for change in plan.changes if change.id.unit in plan.base)
    found = replace(plan, changes=changes, guards=())
    return replace(found, digest=build.digest(found))
