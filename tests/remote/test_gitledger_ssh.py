"""A ledger in a Git ref over SSH: fetched and pushed with a named key, to a server that is known.

Nothing is sent to the Manager before the ledger is held.
"""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pygit2
import pytest

from apiops.errors import Conflict, SourceError
from apiops.git import ledgerref
from apiops.git.ledgerref import Access
from apiops.git.login import Login
from apiops.model.secret import SecretValue
from apiops.wiring import gitledger
from tests.people import signing_key
from tests.remote.test_gitledger import REF, GitShop, a_change
from tests.shop import run
from tests.sshserver import SshServer


@pytest.fixture
def git(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as server:
        yield server


@pytest.fixture
def bank(tmp_path: Path, git: SshServer) -> Iterator[GitShop]:
    with GitShop(tmp_path) as shop:
        pygit2.Repository(str(shop.repository)).remotes.set_url("origin", git.url(shop.bare))
        (tmp_path / "known_hosts").write_text(git.known)
        shop.variables |= {
            "APIOPS_GIT_SSH_KEY": str(git.key_file()),
            "APIOPS_GIT_KNOWN_HOSTS": str(tmp_path / "known_hosts"),
        }
        shop.begin()
        shop.world.requests.clear()
        git.served.clear()
        yield shop


def changes_sent(bank: GitShop) -> list[str]:
    return [method for method, _ in bank.world.requests if method != "GET"]


def test_what_one_runner_writes_another_reads(bank: GitShop, git: SshServer) -> None:
    other = bank.another_runner()
    a_change(bank)
    assert 0 == bank.run("apply", "--yes").code
    assert bank.ledger()[0].startswith("Give back the lease")
    assert {"git-upload-pack", "git-receive-pack"} == {told.split()[0] for told in git.served}

    assert 0 == run("audit", "verify", cwd=other, **bank.variables).code
    here, there = (pygit2.Repository(str(path)).references[REF] for path in (other, bank.bare))
    assert here.target == there.target


def test_a_server_with_another_key_gets_nothing(bank: GitShop, git: SshServer) -> None:
    a_change(bank)
    git.with_another_key()
    for command in (("plan",), ("apply", "--yes"), ("audit", "list")):
        done = bank.run(*command)
        assert (3, True) == (done.code, "AO825" in done.err), done.err
    assert ([], []) == (git.served, changes_sent(bank))

    (bank.folder / "known_hosts").write_text(git.known)
    assert 0 == bank.run("apply", "--yes").code


def test_a_key_that_is_not_let_in_is_tried_again(bank: GitShop, git: SshServer) -> None:
    a_change(bank)
    git.use(asyncssh.generate_private_key("ssh-ed25519"))
    done = bank.run("apply", "--yes")
    assert (7, True) == (done.code, "AO812" in done.err), done.err
    assert ([], []) == (git.served, changes_sent(bank))

    git.key_file()
    assert 0 == bank.run("apply", "--yes").code


def test_a_locked_key_and_none_are_told_apart(bank: GitShop, git: SshServer) -> None:
    git.key_file(passphrase="open sesame")
    done = bank.run("plan")
    assert (3, True) == (done.code, "AO827" in done.err), done.err
    phrase = bank.folder / "phrase"
    phrase.write_text("open sesame\n")
    bank.variables["APIOPS_GIT_SSH_PASSPHRASE_FILE"] = str(phrase)
    assert 0 == bank.run("plan").code

    del bank.variables["APIOPS_GIT_SSH_KEY"]
    done = bank.run("plan")
    assert (7, True) == (done.code, "none to give" in done.err), done.err


def test_a_key_that_changes_in_the_middle_ends_the_run_before_its_wave(
    bank: GitShop, git: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is held, and the server that the wave is told to is another one."""
    a_change(bank)
    keep = gitledger.Sealed.keep

    def kept(sealed: gitledger.Sealed, content: bytes, message: str) -> None:
        if message.startswith("Intend"):
            git.with_another_key()
        keep(sealed, content, message)

    # no other moment lies between the lease and the first wave
    monkeypatch.setattr(gitledger.Sealed, "keep", kept)
    done = bank.run("apply", "--yes")
    assert (3, True, []) == (done.code, "AO825" in done.err, changes_sent(bank)), done.err
    monkeypatch.undo()

    (bank.folder / "known_hosts").write_text(git.known)
    again = bank.run("plan", "-o", "json")
    assert 0 < len(again.json["plan"]["changes"]), again.err


def test_of_two_who_began_from_the_same_state_one_is_refused(bank: GitShop, git: SshServer) -> None:
    key = signing_key("runner")
    login = Login(ssh_key=SecretValue(git.key_file().read_bytes()), known_hosts=git.known)
    access = Access("origin", login, key, frozenset({key.fingerprint}))
    path = bank.repository
    first, second = (ledgerref.open(path, "refs/apiops/test", access) for _ in range(2))
    first.keep({"a": b"one"}, "first")
    with pytest.raises(Conflict, match="has moved"):
        second.keep({"a": b"two"}, "second")
    second.refresh()
    assert {"a": b"one"} == second.files()

    third = ledgerref.open(path, "refs/apiops/test", access)
    git.with_another_key()
    with pytest.raises(SourceError) as fault:
        third.keep({"a": b"three"}, "third")
    assert "AO825" == fault.value.code
    assert {"a": b"one"} == third.files()
