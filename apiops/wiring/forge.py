"""Which forge a CI job runs for, read from the variables that the forge itself sets."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from apiops.errors import UsageError
from apiops.model.secret import SecretValue

if TYPE_CHECKING:
    from apiops.remote.forge import Forge, Place

VARIABLE: Final = "APIOPS_FORGE_TOKEN"
TOKENS: Final = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN", "gitea": "GITEA_TOKEN"}
"""The variable with the token, for each kind of forge; APIOPS_FORGE_TOKEN comes before it."""

_PULL: Final = re.compile(r"refs/pull/(\d+)/")
_EVENT_BYTES: Final = 16 * 1024 * 1024


def place(environment: Mapping[str, str], pull_request: str = "") -> "Place":
    """Where the job reports to; `pull_request` (`17`, `#17`, `!17`) comes before what it knows.

    Raises UsageError AO921 where no forge is to be seen.
    """
    given = pull_request.lstrip("#!")
    if given and not given.isdigit():
        raise UsageError(f'"{pull_request}" is no number of a pull request', code="AO921")
    if environment.get("GITHUB_API_URL") and environment.get("GITHUB_REPOSITORY"):
        return _github(environment, given)
    if environment.get("CI_API_V4_URL") and environment.get("CI_PROJECT_ID"):
        return _gitlab(environment, given)
    raise UsageError(
        "no forge is to be seen from here",
        code="AO921",
        hint="comments and statuses are for CI jobs of GitHub, GitLab, Gitea and Forgejo, which "
        "name their API in GITHUB_API_URL or CI_API_V4_URL",
    )


@contextmanager
def opened(environment: Mapping[str, str], where: "Place") -> Iterator["Forge"]:
    """The forge at a place, with the token of the environment. Raises UsageError AO921."""
    from apiops.remote.client import Client, Reach
    from apiops.remote.forge import Forge

    token = environment.get(VARIABLE) or environment.get(TOKENS[where.kind])
    if not token:
        raise UsageError(
            f"no token for {where.kind}",
            code="AO921",
            hint=f"set {VARIABLE} or {TOKENS[where.kind]}",
        )
    reach = Reach(where.api, total=_PATIENCE, read=_PATIENCE)
    with Client(reach, lambda: SecretValue(token)) as client:
        yield Forge(client, where)


_PATIENCE: Final = 60.0
"""Seconds that a forge may take altogether: it only reports."""


def _github(environment: Mapping[str, str], given: str) -> "Place":
    """GitHub Actions, or those of Gitea and Forgejo, which set the same variables and one more."""
    from apiops.remote.forge import Place

    gitea = {"GITEA_ACTIONS", "FORGEJO_ACTIONS"} & environment.keys()
    pull = _PULL.match(environment.get("GITHUB_REF", ""))
    project = environment["GITHUB_REPOSITORY"]
    server, run = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_RUN_ID", "")
    return Place(
        kind="gitea" if gitea else "github",
        api=environment["GITHUB_API_URL"],
        project=project,
        number=given or (pull[1] if pull else ""),
        commit=_head(environment.get("GITHUB_EVENT_PATH", "")),
        run=f"{server}/{project}/actions/runs/{run}" if server and run else "",
    )


def _gitlab(environment: Mapping[str, str], given: str) -> "Place":
    from apiops.remote.forge import Place

    return Place(
        kind="gitlab",
        api=environment["CI_API_V4_URL"],
        project=environment["CI_PROJECT_ID"],
        number=given or environment.get("CI_MERGE_REQUEST_IID", ""),
        commit=environment.get("CI_COMMIT_SHA", ""),
        run=environment.get("CI_JOB_URL", ""),
    )


def _head(event: str) -> str:
    """The head of the pull request in the event that started the job, if there is one."""
    file = Path(event)
    if not event or not file.is_file() or file.stat().st_size > _EVENT_BYTES:
        return ""
    try:
        tree: Any = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return ""
    for key in ("pull_request", "head", "sha"):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, str) and re.fullmatch("[0-9a-f]{40,64}", tree) else ""
