"""What an export leaves open is filled by a person: then it is written once, and never planned again.

One case for each kind with secrets. Nothing says what the Manager holds, so the first plan after
filling shows the secret as new; after that apply there is nothing left to do.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.remote.bank import VendorShop, the_vendor_bank
from tests.shop import AYSE, MERT

RULES = "creation_rules:\n  - path_regex: .*\n    age: %s\n"
HELD = base64.b64encode(b"held").decode()
FACT = [{"key": "contract", "value": "held", "secret": True}]


@dataclass(frozen=True)
class Case:
    """How a stranger made one, the keys of the holes that it leaves, and what was made after it."""

    made: str
    body: dict[str, Any]
    holes: tuple[str, ...]
    more: dict[str, dict[str, Any]] = field(default_factory=dict)


def values(**row: str) -> list[dict[str, str]]:
    return [{"environmentName": "dev", **row}]


CASES = {
    "ApiProxy": Case(
        "apiProxies/url",
        {"apiProxyName": "orders", "apiProxyCreationType": "REVERSE_PROXY", "clientRoute": {"relativePathList": ["/orders"]}},
        ("password",),
        {"apiProxies/orders/policies/token": {
            "operationMetadata": {"targetScope": "ALL", "targetPipeline": "REQUEST", "deploy": False},
            "policy": {"type": "policy-ws-security-username", "username": "u", "password": HELD, "passwordType": "PasswordText"},
        }},
    ),
    "Connection": Case(
        "connections/c",
        {"type": "database", "name": "c", "dbType": "POSTGRES", "jdbcUrl": "jdbc:x", "username": "u", "password": HELD},
        ("password",),
    ),
    "Credential": Case(
        "credentials",
        {"username": "app", "email": "a@b.example", "fullName": "App", "password": HELD, "metadata": FACT},
        ("password", "value"),
    ),
    "EnvironmentVariable": Case(
        "environmentVariables/KEY", {"name": "KEY", "global": True, "globalValue": HELD, "globalVisible": False},
        ("globalValue",),
    ),
    "Key": Case(
        "keys",
        {"name": "k", "keyType": "SECRET_KEY", "algorithm": "AES", "cryptoKeyInfoEnvironmentList": values(content=HELD)},
        ("content",),
    ),
    "Keystore": Case(
        "keystores",
        {"name": "s", "keyStoreEnvironmentList": values(file=HELD, password="p", alias="a", keyStoreType="JKS")},
        ("file", "password"),
    ),
    "Jwk": Case("jwks", {"name": "j", "sourceType": "COPY_PASTE", "jwkStr": "{}"}, ("jwkStr",)),
    "LlmProvider": Case(
        "llm-providers/l", {"_class": "llm", "providerType": "OPENAI", "apiKey": HELD, "metadata": FACT},
        ("apiKey", "value"),
    ),
    "VectorDb": Case(
        "vector-dbs/v",
        {"_class": "vector-db", "dbType": "QDRANT", "transport": {"family": "http", "endpoint": "https://q", "apiKey": HELD}},
        ("apiKey",),
    ),
}  # fmt: skip


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    """People and a project; what there is in it, others made."""
    files = {
        name: text
        for name, text in the_vendor_bank().items()
        if name.startswith("system/") or name in ("payments/project.yaml", "payments/mert.yaml")
    }
    with VendorShop(tmp_path) as shop:
        shop.variables["SOPS_AGE_KEY"] = shop.identity
        shop.begin(files | {".sops.yaml": RULES % shop.recipient})
        yield shop


def made(shop: VendorShop, case: Case) -> None:
    pool = urllib3.PoolManager(headers={"Authorization": f"Bearer {shop.standin.token}"})
    for step, body in {case.made: case.body, **case.more}.items():
        where = f"{shop.standin.url}/apiops/projects/payments/{step}/"
        assert 200 == pool.request("POST", where, json=body).status
    pool.clear()


def holes(shop: VendorShop, kind: str) -> dict[str, list[str]]:
    """Files that are not there yet, and the keys that they need."""
    done = shop.run("export", "--project", "payments", "--kind", kind, "--into", "found")
    assert 0 == done.code, done.err
    found: dict[str, list[str]] = {}
    for key, file in re.findall(r"hole: \S+ needs (\S+) in (\S+)", done.err):
        found.setdefault(file, []).append(key)
    return found


def filled(shop: VendorShop, kind: str) -> list[str]:
    """Every hole as its message says it: a file with the key, encrypted; the keys."""
    found = holes(shop, kind)
    shop.commit(MERT, written(shop), "Adopt what is there")
    refused = shop.run("validate")
    assert 3 == refused.code
    for file, keys in found.items():
        assert f'there is no file "{file}"' in refused.out + refused.err
        (shop.repository / file).write_text("".join(f"{key}: {HELD}\n" for key in keys))
        sealed = shop.run("secrets", "encrypt", "--in-place", file)
        assert 0 == sealed.code, sealed.err
    shop.commit(MERT, written(shop), "Fill the holes")
    return sorted(key for keys in found.values() for key in keys)


def written(shop: VendorShop) -> dict[str, str]:
    folder = shop.repository
    return {str(f.relative_to(folder)): f.read_text() for f in (folder / "found").rglob("*.yaml")}


@pytest.mark.parametrize("kind", CASES)
def test_a_filled_hole_is_written_once(bank: VendorShop, kind: str) -> None:
    case = CASES[kind]
    made(bank, case)

    assert sorted(case.holes) == filled(bank, kind)
    checked = bank.run("validate")
    assert 0 == checked.code, checked.out + checked.err
    assert f"{len(case.holes)} secret field" in bank.run("plan").out
    assert "an apply writes yours, once" in bank.run("plan").out
    (change,) = bank.run("plan", "-o", "json").json["plan"]["changes"]
    assert ("update", True) == (change["action"], change["adopts"])
    done = bank.run("apply", "--yes")
    assert 0 == done.code, done.out + done.err
    assert [] == bank.run("plan", "-o", "json").json["plan"]["changes"]


@pytest.mark.parametrize("where", ["vendor", "own"])
def test_who_is_no_recipient_is_told_before_anything_is_written(
    bank: VendorShop, where: str
) -> None:
    """Though nothing has to be encrypted for them."""
    if where == "own":
        bank.commit(AYSE, {"apiops.toml": '[targets.dev]\nmanager = "sqlite:///../own.db"\n'})
        bank.manager()
    done = bank.run("export", "--into", "found", "--encrypt-to", "age1nonsense",
                    "--as", "ayse", "--sign-key", bank.person_key(AYSE), "--reason", "adopt")  # fmt: skip

    assert 6 == done.code
    assert "AO411  age1nonsense is not an age recipient" in done.err
    assert not (bank.repository / "found").exists()


def test_without_a_key_the_plan_says_which_secrets_of_what_it_adopts_it_did_not_compare(
    bank: VendorShop,
) -> None:
    """Two secrets that nobody opened look alike, and are no less to be written."""
    made(bank, CASES["Credential"])
    filled(bank, "Credential")
    del bank.variables["SOPS_AGE_KEY"]

    (change,) = bank.run("plan", "-o", "json").json["plan"]["changes"]
    assert ["spec.metadata[contract].value", "spec.password"] == sorted(change["uncompared"])
    assert "2 secret fields not compared: no age identity" in bank.run("plan").out


def test_what_the_manager_does_not_show_is_not_taken_from_the_ledger(bank: VendorShop) -> None:
    """It was written by us, and its ledger keeps a fingerprint alone."""
    made(bank, CASES["Credential"])
    filled(bank, "Credential")
    assert 0 == bank.run("apply", "--yes").code

    me = ("--as", "ayse", "--sign-key", bank.person_key(AYSE), "--reason", "look")
    for more in ((), me):
        to = ("--encrypt-to", bank.recipient, *more)
        done = bank.run("export", "--project", "payments", "--into", "again", "--overwrite", *to)

        assert 0 == done.code, done.err
        assert "gives no secret out" in done.err
        assert "hole: Credential/payments/app needs password" in done.err
        assert [] == [*(bank.repository / "again").rglob("*.sops.yaml")]
