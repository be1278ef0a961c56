"""Who we are to a Git server, and by what we know that it is the right one.

Nothing of the user's own is taken silently: no agent, no key from their home, no password. An SSH
server is proved by a key in a `known_hosts` file, and there is no trust on first use: an unknown
key ends the fetch, and so does one that has changed.
"""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pygit2
from pygit2.enums import CredentialType
from pygit2.remotes import TransferProgress

from apiops.git import faults, sshfiles
from apiops.model.secret import SecretValue

MOST: Final = 4 * 1024**3
"""Bytes of objects that one fetch takes."""

LONGEST: Final = 600.0
"""Seconds that one conversation with a Git server takes."""

_NAME: Final = "apiops"
"""A user for forges that look at the token alone, which is all of them."""

_SSH_NAME: Final = "git"
_SCP: Final = re.compile(r"(?:[^/@\s]+@)?[^/:\s]+:(?!//)")
_pinning: Final = threading.RLock()

Credential = pygit2.UserPass | pygit2.Username | pygit2.KeypairFromMemory


@dataclass(frozen=True, slots=True)
class Login:
    """A token for https; a private key (in OpenSSH's form) with its passphrase, for ssh.

    `known_hosts` are the lines of such a file: servers that count, by host and key (None: no server
    does). `most` are the bytes that are taken of one fetch, `longest` are the seconds.
    """

    token: SecretValue | None = field(default=None, repr=False)
    ssh_key: SecretValue | None = field(default=None, repr=False)
    passphrase: SecretValue | None = field(default=None, repr=False)
    known_hosts: str | None = None
    most: int = MOST
    longest: float = LONGEST

    @property
    def refused(self) -> str:
        """What it means when a server lets us in with none of it."""
        if self.token is None and self.ssh_key is None:
            return "it asks for credentials and apiops has none to give"
        return "it does not take the token or key"

    @contextmanager
    def pinned(self, address: str) -> Iterator[None]:
        """While open, libgit2 knows the SSH servers of `known_hosts` and no others.

        It looks for the file in the home folder, which is a setting of the process, so one fetch
        over ssh goes at a time. Raises SourceError: AO826 for a key or for lines that are not what
        they should be, AO827 for a key that is locked.
        """
        if not over_ssh(address):
            yield
            return
        sshfiles.check_key(self.ssh_key, self.passphrase)
        lines = sshfiles.checked_hosts(self.known_hosts or "")
        with _pinning, tempfile.TemporaryDirectory(prefix="apiops-home-") as home:
            before = pygit2.settings.homedir
            file = Path(home, ".ssh", "known_hosts")
            file.parent.mkdir(mode=0o700)
            file.write_text(lines, encoding="utf-8")
            pygit2.settings.homedir = home
            try:
                yield
            finally:
                pygit2.settings.homedir = before or ""


def over_ssh(address: str) -> bool:
    """Whether an address is reached over ssh: by its scheme, or as `user@host:path`."""
    return urlsplit(address).scheme == "ssh" or bool(_SCP.match(address))


NOBODY: Final = Login()


class Answers(pygit2.RemoteCallbacks):
    """What libgit2 is told when a server shows who it is, and asks who we are."""

    def __init__(self, address: str, login: Login) -> None:
        super().__init__(certificate_check=self._proved)
        self._address = urlsplit(address)
        self._ssh = over_ssh(address)
        self._login = login
        self._asked = False

    def transfer_progress(self, stats: TransferProgress) -> None:
        """Called while objects come. Raises SourceError AO810 for more than are taken."""
        if stats.received_bytes > self._login.most:
            raise faults.too_large("What the remote sends", f"{self._login.most:,} bytes")

    def _proved(self, _certificate: None, valid: bool, host: bytes) -> bool:
        """Whether to go on. Raises SourceError AO825 for an SSH server that is not known.

        Without this pygit2 lets every SSH server pass, whatever its key.
        """
        if not valid and self._ssh:
            raise faults.unknown_host(host.decode(errors="replace"))
        return valid

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> Credential:
        """The token or the key, once, and only to the remote's own host."""
        login = self._login
        if allowed_types & CredentialType.USERNAME and self._ssh:
            return pygit2.Username(username_from_url or _SSH_NAME)
        if self._asked:
            raise pygit2.AuthError("no credentials")
        self._asked = True
        if self._ssh and login.ssh_key is not None and allowed_types & CredentialType.SSH_KEY:
            words = (login.ssh_key, login.passphrase or SecretValue(b""))
            key, passphrase = (word.reveal().decode(errors="replace") for word in words)
            return pygit2.KeypairFromMemory(username_from_url or _SSH_NAME, "", key, passphrase)
        asker, own = urlsplit(url), self._address
        known = asker.scheme == "https" and _host(asker.netloc) == _host(own.netloc)
        takes = allowed_types & CredentialType.USERPASS_PLAINTEXT
        if login.token is None or not (known and takes):
            raise pygit2.AuthError("no credentials")
        return pygit2.UserPass(username_from_url or _NAME, login.token.reveal().decode())


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2]
