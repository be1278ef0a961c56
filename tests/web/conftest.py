"""A served Manager on each engine, with people, projects, a secret and something that runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import urllib3

from apiops.git.inbox import Inbox
from apiops.model.plan import Action
from apiops.model.token import Holder
from apiops.web import app
from apiops.web.guard import Limits
from apiops.wiring.serving import Serving
from apiops.wiring.settings import TargetSettings
from tests.managers import House, a_resource, a_write, secret_resource, settle, write_batch
from tests.serving import a_token, served

PASSWORD = "hunter2-plaintext"


@dataclass
class Api:
    """A served Manager: `api.get("/v1/state", as_="mert")`."""

    house: House
    url: str
    app: Any
    tokens: dict[str, str] = field(default_factory=dict)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def call(
        self,
        method: str,
        path: str,
        *,
        as_: str | None = None,
        token: str | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One request, as somebody or with a token."""
        sent = dict(headers or {})
        shown = self.tokens[as_] if as_ else token
        if shown is not None:
            sent["Authorization"] = f"Bearer {shown}"
        more: dict[str, Any] = {}
        if json is not None:
            more = {"body": orjson.dumps(json)}
            sent["Content-Type"] = "application/json"
        if form is not None:
            more = {
                "fields": form,
                "encode_multipart": any(isinstance(v, tuple) for v in form.values()),
            }
        return self.pool.request(method, self.url + path, headers=sent, timeout=60, **more)

    def get(self, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        return self.call("GET", path, **more)


@pytest.fixture
def api(house: House, tmp_path: Path) -> Iterator[Api]:
    """Ayşe and Mert; projects payments and cards; a proxy with a credential runs in production."""
    furnish(house)
    kept = Inbox(tmp_path / "kept")
    targets = {"production": TargetSettings("production", "production", house.url)}
    made = app.create(Serving(house.manager, kept, targets), Limits(seconds=1.0))
    with served(made) as url:
        api = Api(house, url, made)
        every = ("read", "write", "plan", "apply", "audit", "tokens", "override")
        for name in ("ayse", "mert", "deniz"):
            api.tokens[name] = a_token(house.manager, name, *every)
        api.tokens["ci"] = a_token(house.manager, "ci", "plan", "apply", kind=Holder.SERVICE)
        for place in ("production", "test"):
            api.tokens[f"worker-{place}"] = a_token(
                house.manager, place, "bundle", kind=Holder.WORKER
            )
        yield api


def furnish(house: House) -> None:
    manager, create = house.manager, Action.CREATE
    settle(manager)
    credential, plain = secret_resource(manager)
    write_batch(
        manager,
        a_write(create, a_resource("Environment", "test", {"type": "TEST"}, None)),
        a_write(create, a_resource("User", "deniz", {"email": "deniz@bank.example"}, None)),
        a_write(create, a_resource("Project", "cards", {"displayName": "Cards"}, None)),
        unit="system",
        base=1,
        number=2,
    )
    proxy = a_resource("ApiProxy", "orders", {"type": "REVERSE_PROXY", "description": "Orders"})
    member = a_resource("Membership", "mert", {"user": "mert", "roles": ["Project Owner"]})
    values = {"test": {"value": "in test"}, "production": {"value": "in production"}}
    variable = a_resource("EnvironmentVariable", "HOST", {"global": False, "values": values})
    write_batch(
        manager,
        a_write(create, member),
        a_write(create, credential, secrets=plain),
        a_write(create, variable),
        a_write(create, proxy),
        a_write(Action.DEPLOY, proxy, environment="production"),
        base=1,
        number=2,
    )
    write_batch(
        manager,
        a_write(
            create,
            a_resource(
                "Membership", "deniz", {"user": "deniz", "roles": ["Project Owner"]}, "cards"
            ),
        ),
        unit="cards",
        number=2,
    )
    limits = a_resource("ApiProxy", "limits", {"type": "REVERSE_PROXY"}, "cards")
    write_batch(
        manager,
        a_write(create, limits, by="deniz"),
        a_write(Action.DEPLOY, limits, by="deniz", environment="test"),
        unit="cards",
        base=2,
        number=3,
    )
