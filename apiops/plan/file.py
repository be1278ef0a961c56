"""A plan as a file: made in one place, reviewed, applied in another.

The file is JSON for people and machines, and holds no secret, as a plan holds none. Whoever
applies it computes the plan anew; the file only says what was approved (`build.same`).
"""

import hmac
from typing import Any, Final

import orjson

from apiops.errors import PlanRefused
from apiops.model import codec
from apiops.model.plan import Plan
from apiops.plan import build

FORMAT_VERSION: Final = "1.0"
"""Minor versions add fields, a major one breaks."""

LIMIT: Final = 64 * 1024 * 1024
"""The largest plan file that is read, in bytes: some 200,000 changes."""


def to_json(plan: Plan) -> bytes:
    """The plan as a file, UTF-8, ending in a line break."""
    tree = {"format_version": FORMAT_VERSION, "plan": codec.dump(plan)}
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def from_json(content: bytes) -> Plan:
    """The plan that `to_json` wrote.

    Raises PlanRefused AO623 for what is no plan file, AO624 when the plan is not the one that
    the digest in it was made from.
    """
    if len(content) > LIMIT:
        raise _unreadable(f"{len(content)} bytes are more than a plan file can have ({LIMIT})")
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise _unreadable(f"not JSON: line {fault.lineno}, column {fault.colno}") from None
    return _plan(tree)


def _plan(tree: Any) -> Plan:
    if not isinstance(tree, dict) or "plan" not in tree:
        raise _unreadable("it has no plan in it")
    version = str(tree.get("format_version"))
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise _unreadable(f"its format version {version[:20]} is not {FORMAT_VERSION}")
    try:
        plan = codec.load(Plan, tree["plan"])
        genuine = hmac.compare_digest(plan.digest.encode(), build.digest(plan).encode())
    except (ValueError, TypeError) as fault:
        raise _unreadable(str(fault)) from None
    if not genuine:
        raise PlanRefused(
            "the plan file was altered: its digest is not that of the plan in it",
            code="AO624",
            hint="make the plan again with `apiops plan`",
        )
    return plan


def _unreadable(why: str) -> PlanRefused:
    return PlanRefused(
        f"the plan file cannot be read: {why}",
        code="AO623",
        hint="write it again with `apiops plan --out`, with the version of apiops that applies it",
    )
