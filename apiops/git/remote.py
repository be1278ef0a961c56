"""Fetch from a remote and push to it: local paths, file://, https and ssh, no password asked for.

A server is shown what `login` holds, and only the host of the remote's own address is. Hosts are
proved by the system's authorities, or by a `known_hosts` file. Each wait, the bytes and
the whole time have a limit.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pygit2

from apiops.errors import SourceError
from apiops.git import deadline, faults, sshfiles
from apiops.git.login import NOBODY, Answers, Login

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ALLOWED: Final = frozenset({"file", "https", "ssh"})
_NOT_FORWARD: Final = re.compile(r"fastforward|non-fast|not present locally")
_UNREAD_KEY: Final = "Unable to extract public key from private key"
"""So says libssh2 of a key that it cannot open, whatever the reason."""

_USER: Final = re.compile(r"//[^/@\s]*@")
_CONNECT_MILLISECONDS: Final = 15_000
_ANSWER_MILLISECONDS: Final = 120_000

pygit2.settings.server_connect_timeout = _CONNECT_MILLISECONDS
pygit2.settings.server_timeout = _ANSWER_MILLISECONDS


_UNFINISHED: Final = "apiops-unfinished"
"""A file in a clone until all of it is there: a job may be killed, or its server be unknown."""

_TAGS: Final = "refs/tags/*:refs/tags/*"
"""Every tag, new ones of old commits too: somebody may have approved in one. None is moved."""


def clone(address: str, path: Path, login: Login = NOBODY) -> None:
    """Make a bare repository at `path` that follows `origin` at `address`, and fetch it.

    Its own branches follow as well, so that HEAD is what it is over there. One that was left
    unfinished begins anew, with what it has. Raises SourceError AO813, SourceUnavailable AO812.
    """
    _allow("origin", address)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / _UNFINISHED).touch()
        made = pygit2.init_repository(path, bare=True)
        if "origin" in made.remotes.names():
            made.remotes.delete("origin")
        made.remotes.create("origin", address)
        made.remotes.add_fetch("origin", "+refs/heads/*:refs/heads/*")
    except (pygit2.GitError, OSError, ValueError) as fault:
        raise faults.not_writable(_USER.sub("//", str(fault))) from None
    fetch(made, "origin", login=login)
    with _translated("origin", address, login):
        heads = made.remotes["origin"].list_heads(callbacks=Answers(address, login))
        names = (head.symref_target for head in heads if head.name == "HEAD")
        made.set_head(next(filter(None, names), "refs/heads/main"))
        (path / _UNFINISHED).unlink()


def unfinished(path: Path) -> bool:
    """Whether a clone was begun there and did not come to its end.

    In a work tree a file of that name is somebody's own.
    """
    return (path / _UNFINISHED).is_file() and not (path / ".git").exists()


def fetch(
    repository: pygit2.Repository,
    name: str,
    refs: Iterable[str] = (),
    login: Login = NOBODY,
) -> None:
    """Update the remote branches of remote `name`, as its refspecs say.

    `refs` are fetched beside them under their own full names, as far as the remote has them.

    Raises SourceError (AO813: no such remote, or a transport that authenticates nobody) and
    SourceUnavailable (AO812), which is worth a retry.
    """
    remote, address = _remote(repository, name)
    wanted = [_TAGS, *(f"+{ref}:{ref}" for ref in refs)]
    with _translated(name, address, login):
        remote.fetch(callbacks=Answers(address, login))
        remote.fetch(wanted, callbacks=Answers(address, login))


def refs(repository: pygit2.Repository, name: str, login: Login) -> dict[str, str]:
    """The refs that a remote has, and what they are at.

    Raises SourceError AO813, SourceUnavailable AO812.
    """
    remote, address = _remote(repository, name)
    with _translated(name, address, login):
        heads = remote.list_heads(callbacks=Answers(address, login))
        return {head.name: str(head.oid) for head in heads if head.name}


def push(repository: pygit2.Repository, name: str, ref: str, to: str, login: Login) -> str:
    """Push a ref to another name on a remote; gives the refusal (empty: the remote took it).

    What is no fast-forward is refused here already. Raises SourceError AO813 and kin,
    SourceUnavailable AO812.
    """
    remote, address = _remote(repository, name)
    said = _Refusals(address, login)
    with _translated(name, address, login):
        try:
            remote.push([f"{ref}:{to}"], said)
        except pygit2.GitError as fault:
            if not _NOT_FORWARD.search(str(fault)):
                raise
            return str(fault)
    return said.refusal


def _remote(repository: pygit2.Repository, name: str) -> tuple[pygit2.Remote, str]:
    names = [remote.name for remote in repository.remotes if remote.name]
    if name not in names:
        raise faults.no_remote(name, names)
    remote = repository.remotes[name]
    address = remote.url or ""
    _allow(name, address)
    return remote, address


class _Refusals(Answers):
    """What the remote says of the ref that is pushed."""

    refusal = ""

    def push_update_reference(self, _refname: str, message: str | None) -> None:
        """Called with a message when the remote refused."""
        self.refusal = message or ""


@contextmanager
def _translated(name: str, address: str, login: Login) -> Iterator[None]:
    """The chain of a fault is cut and its user part blanked: an address may hold a password."""
    late = False
    try:
        with login.pinned(address), deadline.limited(address, login.longest) as limit:
            try:
                yield
            finally:
                late = limit.over
    except pygit2.AuthError:
        raise faults.unreachable(name, login.refused) from None
    except (pygit2.GitError, OSError, ValueError) as fault:
        if late:
            raise faults.too_late(name, login.longest) from None
        raise _meant(name, str(fault), login) from None


def _meant(name: str, said: str, login: Login) -> SourceError:
    if _UNREAD_KEY in said and login.ssh_key is not None:
        return sshfiles.unopened(login.ssh_key)
    return faults.unreachable(name, _USER.sub("//", said))


def _allow(name: str, address: str) -> None:
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in _ALLOWED:
        raise faults.refused_transport(name)
