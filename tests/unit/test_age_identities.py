"""Where identities are looked for, and what is said when they cannot be used."""

import pytest

from apiops.age import identities
from apiops.errors import SecretError
from tests.sops import ALICE, BOB, KEYS


def test_nothing_is_found_where_nothing_is_named():
    found = identities.gather({})
    assert not found
    assert 3 == len(found.looked)


def test_keys_come_from_the_variable_with_comments_and_blank_lines():
    keys = f"# created today\n# public key: {ALICE.recipient}\n\n{ALICE.secret}\n{BOB.secret}\n"
    found = identities.gather({"SOPS_AGE_KEY": keys})
    assert [ALICE.recipient, BOB.recipient] == [one.public for one in found.keys]


def test_keys_in_the_variable_may_stand_on_one_line():
    found = identities.gather({"SOPS_AGE_KEY": f"{ALICE.secret} {BOB.secret}"})
    assert 2 == len(found.keys)


def test_keys_come_from_the_named_file(tmp_path):
    file = tmp_path / "keys.txt"
    file.write_text(f"# mine\r\n{ALICE.secret}\r\n")
    found = identities.gather({"SOPS_AGE_KEY_FILE": str(file)})
    assert [(ALICE.recipient, str(file))] == [(one.public, one.origin) for one in found.keys]


@pytest.mark.parametrize("name", ["gen-ssh_ed25519", "gen-ssh_rsa"])
def test_ssh_keys_show_their_public_key(name):
    found = identities.gather({"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(KEYS / name)})
    expected = (KEYS / f"{name}.pub").read_text().split()[:2]
    assert [" ".join(expected)] == [one.public for one in found.keys]


def test_keys_come_from_a_mounted_directory_as_kubernetes_lays_it_out(tmp_path):
    data = tmp_path / "..2026"
    data.mkdir()
    (data / "age.txt").write_text(ALICE.secret)
    (tmp_path / "age.txt").symlink_to(data / "age.txt")
    found = identities.gather({}, directory=tmp_path)
    assert [ALICE.recipient] == [one.public for one in found.keys]


def test_the_home_directory_counts_only_when_it_is_given(tmp_path):
    file = tmp_path / ".config" / "sops" / "age" / "keys.txt"
    file.parent.mkdir(parents=True)
    file.write_text(ALICE.secret)
    assert not identities.gather({"HOME": str(tmp_path)})
    assert identities.gather({}, home=tmp_path)


def test_the_same_key_in_two_places_counts_once(tmp_path):
    file = tmp_path / "keys.txt"
    file.write_text(ALICE.secret)
    found = identities.gather({"SOPS_AGE_KEY": ALICE.secret, "SOPS_AGE_KEY_FILE": str(file)})
    assert 1 == len(found.keys)


def test_plugin_keys_are_passed_over_and_named(tmp_path):
    file = tmp_path / "keys.txt"
    file.write_text(f"AGE-PLUGIN-YUBIKEY-1ABC\n{ALICE.secret}\n")
    found = identities.gather({"SOPS_AGE_KEY_FILE": str(file)})
    assert 1 == len(found.keys)
    assert [f"{file} line 1: a plugin key"] == list(found.passed)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"# fine\n{ALICE.secret[:-1]}\n", 2),
        (f"{ALICE.secret}\nhello\n", 2),
        (f"{ALICE.secret[:-4]}QQQQ\n", 1),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", 0),
        ("age-encryption.org/v1\n-> scrypt x 18\n", 0),
        ("# " + "x" * (64 << 10), 0),
    ],
    ids=["cut", "words", "checksum", "ssh", "passphrase", "large"],
)
def test_a_bad_key_file_is_named_with_its_line_and_never_its_content(tmp_path, content, line):
    file = tmp_path / "keys.txt"
    file.write_text(content)
    with pytest.raises(SecretError) as refused:
        identities.gather({"SOPS_AGE_KEY_FILE": str(file)})
    assert "AO403" == refused.value.code
    assert line == refused.value.location.line
    assert "hello" not in refused.value.message
    assert ALICE.secret[20:30] not in refused.value.message


def test_a_named_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SecretError, match="SOPS_AGE_KEY_FILE"):
        identities.gather({"SOPS_AGE_KEY_FILE": str(tmp_path / "none")})
    (tmp_path / "file").touch()
    with pytest.raises(SecretError, match="identity directory"):
        identities.gather({}, directory=tmp_path / "file")


def test_a_clone_does_not_have_the_folder_that_its_settings_name(tmp_path):
    found = identities.gather({}, directory=tmp_path / "none")
    assert not found.keys


def test_no_program_is_run_for_a_key(tmp_path):
    mark = tmp_path / "ran"
    command = f"touch {mark}"
    found = identities.gather(
        {"SOPS_AGE_KEY_CMD": command, "SOPS_AGE_SSH_PRIVATE_KEY_CMD": command}
    )
    assert not found
    assert not mark.exists()
