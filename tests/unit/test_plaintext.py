"""What looks like a secret is found by its form; what only might be one is left alone."""

import base64
import secrets

import pytest

from apiops.model import plaintext
from apiops.model.plaintext import Suspect
from tests.builders import a_leaf

HEADER = "-----BEGIN {}PRIVATE KEY-----"
"""Put together here, so that no scanner takes this file for a leak."""

LOOKS = {
    "rsa": (HEADER.format("RSA ") + "\nMIIE", "a private key"),
    "openssh": ("x\n" + HEADER.format("OPENSSH ") + "\nb3Bl", "a private key"),
    "pkcs8": (HEADER.format("") + "\nMIIE", "a private key"),
    "age": ("AGE-SECRET-" + "KEY-1" + "Q" * 58, "an age identity"),
    "age-pq": ("AGE-SECRET-" + "KEY-PQ-1" + "Q" * 58, "an age identity"),
    "aws": ("key=AK" + "IA" + "ABCDEFGH12345678", "an AWS access key"),
    "github": ("gh" + "p_" + "a" * 36, "a GitHub token"),
    "github-fine": ("github" + "_pat_" + "a" * 82, "a GitHub token"),
    "gitlab": ("gl" + "pat-" + "a" * 20, "a GitLab token"),
    "slack": ("xo" + "xb-" + "1" * 24, "a Slack token"),
    "stripe": ("sk_" + "live_" + "a" * 24, "a Stripe key"),
    "google": ("AI" + "za" + "a" * 35, "a Google API key"),
    "models": ("sk-" + "proj-" + "a" * 40, "a key of a model vendor"),
    "jwt": (f"Bearer eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 43}", "a signed token"),
    "url": ("jdbc:postgresql://app:" + "hunter2@db.bank.example/orders", "a password in a URL"),
}

LOOKS_NOT = [
    "-----BEGIN CERTIFICATE-----\nMIIB",
    "-----BEGIN PUBLIC KEY-----\nMIIB",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdiW0zQSU3Vn6KMEwjCTpxNTdXPyDTWFv9SoFV7+8aM",
    "age1zd5wyknjs3vcc9r6xpavyphwdu68hffr02f9z8tnjmlxup80aclsmequf0",
    "jdbc:postgresql://app:${DB_PASSWORD}@db.bank.example/orders",
    "https://db.bank.example:5432/orders?mail=a@b.example",
    "mailto:ada@bank.example",
    "AKIA is how access keys begin",
    "itk_[A-Za-z0-9]{32}",
    "sk-1",
    "a risk-proj and the weight of ghosts",
    "",
]


@pytest.mark.parametrize("name", LOOKS)
def test_forms_that_only_secrets_have_are_found_with_their_place(name):
    text, what = LOOKS[name]
    tree = {"a": "b", "list": [{"deep": text}]}
    assert [Suspect(("list", 0, "deep"), what)] == list(plaintext.find(tree))


@pytest.mark.parametrize("text", LOOKS_NOT)
def test_what_may_stand_in_the_open_is_left_alone(text):
    assert [] == list(plaintext.find({"a": text}))


def test_a_sealed_secret_is_none_in_the_open():
    assert [] == list(plaintext.find({"password": a_leaf("AGE-SECRET-" + "KEY-1" + "Q" * 58)}))


def test_nothing_is_guessed_from_randomness():
    for _ in range(50):
        noise = base64.urlsafe_b64encode(secrets.token_bytes(30)).decode()
        assert not [one for one in plaintext.find({"a": noise}) if "URL" in one.what]
