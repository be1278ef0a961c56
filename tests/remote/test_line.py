"""The whole line against a vendor's Manager: signed commits in, a stand-in of the vendor out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.remote.bank import IP_GROUP, PROXY, VendorShop, manifest, the_vendor_bank
from tests.shop import AYSE, DENIZ, MERT, Done, a_project


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[VendorShop]:
    with VendorShop(tmp_path) as shop:
        shop.begin()
        shop.world.requests.clear()
        yield shop
        assert [] == shop.world.violations


def changes(planned: Done) -> list[tuple[str, str]]:
    return [(change["action"], change["id"]["name"]) for change in planned.json["plan"]["changes"]]


def writes(bank: VendorShop) -> list[tuple[str, str]]:
    prefix = "/apiops/projects/payments/"
    return [(m, p.removeprefix(prefix)) for m, p in bank.world.requests if m != "GET"]


def orders(bank: VendorShop) -> Any:
    return bank.world.projects["payments"].proxies["orders"]


def test_after_a_first_apply_the_next_plan_is_empty(bank: VendorShop) -> None:
    planned = bank.run("plan", "-o", "json")

    assert [] == changes(planned)
    assert [] == writes(bank)


def test_a_changed_setting_is_one_call_and_one_deploy(bank: VendorShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})

    assert 0 == bank.run("apply", "--yes").code
    assert [
        ("PATCH", "apiProxies/orders/settings/connection/"),
        ("POST", "apiProxies/orders/environments/dev/"),
    ] == writes(bank)


def test_the_deploy_history_says_commit_subject_signer_and_run(bank: VendorShop) -> None:
    changed = PROXY.replace("description: Orders", "description: All orders")
    files = {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)}
    commit = bank.commit(MERT, files, "Describe the orders better")
    run = bank.run("apply", "--yes", "-o", "json").json["report"]["run"]

    told = orders(bank).history[0]["description"]

    assert f"{commit[:10]} Describe the orders better (by mert, run {run[:12]})" == told


def test_a_document_that_changed_is_parsed_again_and_one_that_did_not_is_not(
    bank: VendorShop,
) -> None:
    document = the_vendor_bank()["payments/orders.openapi.yaml"]
    bank.commit(MERT, {"payments/orders.openapi.yaml": document + "  /new: {get: {}}\n"})
    bank.run("apply", "--yes")

    assert 2 == orders(bank).parses
    assert {"/orders", "/new"} == {endpoint["name"] for endpoint in orders(bank).endpoints}
    assert [False] == [e["active"] for e in orders(bank).endpoints if e["httpMethod"] == "GET"][:1]


def test_an_edit_in_the_console_is_drift_and_is_taken_back(bank: VendorShop) -> None:
    orders(bank).routing["routingAddressList"][0]["address"] = "https://elsewhere.example"
    bank.world.projects["payments"].ip_groups["offices"]["ipList"].append("10.0.0.1")

    drifted = bank.run("drift", "-o", "json")
    bank.run("apply", "--yes")

    assert [("update", "offices"), ("update", "orders"), ("deploy", "orders")] == changes(drifted)
    assert [] == changes(bank.run("plan", "-o", "json"))
    assert "https://orders.bank.example" == orders(bank).routing["routingAddressList"][0]["address"]


def test_what_the_repository_no_longer_has_is_deleted_and_what_others_made_stays(
    bank: VendorShop,
) -> None:
    bank.world.projects["payments"].ip_groups["theirs"] = {"name": "theirs", "ipList": []}
    bank.commit(MERT, {"payments/offices.yaml": None})

    assert 0 == bank.run("apply", "--yes").code
    assert ["theirs"] == list(bank.world.projects["payments"].ip_groups)


def test_a_plan_says_that_something_cannot_be_renamed_and_nothing_of_it_is_sent(
    bank: VendorShop,
) -> None:
    named = manifest("IpGroup", "places, renamedFrom: offices", IP_GROUP)
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    proxy = manifest("ApiProxy", "orders", changed)
    bank.commit(MERT, {"payments/offices.yaml": named, "payments/orders.yaml": proxy})

    planned = bank.run("plan")
    done = bank.run("apply", "--yes")

    assert "does not rename or move IpGroup/payments/offices" in planned.out
    assert (True, True) == (planned.code != 0, "AO769" in planned.out)
    assert (True, True) == (done.code != 0, "AO769" in done.out + done.err)
    assert [] == writes(bank)
    assert ["offices"] == list(bank.world.projects["payments"].ip_groups)


def test_a_deploy_that_fails_is_saved_not_live_and_done_by_the_next_run(bank: VendorShop) -> None:
    bank.world.refusing.add(("orders", "dev"))
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})

    failed = bank.run("apply", "--yes")
    bank.world.refusing.clear()
    planned = bank.run("plan", "-o", "json")
    again = bank.run("apply", "--yes")

    assert (8, 0) == (failed.code, again.code)
    assert "AO767" in failed.out
    assert [("deploy", "orders")] == changes(planned)
    assert [] == changes(bank.run("plan", "-o", "json"))


def test_a_project_that_is_not_there_is_asked_for_in_words(bank: VendorShop) -> None:
    files = {"cards/project.yaml": a_project("cards")}
    bank.commit(AYSE, files)

    assert "Project/cards is not there, or the token does not see it" in bank.run("plan").out
    done = bank.run("apply", "--yes")

    assert 1 == done.code
    assert "AO768" in done.out
    assert "ask a system administrator to create it in the console" in done.out
    assert [] == writes(bank)


def test_who_may_not_changes_nothing_there(bank: VendorShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(DENIZ, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})

    assert 4 == bank.run("apply", "--yes").code
    assert [] == writes(bank)


def test_a_renewed_password_is_one_narrow_call(bank: VendorShop) -> None:
    partner = the_vendor_bank()["payments/partner.yaml"]
    renewed = partner.replace("${PARTNER_PASSWORD}", "${PARTNER_PASSWORD_2}")
    bank.commit(MERT, {"payments/partner.yaml": renewed})
    bank.run("apply", "--yes")

    assert [("PATCH", "credentials/partner/")] == writes(bank)
    assert [] == changes(bank.run("plan", "-o", "json"))


def test_every_finished_change_is_audited_with_its_commit(bank: VendorShop) -> None:
    entries = bank.run("audit", "list", "-o", "json").json["entries"]
    named = {entry["resource"]["name"] for entry in entries if entry["resource"]}

    assert {"orders", "partner", "audit", "ORDERS_HOST", "offices"} <= named
    assert 0 == bank.run("audit", "verify").code


def test_a_token_that_is_not_accepted_is_told_before_anything(bank: VendorShop) -> None:
    bank.variables["APIOPS_TOKEN"] = "revoked"

    done = bank.run("plan")

    assert 1 == done.code
    assert "AO761" in done.err
    assert "revoked" not in done.out + done.err


def test_who_follows_a_definition_names_it_and_the_manager_gets_its_id(bank: VendorShop) -> None:
    provider = "spec: {providerType: VLLM, authScheme: NONE, providerDefinition: own}\n"
    model = "spec: {providerDefinition: own, contextWindow: 8192}\n"
    files = {
        "payments/own.yaml": manifest("LlmProviderDefinition", "own", "spec: {displayName: Own}\n"),
        "payments/llm.yaml": manifest("LlmProvider", "llm", provider),
        "payments/model.yaml": manifest("LlmModel", "own/m1", model),
    }
    bank.commit(MERT, files)

    assert 0 == bank.run("apply", "--yes").code
    project = bank.world.projects["payments"]
    id = project.more["llm-provider-definitions"]["own"]["id"]
    assert id == project.providers["llm"]["providerDefinitionId"]
    assert id == project.more["llm-models"]["own/m1"]["providerDefinitionId"]
    assert [] == changes(bank.run("plan", "-o", "json"))
