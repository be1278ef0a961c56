"""Which rights to write a token lacks, asked by writes that can change nothing.

The API shows nobody's rights and has no dry run (vendor document, 1.9 and 3.7). But a DELETE of
something that nobody has deletes nothing, whoever sends it, and an answer that speaks of permission
is proof that the right is missing. That nothing is found proves little: which of the two a Manager
looks at first is written nowhere. Only whoever asks for it sends these calls, for they fail, and
may be seen in the Manager's own log.
"""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from apiops.errors import ManagerError
from apiops.remote.vendor.api import Absent, Api, Forbidden, path

MANAGE: Final = "MANAGE"
DEPLOY: Final = "DEPLOY_UNDEPLOY"

_SEGMENTS: Final = {
    "AI_DEVELOPMENT": "llm-providers",
    "API_MANAGEMENT": "apiProxies",
    "CONNECTIONS": "connections",
    "GLOBAL_SETTINGS": "ipGroups",
    "IDENTITY": "credentials",
    "SECRETS": "keys",
}
"""Category → a list of the project whose items are deleted by their name, and by nothing else.
Budgets are switched, not deleted (2.20), so of AI_BUDGETS nothing can be asked.
"""


@dataclass(frozen=True, slots=True)
class Right:
    """One right in one project; `environments` are where it is wanted, if it is one to deploy."""

    project: str
    category: str
    action: str
    environments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.category}.{self.action} in {self.project}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the trials: rights that are missing, that were not refused, and of which
    nothing can be said.
    """

    missing: tuple[Right, ...]
    allowed: tuple[Right, ...]
    untold: tuple[Right, ...]


def attempt(api: Api, rights: Iterable[Right]) -> Tried:
    """Ask for each right, one call after another.

    Raises ManagerError AO761 for a token that is not accepted, ManagerUnavailable.
    """
    found: dict[bool | None, list[Right]] = {True: [], False: [], None: []}
    for right in rights:
        found[_may(api, right)].append(right)
    return Tried(tuple(found[False]), tuple(found[True]), tuple(found[None]))


def _may(api: Api, right: Right) -> bool | None:
    """Whether it is not refused; None where nothing can be asked, or was said."""
    calls = [*_calls(right)]
    try:
        for where in calls:
            _ask(api, where)
    except Forbidden as fault:
        if fault.code == "AO761":
            raise
        return False
    except ManagerError as fault:
        if fault.retryable:
            raise
        return None
    return True if calls else None


def _ask(api: Api, where: str) -> None:
    """That there is no such thing is the answer that is hoped for."""
    try:
        api.call("DELETE", where, again=False)
    except Absent:
        return


def _calls(right: Right) -> Iterator[str]:
    nobody = f"apiops-trial-{secrets.token_hex(16)}"
    if right.category not in _SEGMENTS:
        return
    base = ("projects", right.project, _SEGMENTS[right.category], nobody)
    if right.action == MANAGE:
        yield path(*base)
    elif right.category == "API_MANAGEMENT":
        yield from (path(*base, "environments", name) for name in right.environments)
