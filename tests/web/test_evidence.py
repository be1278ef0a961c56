"""The log as evidence over HTTP, and a server that does not tell the truth about it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiops.errors import ApiopsError, StoreError
from apiops.manager import note
from apiops.model.audit import AuditQuery
from apiops.remote.client import Client, Reach
from apiops.remote.log import NativeLog
from apiops.wiring import trail
from tests.remoteshop import Remote, remote
from tests.servers import Request, Told
from tests.serving import a_token
from tests.shop import MERT, a_proxy
from tests.web.conftest import Api


@pytest.fixture
def begun(tmp_path: Path, database: str) -> Iterator[Remote]:
    """A served shop after its first apply, and an auditor's token."""
    with remote(tmp_path, database) as shop:
        shop.introduce()
        shop.token = a_token(shop.open, "ayse", "audit", "plan", "apply")
        yield shop


def test_the_verbs_of_evidence_work_through_the_server(begun: Remote) -> None:
    """A checkpoint, its growth, a proof and the whole walk; all verified with files alone."""
    key, early, proof, growth = (begun.folder / name for name in ("pub", "early", "proof", "grown"))
    key.write_text(begun.there("audit", "key").out)
    assert 0 == begun.there("audit", "checkpoint", "--file", early).code
    begun.commit(MERT, {"payments/more.yaml": a_proxy("more")}, "More")
    assert 0 == begun.there("apply", "--yes").code
    proof.write_text(begun.there("audit", "prove", "3").out)
    growth.write_text(begun.there("audit", "prove", "--grown-since", early).out)
    for evidence, kept in ((proof, ()), (growth, ("--checkpoint", early))):
        done = begun.run("audit", "verify", "--proof", evidence, "--key", key, *kept)
        assert 0 == done.code, done.err
    known = ("--key", key, "--checkpoint", early)
    assert 0 == begun.there("audit", "verify", *known).code
    before = early.read_text()
    assert 0 == begun.there("audit", "checkpoint", "--file", early).code
    assert note.parse(before).size < note.parse(early.read_text()).size
    assert begun.here("audit", "verify", *known).code == 0


def test_whoever_may_not_view_the_whole_log_gets_proofs_of_what_they_may(api: Api) -> None:
    (mine, theirs) = (
        next(iter(api.house.manager.entries(AuditQuery(project=project, limit=1)))).seq
        for project in ("payments", "cards")
    )
    assert 200 == api.call("POST", f"/v1/audit/{mine}/proof", as_="mert").status
    hidden = api.call("POST", f"/v1/audit/{theirs}/proof", as_="mert")
    absent = api.call("POST", "/v1/audit/99999/proof", as_="mert")
    assert (404, 404) == (hidden.status, absent.status)
    assert hidden.json()["detail"] == absent.json()["detail"]
    for path, body in (("checkpoint", {}), ("verify", {}), ("growth", {"checkpoint": "x"})):
        answer = api.call("POST", f"/v1/audit/{path}", as_="mert", json=body)
        assert (403, "AO520") == (answer.status, answer.json()["code"]), path
        assert 403 == api.call("POST", f"/v1/audit/{path}", as_="ci", json=body).status
    assert 200 == api.call("POST", "/v1/audit/verify", as_="ayse", json={}).status
    bad = api.call("POST", "/v1/audit/verify", as_="ayse", json={"keys": ["none"]})
    assert (400, "AO770") == (bad.status, bad.json()["code"])


def test_a_server_is_not_believed_that_its_log_only_grew(api: Api, tmp_path: Path) -> None:
    """It says that all is well, and signs what it likes; the kept checkpoint finds it out."""
    house = api.house
    kept = house.manager.checkpoints.make()
    keys = tuple(house.manager.checkpoints.public_keys())
    good = house.manager.checkpoints.extend(kept)
    head, _, tail = good.partition("\n\n")
    forged = "\n".join((*head.split("\n")[:1], "A" * 43 + "=", "", tail))
    says = {
        "verify": {"entries": 1, "head": "x", "first_bad": None},
        "growth": {"proof": forged},
        "keys": {"keys": [str(key) for key in keys]},
    }

    def lying(request: Request) -> tuple[int, dict[str, str], bytes]:
        path = request.path.rsplit("/", 1)[-1]
        return 200, {"Content-Type": "application/json"}, json.dumps(says[path]).encode()

    file = tmp_path / "kept"
    file.write_text(kept)
    with Told(lying) as server, Client(Reach(server.url), lambda: None) as client:
        log = NativeLog(client).checkpoints
        assert 1 == trail.verify(log, keys, ()).entries
        with pytest.raises(StoreError, match="does not hold"):
            trail.verify(log, keys, (kept,))
        with pytest.raises(StoreError, match="does not hold"):
            trail.witness(log, file, Path.write_bytes)
        assert kept == file.read_text()
        says["keys"] = {"keys": ["/etc/passwd"]}
        with pytest.raises(ApiopsError, match="not the public key"):
            trail.witness(log, file, Path.write_bytes)


def test_keys_are_rotated_sealed_with_again_and_retired_over_http(api: Api) -> None:
    token = a_token(api.house.manager, "ayse", "keys")
    work = {"environment": "production", "reason": "yearly"}
    (old,) = [
        one
        for one in api.get("/v1/keys", token=token).json()["keys"]
        if (one["environment"], one["purpose"]) == ("production", "seal")
    ]
    made = api.call("POST", "/v1/keys/rotate", token=token, json=work)
    assert (200, "active") == (made.status, made.json()["state"])
    early = api.call("POST", f"/v1/keys/{old['kid']}/retire", token=token, json=work)
    assert (422, "AO733") == (early.status, early.json()["code"])
    done = api.call("POST", "/v1/keys/reseal", token=token, json=work).json()
    assert (old["values"], 0) == (done["sealed"], done["left"])
    gone = api.call("POST", f"/v1/keys/{old['kid']}/retire", token=token, json=work)
    assert (200, "retired") == (gone.status, gone.json()["state"])
    said = {one.reason.text for one in api.house.manager.entries(AuditQuery(limit=8))}
    assert "yearly" in said
    assert {"apiops"} >= {
        one.principal for one in api.house.manager.entries(AuditQuery(limit=8))
    } - {"ayse"}


def test_keys_are_not_for_everybody_and_a_denial_is_recorded(api: Api) -> None:
    token = a_token(api.house.manager, "mert", "keys")
    work = {"environment": "production", "reason": "mine now"}
    assert 403 == api.get("/v1/keys", token=token).status
    for path in ("rotate", "reseal", "v1/retire"):
        answer = api.call("POST", f"/v1/keys/{path}", token=token, json=work)
        assert (403, "AO520") == (answer.status, answer.json()["code"]), path
    denied = [one.action for one in api.house.manager.entries(AuditQuery(outcome="denied"))]
    assert ["key-retire", "key-reseal", "key-rotate"] == denied
    assert 403 == api.call("POST", "/v1/keys/rotate", as_="ayse", json=work).status, "its scope"
    blank = {"environment": "production", "reason": "  "}
    strong = a_token(api.house.manager, "ayse", "keys")
    assert 400 == api.call("POST", "/v1/keys/rotate", token=strong, json=blank).status
    assert (
        422
        == api.call(
            "POST", "/v1/keys/rotate", token=strong, json={"environment": "nowhere", "reason": "x"}
        ).status
    )
