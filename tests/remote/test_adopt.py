"""A Manager that others fed becomes a repository: exported, filled in, adopted, planned to nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.bank import DOCUMENT, VendorShop, the_vendor_bank
from tests.shop import MERT


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    """People and project are described; a second shop's proxies and credentials are only there."""
    files = {
        name: text
        for name, text in the_vendor_bank().items()
        if name.startswith("system/") or name in ("payments/project.yaml", "payments/mert.yaml")
    }
    with VendorShop(tmp_path) as shop:
        others(shop)
        shop.begin(files)
        yield shop


def others(shop: VendorShop) -> None:
    """What a pipeline of curl left: made over the API, by a stranger."""
    import urllib3

    pool = urllib3.PoolManager(headers={"Authorization": f"Bearer {shop.standin.token}"})
    base = f"{shop.standin.url}/apiops/projects/payments"
    proxy = {
        "apiProxyName": "orders",
        "apiProxyCreationType": "OPEN_API",
        "specUrl": "https://orders.example/openapi.yaml",
        "clientRoute": {"relativePathList": ["/orders"]},
        "routingInfo": {"routingAddressList": [{"address": "https://orders.bank.example"}]},
    }
    shop.world.documents["https://orders.example/openapi.yaml"] = DOCUMENT
    person = {"username": "app", "email": "a@b.example", "fullName": "App", "password": "secret1"}
    variable = {"name": "KEY", "global": True, "globalValue": "secret2", "globalVisible": False}
    group = {"name": "office", "description": "", "ipList": ["10.0.0.1"]}
    assert 200 == pool.request("POST", f"{base}/apiProxies/url/", json=proxy).status
    assert 200 == pool.request("POST", f"{base}/apiProxies/orders/environments/dev/").status
    assert 200 == pool.request("POST", f"{base}/credentials/", json=person).status
    assert 200 == pool.request("POST", f"{base}/environmentVariables/KEY/", json=variable).status
    assert 200 == pool.request("POST", f"{base}/ipGroups/", json=group).status
    pool.clear()


def test_what_the_api_cannot_give_is_left_as_named_holes(bank: VendorShop) -> None:
    done = bank.run("export", "--project", "payments", "--into", "found")

    assert 0 == done.code, done.err
    for hole in (
        "Credential/payments/app",
        "EnvironmentVariable/payments/KEY",
        "ApiProxy/payments/orders",
    ):
        assert any("hole" in line and hole in line for line in done.err.splitlines()), done.err
    written = "".join(file.read_text() for file in (bank.repository / "found").rglob("*.yaml"))
    assert "secret1" not in written + done.out + done.err
    assert "/orders" in written
    assert "10.0.0.1" in written


def test_validate_says_what_a_missing_document_may_be(bank: VendorShop) -> None:
    bank.run("export", "--project", "payments", "--kind", "ApiProxy", "--into", "found")

    done = bank.run("validate", "--worktree")
    assert 3 == done.code
    assert 'there is no file "found/projects/payments/api-proxies/orders.openapi.yaml"' in done.out
    assert "an export leaves such a hole where the Manager shows no file: put it there" in done.out


@pytest.mark.parametrize("path", ["/apiops", "/console"])
def test_an_address_with_a_path_too_many_is_said_to_have_no_management_api(
    bank: VendorShop, path: str
) -> None:
    bank.commit_settings(bank.standin.url + path)

    for verb in ("plan", "export", "doctor"):
        done = bank.run(verb)
        assert 1 == done.code, verb
        assert "AO760" in done.out + done.err, verb
        assert "without /apiops or a page of the console" in done.out + done.err, verb


def test_filled_in_and_applied_it_plans_to_nothing(bank: VendorShop) -> None:
    bank.run("export", "--kind", "ApiProxy", "--kind", "IpGroup", "--into", "found")
    folder = bank.repository / "found"
    found = {f"found/{f.relative_to(folder)}": f.read_text() for f in folder.rglob("*.yaml")}
    proxy = next(name for name, text in found.items() if "kind: ApiProxy" in text)
    document = str(Path(proxy).parent / "orders.openapi.yaml")
    bank.commit(MERT, {**found, document: DOCUMENT}, "Adopt what is there")

    planned = bank.run("plan", "-o", "json").json["plan"]["changes"]
    assert {"update"} == {change["action"] for change in planned if change["action"] != "deploy"}
    assert all(change["adopts"] for change in planned if change["action"] == "update")
    shown = bank.run("plan").out
    assert "spec.source.fileDigest (not shown by the Manager) → " in shown
    assert "» deploy ApiProxy/payments/orders → dev" in shown, "its document is read once"
    assert 0 == bank.run("apply", "--yes").code
    assert [] == bank.run("plan", "-o", "json").json["plan"]["changes"]
