"""Fetching over SSH, from a real server: who is believed, and with what key."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pygit2
import pytest

from apiops.errors import Exit, SourceError, SourceUnavailable
from apiops.git import remote
from apiops.git.login import Login
from apiops.model.secret import SecretValue
from tests.people import GitStory, person
from tests.sshserver import SshServer

AYSE = person("ayse")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path) as found:
        yield found


@pytest.fixture
def story(tmp_path: Path) -> GitStory:
    story = GitStory(tmp_path / "theirs")
    story.commit(AYSE, {"a.yaml": "1\n"})
    return story


@pytest.fixture
def login(server: SshServer) -> Login:
    return Login(ssh_key=SecretValue(server.key_file().read_bytes()), known_hosts=server.known)


def fetched(tmp_path: Path, address: str, login: Login, name: str = "ours") -> set[str]:
    remote.clone(address, tmp_path / name, login)
    return set(pygit2.Repository(str(tmp_path / name)).references)


def test_a_known_server_and_the_right_key(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    assert "refs/heads/main" in fetched(tmp_path, server.url(story.path), login)
    second = story.commit(AYSE, {"a.yaml": "2\n"})
    ours = pygit2.Repository(str(tmp_path / "ours"))
    remote.fetch(ours, "origin", login=login)
    assert second == str(ours.references["refs/heads/main"].target)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_any_kind_of_host_key(tmp_path: Path, story: GitStory, kind: str) -> None:
    with SshServer(tmp_path, kind=kind) as server:
        key = SecretValue(server.key_file().read_bytes())
        found = fetched(
            tmp_path, server.url(story.path), Login(ssh_key=key, known_hosts=server.known)
        )
    assert "refs/heads/main" in found


def test_a_key_with_a_passphrase(tmp_path: Path, server: SshServer, story: GitStory) -> None:
    key = SecretValue(server.key_file(passphrase="open sesame").read_bytes())
    right = Login(ssh_key=key, passphrase=SecretValue("open sesame"), known_hosts=server.known)
    assert "refs/heads/main" in fetched(tmp_path, server.url(story.path), right)


def locked(server: SshServer, cipher: str = "aes256-ctr") -> SecretValue:
    return SecretValue(
        server.client_key.export_private_key(passphrase="open sesame", cipher_name=cipher)
    )


@pytest.mark.parametrize("phrase", ["guess", "", None], ids=["another", "empty", "none"])
def test_a_key_that_stays_locked_is_no_matter_of_trying_again(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, phrase: str | None
) -> None:
    given = None if phrase is None else SecretValue(phrase)
    wrong = replace(login, ssh_key=locked(server), passphrase=given)
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), wrong)
    assert ("AO827", Exit.INVALID, False) == (
        fault.value.code,
        fault.value.exit_code,
        fault.value.retryable,
    )
    assert "guess" not in str(fault.value)
    assert [] == server.served


@pytest.mark.parametrize("cipher", ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com"])
def test_what_ssh_keygen_encrypts_with_is_opened(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, cipher: str
) -> None:
    key, phrase = locked(server, cipher), SecretValue("open sesame")
    right = replace(login, ssh_key=key, passphrase=phrase)
    assert "refs/heads/main" in fetched(tmp_path, server.url(story.path), right)


def test_a_cipher_that_the_library_does_not_know_is_told(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    key, phrase = locked(server, "chacha20-poly1305@openssh.com"), SecretValue("open sesame")
    with pytest.raises(SourceError, match="chacha20") as fault:
        fetched(tmp_path, server.url(story.path), replace(login, ssh_key=key, passphrase=phrase))
    assert ("AO826", True) == (fault.value.code, "ssh-keygen -p" in fault.value.hint)


def test_a_key_whose_secret_half_is_damaged_is_told(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    begin, *body, end = server.client_key.export_private_key().split(b"\n")[:-1]
    short = base64.b64encode(base64.b64decode(b"".join(body))[:-99])
    key = SecretValue(b"\n".join((begin, short, end, b"")))
    with pytest.raises(SourceError, match="damaged") as fault:
        fetched(tmp_path, server.url(story.path), replace(login, ssh_key=key))
    assert "AO826" == fault.value.code


def test_a_push_with_a_locked_key_is_told_as_such(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    fetched(tmp_path, server.url(story.path), login)
    ours = pygit2.Repository(str(tmp_path / "ours"))
    wrong = replace(login, ssh_key=locked(server), passphrase=SecretValue("guess"))
    with pytest.raises(SourceError) as fault:
        remote.push(ours, "origin", "refs/heads/main", "refs/apiops/dev", wrong)
    assert "AO827" == fault.value.code
    other = replace(login, ssh_key=SecretValue(AYSE.key.private_bytes()))
    with pytest.raises(SourceUnavailable, match="does not take"):
        remote.push(ours, "origin", "refs/heads/main", "refs/apiops/dev", other)


@pytest.mark.parametrize(
    "known",
    [
        "",
        "[127.0.0.1]:%(port)s %(other)s",
        "[127.0.0.1]:1 %(key)s",
        "elsewhere.example %(key)s",
        "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= %(key)s",
    ],
    ids=["nobody", "another key", "another port", "another host", "another hashed host"],
)
def test_whoever_is_not_known_is_not_spoken_to(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, known: str
) -> None:
    host, key = server.known.split(" ", 1)
    other = SshServer(tmp_path).known.split(" ", 1)[1]
    lines = known % {"port": server.port, "key": key, "other": other}
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, known_hosts=lines))
    assert ("AO825", True) == (fault.value.code, "127.0.0.1" in str(fault.value)), host
    assert [] == server.served


def test_without_known_hosts_nobody_is_known(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, known_hosts=None))
    assert "AO825" == fault.value.code
    before = pygit2.settings.homedir
    fetched(tmp_path, server.url(story.path), login, "other")
    assert before == pygit2.settings.homedir


def test_a_key_that_changed_meanwhile_ends_the_next_fetch(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    fetched(tmp_path, server.url(story.path), login)
    server.with_another_key()
    with pytest.raises(SourceError) as fault:
        remote.fetch(pygit2.Repository(str(tmp_path / "ours")), "origin", login=login)
    assert "AO825" == fault.value.code


def test_a_clone_that_was_cut_off_is_finished_later(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    ours = tmp_path / "ours"
    with pytest.raises(SourceError):
        fetched(tmp_path, server.url(story.path), replace(login, known_hosts=""))
    assert remote.unfinished(ours)
    assert "refs/heads/main" in fetched(tmp_path, server.url(story.path), login)
    assert not remote.unfinished(ours)
    assert "refs/heads/main" == pygit2.Repository(str(ours)).references["HEAD"].target

    (story.path / "apiops-unfinished").touch()
    assert not remote.unfinished(story.path)


@pytest.mark.parametrize("marker", ["@revoked", "@cert-authority", "  @revoked"])
def test_a_marker_that_would_not_be_heeded_is_refused(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, marker: str
) -> None:
    lines = f"{server.known}\n{marker} {server.known}"
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, known_hosts=lines))
    assert ("AO826", True) == (fault.value.code, "line 2" in str(fault.value))


@pytest.mark.parametrize(
    "line", ["garbage", "host ssh-ed25519", "host ssh-ed25519 !!!", "a b c\0d"]
)
def test_a_line_that_is_no_host_is_no_matter_of_trying_again(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, line: str
) -> None:
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, known_hosts=line))
    assert "AO826" == fault.value.code
    crlf = f"# mine\r\n\r\n{server.known}\r\n"
    assert fetched(tmp_path, server.url(story.path), replace(login, known_hosts=crlf), "good")


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
def test_an_rsa_key_never_reaches_the_library(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, form: str
) -> None:
    """libssh2 would write past its memory with it."""
    key = SecretValue(asyncssh.generate_private_key("ssh-rsa").export_private_key(form))
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, ssh_key=key))
    assert "AO826" == fault.value.code


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", b"\xff" * 99]
)
def test_what_is_no_key_is_told_as_such(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login, content: bytes
) -> None:
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, ssh_key=SecretValue(content)))
    assert "AO826" == fault.value.code


def test_an_ecdsa_key_is_taken(tmp_path: Path, story: GitStory) -> None:
    with SshServer(tmp_path) as server:
        server.use(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
        key = SecretValue(server.key_file().read_bytes())
        known = Login(ssh_key=key, known_hosts=server.known)
        assert fetched(tmp_path, server.url(story.path), known)


def test_another_persons_key_and_none_are_not_let_in(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    other = SecretValue(AYSE.key.private_bytes())
    for number, key in enumerate((other, None)):
        wrong = replace(login, ssh_key=key)
        with pytest.raises(SourceUnavailable):
            fetched(tmp_path, server.url(story.path), wrong, f"clone-{number}")
    assert [] == server.served


def test_the_key_is_only_shown_over_ssh_and_the_token_only_over_https(login: Login) -> None:
    both = replace(login, token=SecretValue("t0ken"))
    assert "t0ken" not in repr(both)
    assert "PRIVATE" not in repr(both)


def test_more_than_is_taken_ends_the_fetch(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    with pytest.raises(SourceError) as fault:
        fetched(tmp_path, server.url(story.path), replace(login, most=10))
    assert "AO810" == fault.value.code


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, story: GitStory) -> None:
    before = pygit2.settings.server_timeout
    with SshServer(tmp_path, deaf=True) as server:
        key = SecretValue(server.key_file().read_bytes())
        deaf = Login(ssh_key=key, known_hosts=server.known)
        pygit2.settings.server_timeout = 500
        try:
            with pytest.raises(SourceUnavailable):
                fetched(tmp_path, server.url(story.path), deaf)
        finally:
            pygit2.settings.server_timeout = before


def test_a_ref_is_pushed_as_well(
    tmp_path: Path, server: SshServer, story: GitStory, login: Login
) -> None:
    fetched(tmp_path, server.url(story.path), login)
    ours = pygit2.Repository(str(tmp_path / "ours"))
    assert "" == remote.push(ours, "origin", "refs/heads/main", "refs/apiops/dev", login)
    theirs = pygit2.Repository(str(story.path))
    assert theirs.references["refs/apiops/dev"].target == ours.references["refs/heads/main"].target
