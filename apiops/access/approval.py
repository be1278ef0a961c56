"""Approvals: a line in a message by which somebody takes something upon them.

    apiops-approve: ApiProxy/payments/orders      a resource's content, as it stands
    apiops-approve-plan: 4f1c9e2a…                a plan, by all 64 digits of its digest

The last paragraph of the message must consist of such `key: value` lines, as `git interpret-
trailers` writes it. Whether the word counts depends on who signed the commit or tag; that is not
decided here, but whether a commit is their own: a cherry-pick or a rebase takes over the messages
of others, and keeps who wrote them as the author.
"""

import re
from typing import Final

from apiops.model.revision import Commit

KEY: Final = "apiops-approve"
PLAN: Final = "apiops-approve-plan"

_ADDRESS: Final = re.compile(r".*<([^<>]*)>\s*")
_LINE: Final = re.compile(r"([A-Za-z0-9-]+): *(.*)")


def named(message: str, key: str = KEY) -> frozenset[str]:
    """What a message approves: identities, as `str(ResourceId)` writes them, or digests."""
    last = message.strip().replace("\r\n", "\n").rpartition("\n\n")[2]
    lines = [_LINE.fullmatch(line.rstrip()) for line in last.splitlines()]
    if not all(lines):
        return frozenset()
    return frozenset(line[2] for line in lines if line and line[1].lower() == key)


def own(commit: Commit) -> bool:
    """Whether whoever committed it is also named as its author, by their address."""
    author, committer = (_ADDRESS.fullmatch(who) for who in (commit.author, commit.committer))
    if author is None or committer is None:
        return False
    return author[1].strip().casefold() == committer[1].strip().casefold()
