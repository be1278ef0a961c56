"""Commits that a served Manager fetches over SSH: from a server that it knows, with its own key.

Files are read anew for each fetch, so what is mended needs no restart.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from apiops.manager import embedded
from apiops.wiring import source
from tests.process import child
from tests.remoteshop import Remote, remote
from tests.serving import Child, a_token
from tests.shop import MERT, Shop, a_proxy
from tests.sshserver import SshServer
from tests.web.test_fetched import TIMEOUT, begin, submit

ORDERS = "payments/orders.yaml"


@dataclass(frozen=True)
class Followed:
    """A shop, the SSH server that it is followed on, and the files that say how."""

    shop: Remote
    git: SshServer
    key: Path
    known: Path

    def change(self, timeout: int) -> str:
        files = {ORDERS: a_proxy("orders").replace(TIMEOUT[0], f"readTimeout: {timeout}")}
        return self.shop.commit(MERT, files, f"Wait {timeout}")

    def answered(self, timeout: int) -> tuple[int, Any, Any]:
        """Status, code and whether it is worth another try, of a plan for a change."""
        status, answer = submit(self.shop, "plans", self.change(timeout))
        return status, answer.get("code"), answer.get("retryable")


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    with SshServer(tmp_path) as git:
        key, known = git.key_file(), tmp_path / "known_hosts"
        known.write_text(git.known)
        login = partial(source.login, None, key, None, known)
        address = git.url(tmp_path / "repo")
        database = f"sqlite:///{tmp_path}/m.db"
        with remote(tmp_path, database, fetch_from=address, login=login) as shop:
            yield Followed(shop, git, key, known)


def test_a_commit_comes_over_ssh_by_its_name_alone(followed: Followed) -> None:
    begin(followed.shop)
    head = followed.change(90)
    status, planned = submit(followed.shop, "plans", head)
    assert (200, 2) == (status, len(planned["view"]["plan"]["changes"])), planned
    status, carried = submit(followed.shop, "runs", head)
    assert 200 == status, carried
    assert [] == submit(followed.shop, "plans", head)[1]["view"]["plan"]["changes"]
    assert {"git-upload-pack"} == {told.split()[0] for told in followed.git.served}


def test_a_git_server_with_another_key_is_not_asked(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    begin(followed.shop)
    followed.git.with_another_key()
    followed.git.served.clear()
    with caplog.at_level(logging.ERROR, "apiops.web"):
        assert (502, "AO828", False) == followed.answered(90)
    assert '"event":"fetch","result":"failed","code":"AO825"' in caplog.text
    assert [] == followed.git.served

    followed.known.write_text(followed.git.known)
    assert 200 == followed.answered(91)[0]


def test_a_commit_that_is_there_already_needs_no_git_server(followed: Followed) -> None:
    begin(followed.shop)
    followed.git.with_another_key()
    assert 200 == submit(followed.shop, "plans", followed.shop.first)[0]


def test_a_key_that_is_not_let_in_is_tried_again(followed: Followed) -> None:
    begin(followed.shop)
    followed.git.use(asyncssh.generate_private_key("ssh-ed25519"))
    followed.git.served.clear()
    assert (503, "AO812", True) == followed.answered(90)
    assert [] == followed.git.served

    followed.git.key_file()
    assert 200 == followed.answered(91)[0]


def test_what_is_wrong_on_the_server_is_told_in_its_log_alone(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    begin(followed.shop)
    right = followed.key.read_bytes()
    locked = followed.git.client_key.export_private_key(passphrase="open sesame")
    for number, (content, code) in enumerate(((None, "AO907"), (b"x", "AO826"), (locked, "AO827"))):
        followed.key.unlink() if content is None else followed.key.write_bytes(content)
        caplog.clear()
        status, answer = submit(followed.shop, "plans", followed.change(70 + number))
        assert (502, "AO828", True) == (status, answer["code"], code in answer["detail"]), answer
        assert f'"code":"{code}"' in caplog.text
        for value in (str(followed.key), str(followed.git.port), "passphrase"):
            assert value not in str(answer)
    followed.key.write_bytes(right)
    assert 200 == followed.answered(90)[0]


def test_a_clone_that_failed_in_the_beginning_is_made_later(followed: Followed) -> None:
    right = followed.known.read_text()
    followed.known.write_text("")
    assert (502, "AO828") == followed.answered(90)[:2]
    followed.known.write_text(right)
    begin(followed.shop)
    assert 200 == followed.answered(91)[0]


def served(shop: Shop, git: SshServer, *more: str | Path) -> tuple[str | Path, ...]:
    return (
        *("manager", "serve", "-t", "dev", "--listen", "127.0.0.1:0"),
        *("--fetch-from", git.url(shop.repository), *more),
    )


def test_the_command_takes_the_key_and_the_known_hosts(tmp_path: Path) -> None:
    shop = Remote(tmp_path, f"sqlite:///{tmp_path}/dev.db")
    shop.variables["APIOPS_KEY_FILE"] = str(tmp_path / "kek")
    shop.begin()
    with embedded.open_manager(shop.database, key_file=tmp_path / "kek") as manager:
        shop.token = a_token(manager, "ayse", "plan", "apply")
    with SshServer(tmp_path) as git:
        known = tmp_path / "known_hosts"
        known.write_text(git.known)
        key = git.key_file(passphrase="open sesame")
        phrase = tmp_path / "phrase"
        phrase.write_text("open sesame\n")
        files = ("--git-ssh-key", key, "--git-known-hosts", known)
        words = served(shop, git, *files, "--git-ssh-passphrase-file", phrase)
        with Child(*words, cwd=shop.repository, **shop.variables) as server:
            shop.url = server.url
            head = shop.commit(MERT, {ORDERS: a_proxy("orders").replace(*TIMEOUT)})
            status, planned = submit(shop, "plans", head)
            assert (200, 2) == (status, len(planned["view"]["plan"]["changes"])), planned
            git.with_another_key()
            next_head = shop.commit(MERT, {ORDERS: a_proxy("orders")})
            assert 502 == submit(shop, "plans", next_head)[0]
        failed = [line for line in server.lines if line["event"] == "fetch"]
    assert ["AO825"] == [line["code"] for line in failed]
    assert "open sesame" not in server.log


def test_files_that_cannot_be_used_are_found_at_the_start(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin()
    with SshServer(tmp_path) as git:
        key = git.key_file(passphrase="open sesame")
        bad = tmp_path / "known_hosts"
        bad.write_text(f"@revoked {git.known}")
        for more, code, exit in (
            (("--git-ssh-key", tmp_path / "none"), "AO907", 64),
            (("--git-ssh-key", key), "AO827", 3),
            (("--git-known-hosts", bad), "AO826", 3),
        ):
            done = child(*served(shop, git, *more), cwd=shop.repository)
            assert (exit, True) == (done.code, code in done.err), done.err
