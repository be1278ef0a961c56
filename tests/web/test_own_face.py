"""Our own client of the vendor's API against our own vendor-shaped face: each holds the other to
the reference. A repository is applied through it, and the next plan has nothing to do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from apiops.git.inbox import Inbox
from apiops.model.plan import Action
from apiops.web import app
from apiops.wiring.serving import Serving
from apiops.wiring.settings import TargetSettings
from tests.managers import House, a_resource, a_write, settle, write_batch
from tests.remote.bank import CREDENTIAL, PROXY, SETTINGS, manifest, the_vendor_bank
from tests.serving import a_token, served
from tests.shop import MERT, Shop
from tests.web.test_vendor_keys import PUBLIC, certificate


class OwnShop(Shop):
    """A bank whose gateway is another Manager of ours, which it takes for a vendor's."""

    url = ""

    def settings(self, url: str) -> str:
        return SETTINGS % {"manager": url}

    def start(self, url: str, token: str) -> None:
        self.url = url
        self.variables["APIOPS_TOKEN"] = token
        self.begin({"apiops.toml": self.settings(url), **the_vendor_bank()})

    def planned(self) -> list[Any]:
        done = self.run("plan", "-o", "json")
        assert 0 == done.code, done.err
        changes: list[Any] = done.json["plan"]["changes"]
        return changes


@pytest.fixture
def bank(house: House, tmp_path: Path) -> Iterator[OwnShop]:
    create = Action.CREATE
    settle(house.manager)
    write_batch(
        house.manager,
        a_write(create, a_resource("Environment", "dev", {"type": "TEST"}, None)),
        unit="system",
        base=1,
        number=2,
    )
    owner = a_resource("Membership", "mert", {"user": "mert", "roles": ["Project Owner"]})
    write_batch(house.manager, a_write(create, owner), base=1, number=2)
    targets = {"dev": TargetSettings("dev", "dev", house.url)}
    made = app.create(Serving(house.manager, Inbox(tmp_path / "kept"), targets))
    with served(made) as url:
        shop = OwnShop(tmp_path / "bank")
        shop.start(url, a_token(house.manager, "mert", "read", "write"))
        yield shop


def test_what_was_applied_plans_to_nothing(bank: OwnShop) -> None:
    assert [] == bank.planned()


def test_changes_arrive_and_settle(bank: OwnShop, house: House) -> None:
    longer = PROXY.replace("readTimeout: 60", "readTimeout: 90").replace("Orders", "All orders")
    client = CREDENTIAL.replace("gold", "silver").replace("Partner", "The partner")
    files = {
        "payments/orders.yaml": manifest("ApiProxy", "orders", longer),
        "payments/partner.yaml": manifest("Credential", "partner", client),
        "payments/offices.yaml": None,
    }
    bank.commit(MERT, files, "Wait longer")
    done = bank.run("apply", "--yes")
    assert 0 == done.code, done.out + done.err
    assert [] == bank.planned()
    held = {one.id.name: one for one in house.manager.read("", "").resources}
    assert 90 == held["orders"].spec["settings"]["connection"]["readTimeout"]
    assert "offices" not in held


LIMIT = (
    "apiProxyName: orders, endpointName: ALL, endpointHTTPMethod: ALL, permittedMessageCount: 5, "
    "timeIntervalPeriodLength: 1, timeInterval: ONE_MINUTE, timeIntervalWindowType: SLIDING, "
    "cacheConnectionTimeoutInSeconds: 3, cacheErrorHandlingType: FAIL"
)
SHARED = {
    "size": ("GlobalPolicy", "_class: max-message-size, active: true, maxMessageSize: 9"),
    "baseline": (
        "PolicyGroup",
        (
            "active: true, targetPipeline: REQUEST, policyList: "
            "[{name: size, _class: max-message-size, active: true, maxMessageSize: 9}]"
        ),
    ),
    "retail": (
        "ApiProxyGroup",
        (
            "clientRoute: {relativePathList: [/retail]}, members: [orders], "
            "deployments: [{environment: dev}]"
        ),
    ),
    "partners": ("Rlcl", f"credentials: [partner], endpoints: [{{{LIMIT}}}]"),
    "friends": ("CredentialOrganization", "nameDefault: Friends, metadata: [{key: a, value: b}]"),
    "in-house": ("LlmProviderDefinition", "defaultEndpoint: https://models.bank.example"),
    "in-house/summary": ("LlmModel", "providerDefinition: in-house, modality: TEXT"),
    "house": (
        "LlmProvider",
        (
            "providerType: VLLM, endpoint: https://models.bank.example, authScheme: BEARER, "
            "deploymentType: ON_PREM, apiKey: '${KEY}', providerDefinition: in-house"
        ),
    ),
    "passages": (
        "VectorDb",
        (
            "dbType: QDRANT, transport: {family: http, endpoint: https://q.bank.example, "
            "apiKey: '${KEY}'}"
        ),
    ),
    "guide": ("KnowledgeBase", "vectorDbRef: passages, embeddingProviderRef: house"),
    "token": ("AiPreset", "family: dlp, ruleValue: 'itk_[a-z]{9}', action: BLOCK"),
}
AGAIN = {
    "retail": SHARED["retail"][1].replace("[orders]", "[]"),
    "partners": SHARED["partners"][1].replace("Count: 5", "Count: 6"),
    "baseline": SHARED["baseline"][1].replace("Size: 9", "Size: 8"),
    "friends": "nameDefault: Old friends",
    "in-house/summary": "providerDefinition: in-house, modality: VISION",
    "guide": SHARED["guide"][1] + ", chunkSize: 500, reindexOnChange: false",
    "token": SHARED["token"][1].replace("BLOCK", "FLAG"),
}


def written(specs: dict[str, str]) -> dict[str, Any]:
    return {
        f"payments/{name.replace('/', '-')}.yaml": manifest(
            SHARED[name][0], name, f"spec: {{{spec}}}\n"
        )
        for name, spec in specs.items()
    }


def test_what_is_shared_and_what_is_of_models_arrives_and_settles(
    bank: OwnShop, house: House
) -> None:
    first = written({name: spec for name, (_, spec) in SHARED.items()})
    for files, why in ((first, "Share"), (written(AGAIN), "Share otherwise")):
        bank.commit(MERT, files, why)
        done = bank.run("apply", "--yes")
        assert 0 == done.code, done.out + done.err
        left = bank.planned()
        assert [] == left, str(left)[:6000]
    held = {one.id.name: one.spec for one in house.manager.read("", "").resources}
    assert held.keys() >= SHARED.keys()
    assert ([], "FLAG") == (held["retail"].get("members", []), held["token"]["action"])

    bank.commit(MERT, dict.fromkeys(first), "Share no more")
    done = bank.run("apply", "--yes", "--allow", "mass-delete")
    assert 0 == done.code, done.out + done.err
    assert not {one.id.name for one in house.manager.read("", "").resources} & SHARED.keys()


SOURCE = "type: CERTIFICATE, certificateName: theirs, environmentName: dev, useType: SIGNATURE"
KEYS = {
    "theirs": ("Certificate", "environments: {dev: {alias: theirs, file: theirs.pem}}"),
    "public": ("Key", "keyType: PUBLIC_KEY, environments: {dev: {file: public.pem}}"),
    "aes": ("Key", "keyType: SECRET_KEY, algorithm: AES, environments: {dev: {content: '${AES}'}}"),
    "store": (
        "Keystore",
        "environments: {dev: {keyStoreType: JKS, alias: a, file: '${STORE}', password: '${WORD}'}}",
    ),
    "made": ("Jwk", "generate: {type: EC, ec: {curveType: P256}}"),
    "verifies": ("Jwk", f"source: {{{SOURCE}, algorithm: RS256}}"),
}


def test_keys_and_certificates_arrive_and_settle(bank: OwnShop, house: House) -> None:
    pem = certificate("partner").public_bytes(Encoding.PEM)
    files: dict[str, Any] = {"payments/theirs.pem": pem, "payments/public.pem": PUBLIC}
    for name, (kind, spec) in KEYS.items():
        files[f"payments/{name}.yaml"] = manifest(kind, name, f"spec: {{{spec}}}\n")
    bank.commit(MERT, files, "Keys")
    assert 0 == bank.run("apply", "--yes").code
    assert [] == bank.planned()
    held = {one.id.name: one.spec for one in house.manager.read("", "").resources}
    assert held.keys() >= KEYS.keys()
    assert "${AES}" == held["aes"]["environments"]["dev"]["content"]

    pem = certificate("another").public_bytes(Encoding.PEM)
    bank.commit(MERT, {"payments/theirs.pem": pem, "payments/store.yaml": None}, "Renew it")
    assert 0 == bank.run("apply", "--yes").code
    assert [] == bank.planned()
    held = {one.id.name: one.spec for one in house.manager.read("", "").resources}
    assert "store" not in held
    digest = held["theirs"]["environments"]["dev"]["fileDigest"]
    assert {digest: pem} == house.manager.files([digest])


def test_what_somebody_changed_there_is_drift(bank: OwnShop) -> None:
    import urllib3

    headers = {"Authorization": f"Bearer {bank.variables['APIOPS_TOKEN']}"}
    urllib3.request(
        "PUT",
        f"{bank.url}/apiops/projects/payments/ipGroups/offices/ips/",
        headers=headers,
        json={"ipList": ["192.0.2.1"]},
    )
    done = bank.run("drift", "-o", "json")
    assert "offices" in done.out


def test_a_budget_arrives_settles_and_is_switched_off(bank: OwnShop, house: House) -> None:
    provider = (
        "providerType: VLLM, endpoint: https://m.bank.example, authScheme: NONE, "
        "deploymentType: ON_PREM"
    )
    client = "target: {type: CREDENTIAL_ALLOWED_API_PROXY, name: orders, credential: partner}"
    budget = (
        "{enabled: true, tokensPerDay: %d, providerBudgets: [{providerRef: m, tokensPerDay: 2}]}"
    )
    files: dict[str, Any] = {
        "payments/m.yaml": manifest("LlmProvider", "m", f"spec: {{{provider}}}\n"),
        "payments/of-partner.yaml": manifest(
            "AiBudget", "of partner", f"spec: {{{client}, budget: {budget % 5}}}\n"
        ),
    }
    for tokens in (5, 6):
        files["payments/of-project.yaml"] = manifest(
            "AiBudget",
            "of project",
            f"spec: {{target: {{type: PROJECT}}, budget: {budget % tokens}}}\n",
        )
        bank.commit(MERT, files, "Spend no more")
        done = bank.run("apply", "--yes")
        assert 0 == done.code, done.out + done.err
        left = bank.planned()
        assert [] == left, str(left)[:3000]
    held = {one.id.name: one.spec for one in house.manager.read("", "").resources}
    assert 6 == held["project"]["budget"]["tokensPerDay"]

    bank.commit(MERT, {"payments/of-project.yaml": None}, "Spend")
    assert 0 == bank.run("apply", "--yes").code
    assert [] == bank.planned()
    held = {one.id.name: one.spec for one in house.manager.read("", "").resources}
    assert held["project"]["budget"]["enabled"] is False
