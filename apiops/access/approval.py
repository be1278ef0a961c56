"""Approvals: a line in a commit message by which somebody takes a resource's content upon them.

    apiops-approve: ApiProxy/payments/orders

The last paragraph of the message must consist of such `key: value` lines, as `git interpret-
trailers` writes it. Whether the word counts depends on who signed the commit; that is not
decided here.
"""

import re
from typing import Final

KEY: Final = "apiops-approve"

_LINE: Final = re.compile(r"([A-Za-z0-9-]+): *(.*)")


def named(message: str) -> frozenset[str]:
    """The identities that a message approves, as `str(ResourceId)` writes them."""
    last = message.strip().replace("\r\n", "\n").rpartition("\n\n")[2]
    lines = [_LINE.fullmatch(line.rstrip()) for line in last.splitlines()]
    if not all(lines):
        return frozenset()
    return frozenset(line[2] for line in lines if line and line[1].lower() == KEY)
