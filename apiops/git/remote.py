"""Fetch from a remote and push to it: local paths, file://, https and ssh, no password asked for.

A token is given to a server that asks for one over https, and only to the host of the remote's
own address. Hosts are proved by the system's authorities, or by `known_hosts`, as libgit2 does.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pygit2
from pygit2.enums import CredentialType

from apiops.git import faults
from apiops.model.secret import SecretValue

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ALLOWED: Final = frozenset({"file", "https", "ssh"})
_USER: Final = re.compile(r"//[^/@\s]*@")
_CONNECT_MILLISECONDS: Final = 15_000
_ANSWER_MILLISECONDS: Final = 120_000

pygit2.settings.server_connect_timeout = _CONNECT_MILLISECONDS
pygit2.settings.server_timeout = _ANSWER_MILLISECONDS


class _Answers(pygit2.RemoteCallbacks):
    """What libgit2 is told when a server asks who we are: the token, once, or nothing."""

    def __init__(self, address: str, token: SecretValue | None) -> None:
        super().__init__()
        self._host = urlsplit(address).netloc.rpartition("@")[2]
        self._token = token
        self._asked = False

    def credentials(
        self,
        url: str,
        username_from_url: str | None,
        allowed_types: CredentialType,
    ) -> pygit2.UserPass:
        """The token as a password, for the remote's own host over https."""
        asker = urlsplit(url)
        known = asker.scheme == "https" and asker.netloc.rpartition("@")[2] == self._host
        takes = allowed_types & CredentialType.USERPASS_PLAINTEXT
        if self._token is None or self._asked or not (known and takes):
            raise pygit2.AuthError("no credentials")
        self._asked = True
        return pygit2.UserPass(username_from_url or _NAME, self._token.reveal().decode())


_TAGS: Final = "refs/tags/*:refs/tags/*"
"""Every tag, new ones of old commits too: somebody may have approved in one. None is moved."""

_NAME: Final = "apiops"
"""A user for forges that look at the token alone, which is all of them."""


def clone(address: str, path: Path, token: SecretValue | None = None) -> None:
    """Make a bare repository at `path` that follows `origin` at `address`, and fetch it.

    Its own branches follow as well, so that HEAD is what it is over there. Raises SourceError
    AO813, SourceUnavailable AO812.
    """
    _allow("origin", address)
    try:
        made = pygit2.init_repository(path, bare=True)
        made.remotes.create("origin", address)
        made.remotes.add_fetch("origin", "+refs/heads/*:refs/heads/*")
    except (pygit2.GitError, OSError, ValueError) as fault:
        raise faults.not_writable(_USER.sub("//", str(fault))) from None
    fetch(made, "origin", token=token)
    with _translated("origin", token):
        heads = made.remotes["origin"].list_heads(callbacks=_Answers(address, token))
        names = (head.symref_target for head in heads if head.name == "HEAD")
        made.set_head(next(filter(None, names), "refs/heads/main"))


def fetch(
    repository: pygit2.Repository,
    name: str,
    refs: Iterable[str] = (),
    token: SecretValue | None = None,
) -> None:
    """Update the remote branches of remote `name`, as its refspecs say.

    `refs` are fetched beside them under their own full names, as far as the remote has them.

    Raises SourceError (AO813: no such remote, or a transport that authenticates nobody) and
    SourceUnavailable (AO812), which is worth a retry.
    """
    remote, address = _remote(repository, name)
    wanted = [_TAGS, *(f"+{ref}:{ref}" for ref in refs)]
    with _translated(name, token):
        remote.fetch(callbacks=_Answers(address, token))
        remote.fetch(wanted, callbacks=_Answers(address, token))


def names(repository: pygit2.Repository, name: str, token: SecretValue | None) -> frozenset[str]:
    """The refs that a remote has. Raises SourceError AO813, SourceUnavailable AO812."""
    remote, address = _remote(repository, name)
    with _translated(name, token):
        heads = remote.list_heads(callbacks=_Answers(address, token))
        return frozenset(head.name for head in heads if head.name)


def push(
    repository: pygit2.Repository, name: str, ref: str, to: str, token: SecretValue | None
) -> str:
    """Push a ref to another name on a remote; gives the remote's refusal (empty: it took it).

    Raises SourceError AO813, and libgit2's own: what they mean depends on what is pushed.
    """
    remote, address = _remote(repository, name)
    said = _Refusals(address, token)
    remote.push([f"{ref}:{to}"], said)
    return said.refusal


def _remote(repository: pygit2.Repository, name: str) -> tuple[pygit2.Remote, str]:
    names = [remote.name for remote in repository.remotes if remote.name]
    if name not in names:
        raise faults.no_remote(name, names)
    remote = repository.remotes[name]
    address = remote.url or ""
    _allow(name, address)
    return remote, address


class _Refusals(_Answers):
    """What the remote says of the ref that is pushed."""

    refusal = ""

    def push_update_reference(self, _refname: str, message: str | None) -> None:
        """Called with a message when the remote refused."""
        self.refusal = message or ""


@contextmanager
def _translated(name: str, token: SecretValue | None) -> Iterator[None]:
    """The chain of a fault is cut and its user part blanked: an address may hold a password."""
    try:
        yield
    except pygit2.AuthError:
        raise faults.unreachable(name, _unknown(token)) from None
    except (pygit2.GitError, OSError, ValueError) as fault:
        raise faults.unreachable(name, _USER.sub("//", str(fault))) from None


def _unknown(token: SecretValue | None) -> str:
    if token is None:
        return "it asks for credentials and apiops has none to give"
    return "it does not take the token"


def _allow(name: str, address: str) -> None:
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in _ALLOWED:
        raise faults.refused_transport(name)
