"""Fetch from a remote: local paths, file://, https and ssh, without ever asking for a password."""

import re
from collections.abc import Iterable
from typing import Final

import pygit2

from apiops.git import faults

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ALLOWED: Final = frozenset({"file", "https", "ssh"})
_USER: Final = re.compile(r"//[^/@\s]*@")
_CONNECT_MILLISECONDS: Final = 15_000
_ANSWER_MILLISECONDS: Final = 120_000

pygit2.settings.server_connect_timeout = _CONNECT_MILLISECONDS
pygit2.settings.server_timeout = _ANSWER_MILLISECONDS


def fetch(repository: pygit2.Repository, name: str, refs: Iterable[str] = ()) -> None:
    """Update the remote branches of remote `name`, as its refspecs say.

    `refs` are fetched beside them under their own full names, as far as the remote has them.

    Raises SourceError (AO813: no such remote, or a transport that authenticates nobody) and
    SourceUnavailable (AO812), which is worth a retry.
    """
    names = [remote.name for remote in repository.remotes if remote.name]
    if name not in names:
        raise faults.no_remote(name, names)
    remote = repository.remotes[name]
    scheme = _SCHEME.match(remote.url or "")
    if scheme and scheme[1].lower() not in _ALLOWED:
        raise faults.refused_transport(name)
    wanted = [f"+{ref}:{ref}" for ref in refs]
    try:
        remote.fetch()
        if wanted:
            remote.fetch(wanted)
    except pygit2.AuthError:
        detail = "it asks for credentials and apiops has none to give"
        raise faults.unreachable(name, detail) from None
    except (pygit2.GitError, OSError, ValueError) as fault:
        # The chain is cut and the user part blanked: an address may hold a password.
        raise faults.unreachable(name, _USER.sub("//", str(fault))) from None
