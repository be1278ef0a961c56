"""Keys, keystores, JWKs and certificates by scripts for the vendor's Manager: over real HTTP, on both
engines. What was sealed is proven by what workers are given.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from apiops.model.audit import AuditQuery
from tests.web.conftest import Api
from tests.web.test_vendor_writes import HERE, everything, given, rows, send

MATERIAL = base64.b64encode(b"thirty-two bytes of secret stuff").decode()
OTHER = base64.b64encode(b"as many bytes of another secret!").decode()
PAIR = ed25519.Ed25519PrivateKey.from_private_bytes(b"7" * 32)
PRIVATE = PAIR.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PAIR.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ROWS = "cryptoKeyInfoEnvironmentList"
STORES = "keyStoreEnvironmentList"
AES = {
    "name": "payload",
    "description": "Payloads",
    "keyType": "SECRET_KEY",
    "algorithm": "AES",
    ROWS: [{"environmentName": "production", "content": MATERIAL, "alias": "a"}],
}
STORE: dict[str, Any] = {
    "name": "client",
    STORES: [
        {
            "environmentName": "production",
            "file": MATERIAL,
            "password": "changeit-please",
            "alias": "client",
            "keyStoreType": "PKCS12",
        }
    ],
}


NO_CONTENT = (
    "Key content is neither PEM nor valid Base64 for key type {}! "
    "Send the PEM content Base64-encoded."
)


def certificate(name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        subject,
        subject,
        PAIR.public_key(),
        7,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2036, 1, 1, tzinfo=UTC),
    )
    return made.sign(PAIR, None)


CERTIFICATE = certificate("partner")
PEM = CERTIFICATE.public_bytes(Encoding.PEM)
DER = CERTIFICATE.public_bytes(Encoding.DER)


def upload(
    api: Api, method: str, path: str, file: tuple[str, bytes], as_: str = "mert", **fields: str
) -> tuple[int, str]:
    """A multipart call, and the words of its refusal."""
    name, content = file
    form = {**fields, name: (f"{name}.bin", content)}
    answer = api.call(method, f"{HERE}/{path}", form=form, as_=as_)
    return answer.status, answer.json().get("resultMessage", "")


def inside(api: Api, kind: str, name: str, environment: str = "production") -> dict[str, Any]:
    """What workers are given for one environment."""
    found: dict[str, Any] = given(api, kind, name, environment)["environments"][environment]
    return found


class TestKeys:
    def test_one_is_made_read_merged_and_deleted(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "keys/", AES)
        shown = AES | {ROWS: [{"environmentName": "production", "alias": "a"}], "id": "payload"}
        assert [shown] == rows(api, "keys/payload/") == rows(api, "keys/")
        assert MATERIAL == inside(api, "Key", "payload")["content"]
        twice = "Key (name: payload) is already exist! Try update operation if want to change its value."
        assert (400, twice) == send(api, "POST", "keys/", AES)

        assert (200, "") == send(api, "PUT", "keys/payload", {"description": "Of payloads"})
        assert "Of payloads" == rows(api, "keys/payload/")[0]["description"]
        both = [
            {"environmentName": "production", "content": None, "alias": "b", "source": "CUSTOM"},
            {"environmentName": "test", "content": OTHER},
        ]
        assert (200, "") == send(api, "PUT", "keys/payload/", {"name": "payload", ROWS: both})
        now = inside(api, "Key", "payload")
        assert (MATERIAL, "b") == (now["content"], now["alias"])

        alone = [{"environmentName": "production", "content": OTHER}]
        assert (200, "") == send(api, "PUT", "keys/payload/", {ROWS: alone})
        assert OTHER == inside(api, "Key", "payload")["content"]
        assert ["production"] == [
            one["environmentName"] for one in rows(api, "keys/payload/")[0][ROWS]
        ]
        assert (200, "") == send(api, "DELETE", "keys/payload/")
        absent = (400, "Key (name: payload) is not found!")
        assert absent == send(api, "DELETE", "keys/payload/")
        assert absent == send(api, "PUT", "keys/payload/", AES)

    @pytest.mark.parametrize("sent", [PRIVATE, base64.b64encode(PRIVATE.encode()).decode()])
    def test_a_private_key_is_pem_in_base64_or_without(self, api: Api, sent: str) -> None:
        row = {"environmentName": "production", "content": sent}
        body = {"name": "signing", "keyType": "PRIVATE_KEY", ROWS: [row]}
        assert (200, "") == send(api, "POST", "keys/", body)
        assert PRIVATE == inside(api, "Key", "signing")["content"]
        assert PRIVATE.splitlines()[1] not in everything(api)

    def test_a_public_key_is_a_file_and_holds_nothing_private(self, api: Api) -> None:
        row = {
            "environmentName": "production",
            "content": base64.b64encode(PUBLIC.encode()).decode(),
        }
        body = {"name": "theirs", "keyType": "PUBLIC_KEY", ROWS: [row]}
        assert (200, "") == send(api, "POST", "keys/", body)
        digest = hashlib.sha256(PUBLIC.encode()).hexdigest()
        assert {digest: PUBLIC.encode()} == api.house.manager.files([digest])
        kept = [{"environmentName": "production", "alias": "x"}]
        assert (200, "") == send(api, "PUT", "keys/theirs/", {ROWS: kept})
        assert digest == inside(api, "Key", "theirs")["fileDigest"]

        body |= {"name": "mine", ROWS: [{**row, "content": PRIVATE}]}
        why = "A key of type PUBLIC_KEY can not hold a private key!"
        assert (400, why) == send(api, "POST", "keys/", body)
        assert PRIVATE.splitlines()[1] not in everything(api)

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"name": ""}, "keyName value can not be empty!"),
            (
                {"keyType": "SECRET"},
                "Unknown keyType (SECRET)! Supported values: SECRET_KEY, PRIVATE_KEY, PUBLIC_KEY",
            ),
            (
                {"algorithm": None},
                "algorithm is required for SECRET_KEY! Supported values: AES, DES, DESede, RSA",
            ),
            (
                {"algorithm": "aes"},
                "Unknown algorithm (aes)! Supported values: AES, DES, DESede, RSA",
            ),
            ({ROWS: [{"content": MATERIAL}]}, "environmentName value can not be empty!"),
            (
                {ROWS: [{"environmentName": "production", "content": "%"}]},
                NO_CONTENT.format("SECRET_KEY"),
            ),
            (
                {ROWS: [{"environmentName": "nowhere", "content": MATERIAL}]},
                "Environment (nowhere) is not found or user does not have privilege to access it!",
            ),
        ],
    )
    def test_what_is_wrong_is_told(self, api: Api, wrong: dict[str, Any], why: str) -> None:
        assert (400, why) == send(api, "POST", "keys/", AES | wrong)

    def test_neither_its_name_nor_its_type_can_change(self, api: Api) -> None:
        send(api, "POST", "keys/", AES)
        another = (400, "Key name in path (payload) does not match name in body (p2)!")
        assert another == send(api, "PUT", "keys/payload/", {"name": "p2"})
        row = {"environmentName": "production", "content": PRIVATE}
        body = {"keyType": "PRIVATE_KEY", ROWS: [row]}
        assert (400, "Key keyType can not be changed!") == send(api, "PUT", "keys/payload/", body)

    def test_one_comes_from_a_file(self, api: Api) -> None:
        path, fields = "keys/import-file/", {"keyName": "payload", "algorithm": "AES"}
        fields |= {"keyType": "SECRET_KEY", "environmentList": "production, test"}
        raw = ("keyFile", base64.b64decode(MATERIAL))
        assert (200, "") == upload(api, "POST", path, raw, **fields)
        again = "Key (name: payload) is already exist! Send override=true to update it."
        assert (400, again) == upload(api, "POST", path, raw, **fields)
        fields |= {"override": "true", "environmentList": "test"}
        fresh = ("keyFile", base64.b64decode(OTHER))
        assert (200, "") == upload(api, "POST", path, fresh, **fields)
        assert MATERIAL == inside(api, "Key", "payload")["content"]
        shown = rows(api, "keys/payload/")[0][ROWS]
        assert ["production", "test"] == [one["environmentName"] for one in shown]
        fields["environmentList"] = ""
        empty = (400, "environmentList value can not be empty!")
        assert empty == upload(api, "POST", path, fresh, **fields)


class TestKeystores:
    def test_one_is_made_read_merged_and_deleted(self, api: Api) -> None:
        assert (200, "") == send(api, "POST", "keystores/", STORE)
        (row,) = STORE[STORES]
        (shown,) = rows(api, "keystores/")
        assert [{k: row[k] for k in ("environmentName", "alias", "keyStoreType")}] == shown[STORES]
        opened = inside(api, "Keystore", "client")
        assert (MATERIAL, "changeit-please") == (opened["file"], opened["password"])

        changed = {"environmentName": "production", "alias": "other", "file": None}
        assert (200, "") == send(api, "PUT", "keystores/client/", {STORES: [changed]})
        opened = inside(api, "Keystore", "client")
        assert ("other", MATERIAL, "changeit-please") == (
            opened["alias"],
            opened["file"],
            opened["password"],
        )
        assert (200, "") == send(api, "DELETE", "keystores/client/")
        assert [] == rows(api, "keystores/")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"keyStoreType": "PEM"}, "Unknown keyStoreType (PEM)! Supported values: JKS, PKCS12"),
            ({"password": ""}, "password value can not be empty!"),
            ({"file": "%"}, "The keystore's file for environment production is not valid Base64!"),
        ],
    )
    def test_what_is_wrong_is_told(self, api: Api, wrong: dict[str, str], why: str) -> None:
        body = STORE | {STORES: [STORE[STORES][0] | wrong]}
        assert (400, why) == send(api, "POST", "keystores/", body)

    def test_one_comes_from_a_file(self, api: Api) -> None:
        fields = {"keystoreName": "client", "alias": "client", "keyStoreType": "JKS"}
        fields |= {"password": "changeit-please", "environmentList": "production"}
        file = ("keystoreFile", base64.b64decode(MATERIAL))
        assert (200, "") == upload(api, "POST", "keystores/import-file", file, **fields)
        opened = inside(api, "Keystore", "client")
        assert (MATERIAL, "changeit-please") == (opened["file"], opened["password"])
        assert "changeit-please" not in everything(api)


class TestJwks:
    def test_one_from_a_keystore_is_made_described_and_deleted(self, api: Api) -> None:
        send(api, "POST", "keystores/", STORE)
        source = {"keyStoreName": "client", "environmentName": "production", "aliasName": "client"}
        source |= {"sourceType": "KEYSTORE", "useType": "SIGNATURE", "algorithm": "RS256"}
        assert (200, "") == send(api, "POST", "jwks/", {"name": "signing", **source})
        twice = "JWK (name: signing) is already exist! Try update operation if want to change its value."
        assert (400, twice) == send(api, "POST", "jwks/", {"name": "signing", **source})
        put = {"name": "signing", "description": "Signs", "kid": "ignored"}
        assert (200, "") == send(api, "PUT", "jwks/signing/", put)
        shown = {"id": "signing", "name": "signing", "sourceType": "KEYSTORE"}
        assert [shown | {"description": "Signs"}] == rows(api, "jwks/signing/")
        assert "client" == given(api, "Jwk", "signing")["source"]["keyStoreName"]
        assert (200, "") == send(api, "DELETE", "jwks/signing/")
        absent = (400, "JWK (name: signing) is not found! Try create operation.")
        assert absent == send(api, "PUT", "jwks/signing/", put)

    def test_one_that_is_pasted_or_in_a_file_is_sealed(self, api: Api) -> None:
        text = json.dumps({"kty": "oct", "k": MATERIAL.rstrip("=")})
        body = {"name": "pasted", "sourceType": "COPY_PASTE", "jwkStr": text, "kid": "k1"}
        assert (200, "") == send(api, "POST", "jwks/", body)
        file = ("jwkFile", text.encode())
        fields = {"jwkName": "imported", "kid": "k2"}
        assert (200, "") == upload(api, "POST", "jwks/import-file/", file, **fields)
        for name in ("pasted", "imported"):
            assert text == given(api, "Jwk", name)["source"]["jwkStr"]
        assert {"k1", "k2"} == {one["kid"] for one in rows(api, "jwks/")}
        assert MATERIAL.rstrip("=") not in everything(api) + str(rows(api, "jwks/"))
        no_id = (400, "kid value can not be empty!")
        assert no_id == upload(api, "POST", "jwks/import-file/", file, jwkName="x")

    def test_one_is_generated_once(self, api: Api) -> None:
        body = {"name": "made", "type": "EC", "kid": "k", "ec": {"curveType": "P256"}}
        assert (200, "") == send(api, "POST", "jwks/generate", body)
        assert (400, "JWK (name: made) is already exist!") == send(
            api, "POST", "jwks/generate", body
        )
        expected = {"id": "made", "name": "made", "description": "", "type": "EC", "kid": "k"}
        assert [expected] == rows(api, "jwks/made/")

    @pytest.mark.parametrize(
        ("path", "body", "why"),
        [
            ("jwks/", {"sourceType": "URL", "url": "https://x"}, "JWK name can not be empty!"),
            ("jwks/", {"name": "x"}, "Source type is required!"),
            (
                "jwks/",
                {"name": "x", "sourceType": "URL"},
                "URL is required for URL source type!",
            ),
            ("jwks/generate", {"name": "x"}, "JWK type can not be empty!"),
        ],
    )
    def test_what_is_wrong_is_told(
        self, api: Api, path: str, body: dict[str, Any], why: str
    ) -> None:
        assert (400, why) == send(api, "POST", path, body)


FIELDS = {
    "certificateName": "partner",
    "alias": "partner",
    "certificateDescription": "Theirs",
    "environmentList": "production,test",
}


class TestCertificates:
    def test_one_is_made_and_shown_with_what_is_in_it(self, api: Api) -> None:
        made = upload(api, "POST", "certificates/", ("pemEncodedFile", PEM), **FIELDS)
        assert (200, "") == made
        (shown,) = rows(api, "certificates/")
        assert [shown] == rows(api, "certificates/partner/")
        facts = {
            "alias": "partner",
            "startDate": "2026-01-01T00:00:00+00:00",
            "endDate": "2036-01-01T00:00:00+00:00",
            "subjectDn": "CN=partner",
            "sha1Thumbprint": hashlib.sha1(DER, usedforsecurity=False).hexdigest().upper(),
            "base64EncodedContent": base64.b64encode(DER).decode(),
        }
        assert {
            "name": "partner",
            "description": "Theirs",
            "certificateEnvironmentList": [
                {"environmentName": name, **facts} for name in ("production", "test")
            ],
        } == shown
        again = upload(api, "POST", "certificates", ("pemEncodedFile", PEM), **FIELDS)
        assert (400, "Certificate (name: partner) is already exist!") == again

    def test_an_import_replaces_what_it_names_and_a_put_all(self, api: Api) -> None:
        upload(api, "POST", "certificates/", ("pemEncodedFile", PEM), **FIELDS)
        other = certificate("other").public_bytes(Encoding.DER)
        fields = {"certificateName": "partner", "alias": "other", "environmentList": "test"}
        taken = upload(
            api, "POST", "certificates/import-file/", ("certificateFile", other), **fields
        )
        assert (200, "") == taken
        assert {"production": "CN=partner", "test": "CN=other"} == self.subjects(api)
        assert "Theirs" == rows(api, "certificates/partner/")[0]["description"]
        put = ("pemEncodedFile", certificate("third").public_bytes(Encoding.PEM))
        fields = {k: v for k, v in fields.items() if k != "certificateName"}
        assert (200, "") == upload(api, "PUT", "certificates/partner/", put, **fields)
        assert {"test": "CN=third"} == self.subjects(api)
        kept = send(api, "DELETE", "certificates/partner/?jwkDeleteAction=DELETE")
        assert (400, True) == (kept[0], "jwkDeleteAction DELETE is not done here" in kept[1])
        assert (200, "") == send(api, "DELETE", "certificates/partner/?jwkDeleteAction=NULLIFY")
        absent = (400, "Certificate (name: partner) is not found!")
        assert absent == send(api, "DELETE", "certificates/partner")

    def subjects(self, api: Api) -> dict[str, str]:
        (shown,) = rows(api, "certificates/partner/")
        return {
            one["environmentName"]: one["subjectDn"] for one in shown["certificateEnvironmentList"]
        }

    def test_its_fields_may_stand_in_the_address(self, api: Api) -> None:
        path = (
            "certificates/?certificateName=a&alias=a&certificateDescription=&environmentList=test"
        )
        assert (200, "") == upload(api, "POST", path, ("pemEncodedFile", PEM))
        hidden = (
            f"certificates/?certificateName=b&alias=b&environmentList=test&pemEncodedFile={'x'}"
        )
        empty = (400, "pemEncodedFile value can not be empty!")
        assert empty == send(api, "POST", hidden)

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (PEM + PRIVATE.encode(), "pemEncodedFile can not hold a private key!"),
            (b"PK\3\4", "pemEncodedFile holds no certificate!"),
            (b"", "pemEncodedFile value can not be empty!"),
        ],
    )
    def test_only_certificates_are_taken(self, api: Api, content: bytes, why: str) -> None:
        file = ("pemEncodedFile", content)
        assert (400, why) == upload(api, "POST", "certificates/", file, **FIELDS)
        assert PRIVATE.splitlines()[1] not in everything(api)

    def test_an_alias_is_one_certificates_in_an_environment(self, api: Api) -> None:
        upload(api, "POST", "certificates/", ("pemEncodedFile", PEM), **FIELDS)
        fields = FIELDS | {"certificateName": "b", "environmentList": "test"}
        taken = "Alias (partner) is already used for another certificate, try changing this value!"
        file = ("pemEncodedFile", PEM)
        assert (400, taken) == upload(api, "POST", "certificates/", file, **fields)
        fields["alias"] = "b"
        assert (200, "") == upload(api, "POST", "certificates/", file, **fields)


def test_what_is_secret_is_nowhere_to_be_read(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    send(api, "POST", "keys/", AES)
    send(api, "POST", "keystores/", STORE)
    told = [
        send(api, "POST", "keys/", AES | {"name": "x", "unknown": 1}),
        send(api, "POST", "keys/", AES | {"name": "x", "algorithm": None}),
        send(api, "POST", "keys/", AES | {"name": "x", ROWS: [{"content": MATERIAL}]}),
        send(api, "POST", "keys/", AES | {"name": "x", ROWS: [[MATERIAL]]}),
    ]
    assert [400] * 4 == [status for status, _ in told]
    entries = list(api.house.manager.entries(AuditQuery(limit=0)))
    read = [rows(api, "keys/"), rows(api, "keystores/")]
    for place in (everything(api), str(entries), str(read), str(told), caplog.text):
        for word in (MATERIAL, "changeit-please"):
            assert word not in place


def test_each_change_has_its_entry_with_its_reason(api: Api) -> None:
    why = {"X-Apiops-Reason": "ticket 4711"}
    send(api, "POST", "keys/", AES, headers=why)
    send(api, "PUT", "keys/payload/", {"description": "new"}, headers=why)
    send(api, "DELETE", "keys/payload/", headers=why)
    entries = [*api.house.manager.entries(AuditQuery(kind="Key", limit=0))]
    assert {"create", "update", "delete"} <= {one.action for one in entries}
    assert {"ticket 4711"} == {one.reason.text for one in entries}


NO_PROJECT = "Project (payments) is not found or user does not have privilege to access it!"


def test_whoever_has_no_right_changes_and_sees_nothing(api: Api) -> None:
    send(api, "POST", "keys/", AES)
    before = len(list(api.house.manager.entries(AuditQuery(limit=0))))
    file = ("certificateFile", PEM)
    fields = {"certificateName": "x", "alias": "x", "environmentList": "test"}
    refused = [
        *(send(api, "POST", path, body, as_="deniz")
          for path, body in (("keys/", AES), ("keystores/", STORE), ("jwks/generate", {"name": "x"}))),
        *(send(api, "GET", path, as_="deniz")
          for path in ("keys/", "keys/payload/", "keystores/", "jwks/", "certificates/")),
        upload(api, "POST", "certificates/import-file/", file, "deniz", **fields),
        upload(api, "POST", "keys/import-file/", ("keyFile", b"x"), "deniz", keyName="payload"),
    ]  # fmt: skip
    assert {(400, NO_PROJECT)} == set(refused)
    assert before == len(list(api.house.manager.entries(AuditQuery(limit=0))))
