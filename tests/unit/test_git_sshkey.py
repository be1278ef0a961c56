"""Public key lines, as people paste them into `User.spec.keys`."""

import base64

import pytest

from apiops.git.sshsig import mpint, string
from apiops.model import sshkey
from tests.people import KEY_TYPES, person, signing_key

KNOWN = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com"
)


def line(kind: bytes, *parts: bytes) -> str:
    blob = string(kind) + b"".join(map(string, parts))
    return f"{kind.decode()} {base64.b64encode(blob).decode()}"


def test_a_published_key_has_its_published_fingerprint() -> None:
    assert sshkey.fingerprint(KNOWN) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_every_supported_type_is_read(kind: str) -> None:
    who = person("reader", kind)
    assert who.fingerprint == sshkey.fingerprint(f"  {who.public_line}\n")
    assert who.fingerprint == sshkey.fingerprint(who.public_line.rsplit(" ", 1)[0])


def test_hardware_keys_are_read() -> None:
    assert sshkey.parse(line(b"sk-ssh-ed25519@openssh.com", b"\2" * 32, b"ssh:")).hardware
    point = signing_key("ayse", "p256").public.point
    key = sshkey.parse(line(b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point, b"ssh:"))
    assert (True, b"ssh:") == (key.hardware, key.application)


SHORT_RSA = string(b"ssh-rsa") + mpint(65537) + mpint((1 << 2047) + 1)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "one public key"),
        ("\n", "one public key"),
        (f"{KNOWN}\n{KNOWN}", "one public key"),
        ("x" * 20000, "too long"),
        ("ssh-ed25519", "reads"),
        ("ssh-ed25519 !!!!", "base64"),
        ("ssh-ed25519 AAAA", "too early"),
        (KNOWN.replace("ssh-ed25519", "ssh-rsa"), "but the key is"),
        (f'command="x" {KNOWN}', "base64"),
        (f"no-pty {KNOWN}", "base64"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        (line(b"ssh-ed25519", bytes(31)), "32 bytes"),
        (line(b"ssh-ed25519", b"\2" * 32, b"x"), "after the end"),
        (line(b"ssh-ed25519", bytes(32)), "small order"),
        (line(b"ssh-dss", b"x"), "DSA"),
        (f"ssh-rsa {base64.b64encode(SHORT_RSA).decode()}", "3072"),
        (line(b"ssh-ed25519-cert-v01@openssh.com", b"x"), "not supported"),
        (line(b"ecdsa-sha2-nistp256", b"nistp384", b"x"), "curve"),
        (line(b"ecdsa-sha2-nistp256", b"nistp256", b"\2" + bytes(32)), "uncompressed"),
    ],
)
def test_a_bad_line_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        sshkey.fingerprint(text)
