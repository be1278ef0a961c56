"""What `apiops sync --interval` notices between one round and the next, without a restart."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pygit2
import pytest

from tests.cli.test_scheduled_sync import ORDERS, metrics, orders, syncing, until
from tests.cli.test_suspension import say
from tests.gitserver import GitServer
from tests.process import PATIENCE
from tests.servers import certificates
from tests.shop import MERT, Shop
from tests.sshserver import SshServer

ROUND = "next run in "
DONE = "apiops_changes_total update ApiProxy done"
FOLLOWING = ("--fetch", "origin", "--ref", "origin/main")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.begin()
    return made


def rounds_until(child: subprocess.Popen[str], word: str) -> list[str]:
    """Whole rounds, up to one that says a word; what that one said."""
    said: list[str] = []
    while not any(word in line for line in said):
        said = until(child, ROUND)
    return said


def applied(shop: Shop, child: subprocess.Popen[str], times: int) -> None:
    """Rounds up to one after which so many updates are done."""
    while metrics(shop).get(DONE, 0) < times:
        until(child, ROUND)


def stopped(child: subprocess.Popen[str]) -> int:
    child.send_signal(signal.SIGTERM)
    return child.wait(PATIENCE)


def test_a_suspension_and_its_end_are_noticed(shop: Shop) -> None:
    with syncing(shop) as child:
        until(child, ROUND)
        assert 0 == say(shop, "suspend").code
        shop.commit(MERT, {ORDERS: orders(90)})
        said = rounds_until(child, "AO617")
        assert any("incident 4711" in line for line in said), said
        rounds_until(child, "AO617")
        assert DONE not in metrics(shop)
        assert 0 == say(shop, "resume").code
        applied(shop, child, 1)
        assert 0 == stopped(child)
    assert 2 <= metrics(shop)["apiops_runs_total refused"]
    assert "No changes." in shop.run("plan").out


@dataclass(frozen=True)
class Far:
    """A shop that is followed over SSH, and the files that say how."""

    shop: Shop
    git: SshServer
    known: Path

    def change(self, timeout: int) -> None:
        self.shop.commit(MERT, {ORDERS: orders(timeout)})
        push(self.shop)

    @property
    def flags(self) -> tuple[str | Path, ...]:
        key = self.shop.folder / "client"
        return (*FOLLOWING, "--git-ssh-key", key, "--git-known-hosts", self.known)


def push(shop: Shop) -> None:
    plain = pygit2.Repository(str(shop.repository))
    plain.remotes["upstream"].push(["+refs/heads/main"])


def upstream(shop: Shop) -> Path:
    """A bare repository that the shop's commits are pushed to."""
    path = shop.folder / "served/bank.git"
    pygit2.init_repository(path, bare=True)
    plain = pygit2.Repository(str(shop.repository))
    plain.remotes.create("upstream", str(path))
    push(shop)
    return path


@pytest.fixture
def far(shop: Shop) -> Iterator[Far]:
    with SshServer(shop.folder) as git:
        git.key_file()
        known = shop.folder / "known_hosts"
        known.write_text(git.known)
        plain = pygit2.Repository(str(shop.repository))
        plain.remotes.create("origin", git.url(upstream(shop)))
        yield Far(shop, git, known)


def test_another_host_key_ends_its_round_until_it_is_known(far: Far) -> None:
    with syncing(far.shop, *far.flags) as child:
        until(child, ROUND)
        far.git.with_another_key()
        far.git.served.clear()
        far.change(90)
        rounds_until(child, "AO825")
        rounds_until(child, "AO825")
        assert ([], False) == (far.git.served, DONE in metrics(far.shop))
        far.known.write_text(far.git.known)
        applied(far.shop, child, 1)
        assert 0 == stopped(child)
    assert 2 <= metrics(far.shop)["apiops_runs_total invalid"]


def test_what_no_haste_mends_waits_the_interval_and_a_refusal_does_not(far: Far) -> None:
    far.known.write_text("")
    with syncing(far.shop, *far.flags, interval="100s") as child:
        said = until(child, ROUND)
        assert (True, 90, 110) == (any("AO825" in line for line in said), *bounds(said, 90, 110))
    far.known.write_text(far.git.known)
    far.git.use(asyncssh.generate_private_key("ssh-ed25519"))
    with syncing(far.shop, *far.flags, interval="100s") as child:
        said = until(child, ROUND)
        assert (True, 4, 6) == (any("AO812" in line for line in said), *bounds(said, 4, 6))


def bounds(said: list[str], least: int, most: int) -> tuple[int, int]:
    seconds = int(said[-1].removeprefix(ROUND).split()[0])
    return min(seconds, least), max(seconds, most)


def test_a_token_that_is_gone_ends_its_round_until_it_is_back(shop: Shop) -> None:
    tls = certificates(shop.folder / "tls")
    token = shop.folder / "token"
    token.write_text("first-git-token\n")
    path = upstream(shop)
    with GitServer(path.parent, tls, "first-git-token") as git:
        plain = pygit2.Repository(str(shop.repository))
        plain.remotes.create("origin", f"{git.url}/{path.name}")
        flags = (*FOLLOWING, "--git-token-file", token)
        with syncing(shop, *flags, SSL_CERT_FILE=str(tls.authority)) as child:
            until(child, ROUND)
            token.unlink()
            shop.commit(MERT, {ORDERS: orders(90)})
            push(shop)
            rounds_until(child, "AO907")
            token.write_text("")
            rounds_until(child, "holds no token")
            assert DONE not in metrics(shop)
            git.token = "second-git-token"
            token.write_text("second-git-token\n")
            applied(shop, child, 1)
            assert 0 == stopped(child)
    assert 2 <= metrics(shop)["apiops_runs_total usage"]


def test_a_token_that_never_was_ends_the_loop(shop: Shop) -> None:
    with syncing(shop, "--fetch", "origin", "--git-token-file", shop.folder / "none") as child:
        assert 64 == child.wait(PATIENCE)


def test_a_clone_that_failed_is_made_in_a_later_round(far: Far) -> None:
    far.known.write_text("")
    settings = far.shop.folder / "job.toml"
    settings.write_text(f'[targets.dev]\nmanager = "sqlite:///{far.shop.folder}/dev.db"\n')
    _, _, _, _, *login = far.flags
    place = (
        "-C",
        far.shop.folder / "clone",
        "--clone",
        far.git.url(far.shop.folder / "served/bank.git"),
    )
    with syncing(far.shop, *place, "--config", settings, *login) as child:
        rounds_until(child, "AO825")
        rounds_until(child, "AO825")
        far.change(90)
        far.known.write_text(far.git.known)
        applied(far.shop, child, 1)
        assert 0 == stopped(child)
