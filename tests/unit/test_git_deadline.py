"""A Git server that sends a byte now and then, for ever: the whole time has a limit."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from apiops.errors import SourceUnavailable
from apiops.git import deadline, remote
from apiops.git.login import Login
from apiops.model.secret import SecretValue
from tests.people import GitStory, person
from tests.sshserver import SshServer

LIMIT = 0.6
ENOUGH = 20
"""Seconds after which a fetch is taken for one that nothing ended."""

BEGINNINGS = {
    "ssh": b"",  # lines before the version, which RFC 4253 allows
    "https": b"\x16\x03\x03\x40\x00",  # a record of 16 KiB
}


@contextmanager
def dribbling(begin: bytes) -> Iterator[int]:
    """The port of a server that says something, and then a letter now and then."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        while not over.is_set():
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                said = begin
                try:
                    while not over.wait(0.02):
                        peer.sendall(said or b"x\r\n")
                        said = b""
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def given_up(address: str, folder: Path, login: Login) -> str:
    """What is said of a fetch that ends in time."""
    began = time.monotonic()
    with pytest.raises(SourceUnavailable) as fault:
        remote.clone(address, folder, replace(login, longest=LIMIT))
    assert LIMIT <= time.monotonic() - began < ENOUGH
    assert "AO812" == fault.value.code
    return fault.value.message


@pytest.mark.parametrize("scheme", BEGINNINGS)
def test_a_handshake_without_an_end_is_ended(tmp_path: Path, scheme: str) -> None:
    with dribbling(BEGINNINGS[scheme]) as port:
        address = f"{scheme}://git@127.0.0.1:{port}/bank.git"
        assert "not done after 1 s" in given_up(address, tmp_path / "ours", Login())


def test_a_list_of_branches_without_an_end_is_ended(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "theirs")
    story.commit(person("ayse"), {"a.yaml": "1\n"})
    with SshServer(tmp_path, slow=True) as server:
        key = SecretValue(server.key_file().read_bytes())
        login = Login(ssh_key=key, known_hosts=server.known)
        assert "not done" in given_up(server.url(story.path), tmp_path / "ours", login)
        assert 1 == len(server.served)

        server.slow = False
        remote.clone(server.url(story.path), tmp_path / "ours", login)


def pair(listening: socket.socket) -> tuple[socket.socket, socket.socket]:
    ours = socket.create_connection(listening.getsockname())
    return ours, listening.accept()[0]


def test_nothing_but_what_was_connected_there_since_is_shut() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as git,
        socket.create_server(("127.0.0.1", 0)) as database,
    ):
        port = git.getsockname()[1]
        older, older_peer = pair(git)
        with deadline.limited(f"ssh://git@127.0.0.1:{port}/x", 0.1) as limit:
            other, other_peer = pair(database)
            ours, ours_peer = pair(git)
            assert b"" == ours.recv(1)  # it waits until it is shut
            assert limit.over
            late, late_peer = pair(git)
            assert b"" == late.recv(1), "and so is what comes later"
        for one, peer in ((older, older_peer), (other, other_peer)):
            one.sendall(b"x")
            assert b"x" == peer.recv(1)
        for one in (older, older_peer, other, other_peer, ours, ours_peer, late, late_peer):
            one.close()


def test_what_ends_in_time_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as git:
        port = git.getsockname()[1]
        with deadline.limited(f"https://127.0.0.1:{port}/x", 60) as limit:
            ours, peer = pair(git)
        ours.sendall(b"x")
        assert (b"x", False) == (peer.recv(1), limit.over)
        ours.close()
        peer.close()


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("ssh://git@git.bank.example/x", 22),
        ("ssh://git@git.bank.example:2222/x", 2222),
        ("git@git.bank.example:x.git", 22),
        ("https://git.bank.example/x", 443),
        ("https://robot:pw@[2001:db8::1]:8443/x", 8443),
        ("file:///srv/x", 0),
        ("/srv/x", 0),
    ],
)
def test_every_address_that_goes_over_a_network_has_a_port(address: str, port: int) -> None:
    assert port == deadline.port_of(address)
