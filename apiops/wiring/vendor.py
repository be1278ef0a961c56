"""The way to a vendor's Manager: its URL, TLS, and the token, which comes from outside."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from apiops.errors import ApiopsError, UsageError
from apiops.model.secret import SecretValue
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.remote.vendor.api import Api

VARIABLE: Final = "APIOPS_TOKEN"
LONGEST: Final = 8192
"""A token file that is longer holds something else."""


@contextmanager
def api(target: TargetSettings) -> Iterator["Api"]:
    """The Management API of a target. Raises UsageError AO740, AO741, AO908."""
    from apiops.remote import client
    from apiops.remote.vendor.api import Api
    from apiops.remote.vendor.pace import Pace

    reach = client.Reach(
        url=target.manager,
        ca_file=target.ca_file,
        client_cert=target.client_cert,
        client_key=target.client_key,
        proxy=target.proxy,
        deadline=target.deadline,
        pool=target.parallel,
    )
    held = token(target)
    with client.Client(reach, lambda: held) as connected:
        yield Api(connected, Pace(target.parallel, ends=connected.ends))


def still(target: TargetSettings, asked: Sequence[Sequence[Any]], told: str) -> bool:
    """Whether a Manager answers the same questions as before, by the digest of its answers.

    False where it does not answer or may not be asked: the long way says why.
    """
    from apiops.remote.vendor import shown

    questions = [(where, tuple((name, value) for name, value in query)) for where, query in asked]
    try:
        with api(target) as reached:
            now = shown.again(reached, questions)
    except ApiopsError:
        return False
    return now is not None and now.digest == told


def token(target: TargetSettings) -> SecretValue:
    """The token: of the variable, or of the file. Raises UsageError AO908."""
    if os.environ.get(VARIABLE):
        return SecretValue(os.environ[VARIABLE].strip())
    if target.token_file is not None:
        return SecretValue(_read(target.token_file))
    raise UsageError(
        f"target {target.name} has no token for {target.manager}",
        code="AO908",
        hint=f'set {VARIABLE}, or write token-file = "FILE" into [targets.{target.name}]',
    )


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise UsageError(
            f"the token file {path} cannot be read: {fault.strerror}",
            code="AO908",
            hint="check `token-file` of the target",
        ) from None
    if not content.strip() or len(content) > LONGEST:
        raise UsageError(
            f"the token file {path} holds no token",
            code="AO908",
            hint="it must hold the token and nothing else",
        )
    return content.strip()
