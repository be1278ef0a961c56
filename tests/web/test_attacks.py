"""The HTTP face as an attacker would try it: tokens, bodies, paths, other people's projects."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlsplit

import jwt
import pytest

from apiops.errors import AccessDenied
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.web import identity
from apiops.web.identity import MOST_FAILURES
from tests.serving import a_token
from tests.web.conftest import PASSWORD, Api

STRANGE = [
    "' OR 1=1 --",
    '"; DROP TABLE resource; --',
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "a\nb",
    "a\r\nX-Evil: 1",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "\u202eorders",
    "x" * 3000,
    "*",
    "%",
    "_",
]


def spoken(api: Api, head: str) -> bytes:
    """The answer to a request whose header lines are sent as they stand."""
    parts = urlsplit(api.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as peer:
        peer.sendall(
            f"GET /v1/state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}".encode("latin-1")
        )
        peer.sendall(b"\r\n\r\n")
        return b"".join(iter(lambda: peer.recv(10_000), b""))


def told(answer) -> dict:
    """A problem without what differs from request to request."""
    return {name: value for name, value in answer.json().items() if name != "instance"}


def test_every_answer_has_the_headers_that_protect_a_reader(api: Api) -> None:
    for path in ("/livez", "/v1/state", "/nowhere", "/v1/openapi.json", "/metrics"):
        headers = api.get(path).headers
        assert "no-store" == headers["Cache-Control"]
        assert "nosniff" == headers["X-Content-Type-Options"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert 32 == len(headers["X-Request-Id"])
        assert "Server" not in headers


def test_a_member_cannot_tell_another_projects_resource_from_none(api: Api) -> None:
    """By name, by list, by filter, by audit entry and by the text of the answer."""
    there = api.get("/v1/projects/cards/ApiProxy/limits", as_="mert")
    nowhere = api.get("/v1/projects/cards/ApiProxy/nothing", as_="mert")
    no_project = api.get("/v1/projects/nothing/ApiProxy/limits", as_="mert")
    system = api.get("/v1/system/User/ayse", as_="mert")
    assert {404} == {one.status for one in (there, nowhere, no_project, system)}
    assert told(there) == told(nowhere) == told(no_project) == told(system)
    seen = {one["project"] for one in api.get("/v1/state", as_="mert").json()["resources"]}
    assert {"payments"} == seen
    assert [] == api.get("/v1/state?project=cards", as_="mert").json()["resources"]
    entries = api.get("/v1/audit?limit=1000", as_="mert").json()["entries"]
    assert {"payments"} == {one["resource"]["project"] for one in entries if one["resource"]}
    assert [] == api.get("/v1/audit?project=cards", as_="mert").json()["entries"]
    theirs = next(iter(api.house.manager.entries(AuditQuery(project="cards", limit=1))))
    hidden = api.get(f"/v1/audit/{theirs.seq}", as_="mert")
    missing = api.get("/v1/audit/999999", as_="mert")
    assert (404, told(missing)) == (hidden.status, told(hidden))
    assert 200 == api.get(f"/v1/audit/{theirs.seq}", as_="deniz").status


def test_a_members_tokens_are_their_own(api: Api) -> None:
    mine = api.get("/v1/tokens", as_="mert").json()["tokens"]
    every = api.get("/v1/tokens", as_="ayse").json()["tokens"]
    assert {"mert"} == {token["principal"] for token in mine}
    assert len(every) > len(mine)
    other = next(token for token in every if token["principal"] == "deniz")
    stranger = api.call("DELETE", f"/v1/tokens/{other['id']}", as_="mert")
    missing = api.call("DELETE", "/v1/tokens/0123456789abcdef", as_="mert")
    assert (404, told(missing)) == (stranger.status, told(stranger))
    assert 200 == api.get("/v1/state", as_="deniz").status


@pytest.mark.parametrize("text", STRANGE)
def test_strange_names_are_names_and_nothing_else(api: Api, text: str) -> None:
    name = quote(text, safe="%")
    before = api.house.manager.verify()
    for path in (
        f"/v1/projects/payments/ApiProxy/{name}",
        f"/v1/projects/{name}/ApiProxy/orders",
        f"/v1/projects/payments/{name}/orders",
        f"/v1/system/User/{name}",
        f"/v1/state?project={name}&kind={name}",
        f"/v1/audit?name={name}&principal={name}",
        f"/v1/targets/{name}/known?repository={'a' * 40}",
        f"/v1/targets/production/known?repository={name}",
        f"/v1/environments/{name}/bundle",
    ):
        answer = api.get(path, as_="ayse")
        assert answer.status in {200, 400, 403, 404}, (path, answer.status, answer.data)
        assert "X-Evil" not in answer.headers
    assert before == api.house.manager.verify()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"kind": "person"',
        b"\xff\xfe",
        b"null",
        b"[]",
        b"1e999999",
        b'{"kind":"person","holder":"ayse","name":"x","scopes":["read"],"days":1e400}',
        b'{"kind":"person","holder":"ayse","name":"x","scopes":' + b"[" * 50_000,
    ],
)
def test_a_body_that_is_deep_or_broken_is_refused(api: Api, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {api.tokens['ayse']}", "Content-Type": "application/json"}
    answer = api.pool.request("POST", api.url + "/v1/tokens", body=body, headers=headers)
    assert answer.status in {400, 422}, answer.data
    assert "AO787" == answer.json()["code"]


@pytest.mark.parametrize("order", ["[" * 100_000, "{", "null", '{"ref": 1}', '{"ref": "a\\u0000"}'])
def test_an_order_that_is_none_is_refused(api: Api, order: str) -> None:
    form = {"repository": "a" * 40, "head": "b" * 40, "order": order, "pack": ("p", b"PACK")}
    answer = api.call("POST", "/v1/targets/production/plans", as_="ci", form=form)
    assert (400, "AO787") == (answer.status, answer.json()["code"]), answer.data


def test_a_pack_that_is_none_is_refused_and_leaves_nothing(api: Api) -> None:
    for content in (b"", b"PACK", b"PACK\0\0\0\2\xff\xff\xff\xff" + b"x" * 30):
        form = {"repository": "a" * 40, "head": "b" * 40, "order": "{}", "pack": ("p", content)}
        answer = api.call("POST", "/v1/targets/production/plans", as_="ci", form=form)
        assert (422, "AO821") == (answer.status, answer.json()["code"])


def test_a_body_beyond_the_limit_is_not_read(api: Api) -> None:
    large = b"x" * (1024 * 1024 + 1)
    headers = {"Authorization": f"Bearer {api.tokens['ayse']}"}
    answer = api.pool.request("POST", api.url + "/v1/tokens", body=large, headers=headers)
    assert (413, "AO783") == (answer.status, answer.json()["code"])

    def dripping() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 65536

    chunked = {**headers, "Transfer-Encoding": "chunked"}
    answer = api.pool.request("POST", api.url + "/v1/tokens", body=dripping(), headers=chunked)
    assert 413 == answer.status


def test_what_is_no_http_is_refused(api: Api) -> None:
    parts = urlsplit(api.url)
    for raw in (
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as peer:
            peer.sendall(raw)
            assert peer.recv(1000)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 404", b"")


def test_guessing_is_stopped_for_the_address_and_who_shows_the_right_token_is_let_in(
    api: Api,
) -> None:
    wrong = "apt_0123456789abcdef_" + "x" * 43
    statuses = [api.get("/v1/state", token=wrong).status for _ in range(MOST_FAILURES + 1)]
    assert [401] * MOST_FAILURES + [429] == statuses
    answer = api.get("/v1/state", token=wrong)
    assert (429, "AO782") == (answer.status, answer.json()["code"])
    assert int(answer.headers["Retry-After"]) > 0
    form = {"grant_type": "client_credentials", "client_id": "ayse", "client_secret": wrong}
    assert 429 == api.call("POST", "/apiops/auth/token", form=form).status
    assert 200 == api.get("/v1/state", as_="ayse").status
    assert "access_token" in issued(api, api.tokens["ayse"], "ayse")
    assert 429 == api.get("/v1/state", token=wrong).status, "the right one makes nothing forgotten"


def test_attempts_are_forgotten_after_a_while_and_addresses_are_not_hoarded() -> None:
    at = [0.0]
    attempts = identity.Attempts(clock=lambda: at[0])
    for _ in range(MOST_FAILURES):
        attempts.failed("203.0.113.9")
    with pytest.raises(AccessDenied):
        attempts.failed("203.0.113.9")
    attempts.failed("203.0.113.10")
    at[0] += identity.WINDOW
    attempts.failed("203.0.113.9")
    for number in range(20_000):
        attempts.failed(f"2001:db8::{number:x}")
    assert len(attempts._failures) <= 10_000


@pytest.mark.parametrize(
    "head",
    [
        "Authorization: Bearer {token}\r\nAuthorization: Bearer {wrong}",
        "Authorization: Bearer {wrong}\r\nAuthorization: Bearer {token}",
        "Authorization: Bearer {token}, Bearer {wrong}",
        "Authorization: Bearer {token} {wrong}",
        "Authorization: Basic {token}",
        "Authorization: {token}",
        "Authorization: Bearer",
        "Authorization: Bearer \xe9{token}",
        "Authorization: Bearer {wrong}\tX: {token}",
        "Proxy-Authorization: Bearer {token}",
        "X-Authorization: Bearer {token}",
        "X-Forwarded-User: ayse",
        "Cookie: token={token}",
        "Authorization : Bearer {token}",
        "X: y\rAuthorization: Bearer {token}",
        "X: y\nAuthorization: Bearer {token}\x00",
    ],
)
def test_a_token_counts_in_one_header_of_one_form(api: Api, head: str) -> None:
    wrong = "apt_0123456789abcdef_" + "x" * 43
    said = spoken(api, head.format(token=api.tokens["ayse"], wrong=wrong))
    assert said.split(b" ")[1] in (b"400", b"401"), said
    assert b"payments" not in said


def test_what_a_client_says_of_its_own_address_is_not_believed(api: Api) -> None:
    bearer = f"Authorization: Bearer {api.tokens['ayse']}"
    claims = (
        "X-Forwarded-For: 203.0.113.66\r\nForwarded: for=203.0.113.66\r\nX-Real-IP: 203.0.113.66"
    )
    wrong = "apt_0123456789abcdef_" + "x" * 43
    for _ in range(MOST_FAILURES):
        spoken(api, f"Authorization: Bearer {wrong}")
    assert b" 429 " in spoken(api, f"Authorization: Bearer {wrong}\r\n{claims}")
    form = {"kind": "service", "holder": "ci", "name": "x", "scopes": ["plan"]}
    headers = dict(line.split(": ") for line in f"{bearer}\r\n{claims}".split("\r\n"))
    assert 200 == api.call("POST", "/v1/tokens", json=form, headers=headers).status
    assert {"127.0.0.1", ""} >= {
        one.address for one in api.house.manager.entries(AuditQuery(limit=0))
    }


def test_a_token_that_is_revoked_or_narrow_ends_with_the_request_before(api: Api) -> None:
    tokens = api.get("/v1/tokens", as_="mert").json()["tokens"]
    assert 200 == api.get("/v1/state", as_="mert").status
    assert 204 == api.call("DELETE", f"/v1/tokens/{tokens[0]['id']}", as_="mert").status
    assert 401 == api.get("/v1/state", as_="mert").status
    narrow = a_token(api.house.manager, "mert", "audit")
    assert 403 == api.get("/v1/state", token=narrow).status
    assert 200 == api.get("/v1/audit", token=narrow).status


def test_a_token_cannot_make_itself_a_stronger_one(api: Api) -> None:
    weak = a_token(api.house.manager, "mert", "tokens", "read")
    wish = {"holder": "mert", "name": "more", "scopes": ["apply"]}
    assert 403 == api.call("POST", "/v1/tokens", token=weak, json=wish).status
    wish["scopes"] = ["read"]
    made = api.call("POST", "/v1/tokens", token=weak, json=wish)
    assert 200 == made.status
    assert 200 == api.get("/v1/state", token=made.json()["secret"]).status
    for holder, kind in (("ayse", "person"), ("ci", "service"), ("production", "worker")):
        wish = {"kind": kind, "holder": holder, "name": "x", "scopes": ["plan"]}
        assert api.call("POST", "/v1/tokens", as_="mert", json=wish).status in {400, 403}


# ── issued tokens ─────────────────────────────────────────────────────────────────────────────


def issued(api: Api, secret: str, client: str, **more: str) -> dict:
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    return api.call("POST", "/apiops/auth/token", form=form | more).json()


def test_a_token_is_exchanged_for_a_short_one_that_the_jwks_verifies(api: Api) -> None:
    made = issued(api, api.tokens["mert"], "mert", scope="read audit")
    assert ("Bearer", 3600, "audit read") == (made["token_type"], made["expires_in"], made["scope"])
    short = made["access_token"]
    assert {"payments"} == {
        one["project"] for one in api.get("/v1/state", token=short).json()["resources"]
    }
    assert 403 == api.get("/v1/tokens", token=short).status
    keys = jwt.PyJWKSet.from_dict(api.get("/.well-known/jwks.json").json())
    kid = jwt.get_unverified_header(short)["kid"]
    claims = jwt.decode(
        short, keys[kid].key, algorithms=["EdDSA"], audience="apiops", options={"verify_exp": False}
    )
    assert "mert" == claims["sub"]


def test_a_workers_short_token_is_signed_by_its_environment(api: Api) -> None:
    made = issued(api, api.tokens["worker-production"], "worker@production")
    short = made["access_token"]
    answer = api.get("/v1/environments/production/bundle", token=short)
    assert (200, True) == (answer.status, PASSWORD in answer.data.decode())
    assert 404 == api.get("/v1/environments/test/bundle", token=short).status


def test_an_issued_token_ends_with_its_hour_with_its_key_and_with_its_token(api: Api) -> None:
    by = AuditContext("ayse", "ayse", Reason("Test"), "run", Source.CONSOLE)
    tokens = api.house.manager.tokens
    short = issued(api, api.tokens["deniz"], "deniz")["access_token"]
    rotated = api.house.manager.keys.rotate("", "sign", principal="ayse", context=by)
    assert 200 == api.get("/v1/state", token=short).status
    newer = issued(api, api.tokens["deniz"], "deniz")["access_token"]
    assert rotated.kid == jwt.get_unverified_header(newer)["kid"]
    old = jwt.get_unverified_header(short)["kid"]
    api.house.manager.keys.retire("", "sign", old, principal="ayse", context=by, compromised=True)
    assert (401, 200) == tuple(api.get("/v1/state", token=one).status for one in (short, newer))
    (id,) = [one.id for one in tokens.list("deniz") if one.principal == "deniz"]
    tokens.revoke(id, by)
    assert 401 == api.get("/v1/state", token=newer).status
    late = issued(api, api.tokens["mert"], "mert")["access_token"]
    api.house.clock.at += timedelta(minutes=61)
    assert 401 == api.get("/v1/state", token=late).status


def test_an_issued_token_that_was_altered_or_forged_is_none(api: Api) -> None:
    short = issued(api, api.tokens["mert"], "mert")["access_token"]
    head, body, seal = short.split(".")
    claims = jwt.decode(short, options={"verify_signature": False})
    kid = jwt.get_unverified_header(short)["kid"]
    none = jwt.encode(claims, None, algorithm="none", headers={"kid": kid})
    public = api.get("/.well-known/jwks.json").json()["keys"][0]["x"]
    hmac = jwt.encode(claims | {"sub": "ayse"}, public.ljust(64), headers={"kid": kid})
    for forged in (
        none,
        hmac,
        f"{head}.{body}.{seal[:-2]}AA",
        f"{head}.{body}.",
        f"{head}..{seal}",
    ):
        assert 401 == api.get("/v1/state", token=forged).status


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "unauthorized_client"),
        (
            {"grant_type": "client_credentials", "client_id": "ayse", "client_secret": "secret"},
            401,
            "unauthorized_client",
        ),
    ],
)
def test_who_shows_no_secret_is_issued_nothing(
    api: Api, form: dict, status: int, error: str
) -> None:
    answer = api.call("POST", "/apiops/auth/token", form=form)
    assert (status, error) == (answer.status, answer.json()["error"])


def test_anothers_name_with_ones_own_secret_is_refused(api: Api) -> None:
    assert "unauthorized_client" == issued(api, api.tokens["mert"], "ayse")["error"]
    wide = issued(api, api.tokens["ci"], "service:ci", scope="plan read")
    assert "invalid_scope" == wide["error"]


def test_no_answer_and_no_log_holds_a_secret(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/v1/state", "/v1/projects/payments/Credential/app", "/v1/audit?limit=1000"):
        for name in ("ayse", "mert"):
            answer = api.get(path, as_=name)
            assert PASSWORD not in answer.data.decode()
            assert not any(token in answer.data.decode() for token in api.tokens.values())
    assert PASSWORD not in caplog.text
    assert not any(token in caplog.text for token in api.tokens.values())


def test_a_client_in_a_charset_that_no_name_is_in_is_refused(api: Api) -> None:
    """What a form's charset makes of bytes need not be anything that UTF-8 can say."""
    fields = {"grant_type": "client_credentials", "client_secret": api.tokens["ayse"]}
    part = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    said = {**fields, "client_id": "\\ud800"}
    body = "".join(part.format(*one) for one in said.items()) + "--B--\r\n"
    form = "multipart/form-data; boundary=B; charset=unicode_escape"
    answer = api.pool.request(
        "POST", api.url + "/apiops/auth/token", body=body, headers={"Content-Type": form}
    )
    assert (401, "unauthorized_client") == (answer.status, answer.json()["error"])
