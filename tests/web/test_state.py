"""The live state over HTTP: by digest first, documents where they differ."""

import pytest

from apiops.access.grants import ENGINE
from apiops.errors import AccessDenied
from tests.managers import a_context
from tests.web.conftest import Api


def test_the_state_by_digest_is_that_of_the_documents(api: Api) -> None:
    """Every row that anybody is shown says what the document itself says."""
    live = {one.id: one for one in api.house.manager.read("", "").resources}
    shown = api.house.manager.views.standing(ENGINE)
    assert list(live) == [one.id for one in shown]
    for one in shown:
        whole = live[one.id]
        running = tuple(deployment.environment for deployment in whole.deployments)
        assert (one.digest, one.serial, one.owner, one.environments) == (
            whole.digest,
            whole.serial,
            whole.owner,
            running,
        )


def test_a_document_has_its_digest_as_its_etag_and_leaves_for_secrets(api: Api) -> None:
    row = next(
        one
        for one in api.get("/v1/state?kind=Credential", as_="mert").json()["resources"]
        if one["name"] == "app"
    )
    answer = api.get("/v1/projects/payments/Credential/app", as_="mert")
    assert f'"{row["digest"]}"' == answer.headers["ETag"]
    assert {"$secret"} == set(answer.json()["spec"]["password"])


def test_the_state_can_be_narrowed(api: Api) -> None:
    every = api.get("/v1/state", as_="ayse").json()["resources"]
    users = api.get("/v1/state?project=system&kind=User", as_="ayse").json()["resources"]
    assert {"ayse", "mert", "deniz"} == {one["name"] for one in users}
    assert len(users) < len(every)


def test_the_log_is_asked_by_outcome(api: Api) -> None:
    with pytest.raises(AccessDenied):
        api.house.manager.keys.rotate(
            "production", "seal", principal="mert", context=a_context("mert")
        )
    denied = api.get("/v1/audit?outcome=denied&limit=1000", as_="ayse").json()["entries"]
    assert {"denied"} == {one["outcome"] for one in denied}
    assert ("key-rotate", "mert") in {(one["action"], one["principal"]) for one in denied}
    done = api.get("/v1/audit?outcome=done&limit=1000", as_="ayse").json()["entries"]
    assert {"done"} == {one["outcome"] for one in done}


def test_leases_are_shown_to_who_may_look_at_the_system(api: Api) -> None:
    with api.house.manager.lease("somebody/production", "run-9"):
        held = api.get("/v1/leases", as_="ayse").json()["leases"]
        assert [("somebody/production", "run-9")] == [
            (one["name"], one["holder"]) for one in held if one["holder"] == "run-9"
        ]
        assert [] == api.get("/v1/leases", as_="mert").json()["leases"]


def test_readiness_tells_what_is_wrong_and_liveness_only_that_it_runs(api: Api) -> None:
    assert (200, b"ok\n") == (api.get("/livez").status, api.get("/livez").data)
    ready = api.get("/readyz?verbose=true")
    assert (200, b"[+] database ok\n[+] folder ok\n") == (ready.status, ready.data)
    kept = api.app.state.serving.inbox._folder
    kept.rmdir()
    kept.touch()
    broken = api.get("/readyz?verbose=true")
    assert (503, True) == (broken.status, b"[-] folder failed: AO823" in broken.data)
    assert 200 == api.get("/livez").status


def test_metrics_count_without_names(api: Api) -> None:
    api.get("/v1/projects/payments/ApiProxy/orders", as_="mert")
    api.get("/v1/state", token="wrong")
    text = api.get("/metrics").data.decode()
    assert 'route="/v1/projects/{project}/{kind}/{name:path}"' in text
    assert "apiops_tokens_refused_total 1.0" in text
    for name in ("payments", "orders", "mert", "ayse"):
        assert name not in text
