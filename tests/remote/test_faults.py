"""Whatever happens on the way, and wherever a run is killed: one more run, and all is as wished.

The measure is what a run without any fault leaves in the Manager: nothing doubled, nothing lost,
and what others made untouched.
"""

import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apiops.errors import ApiopsError
from apiops.model.outcome import Result
from apiops.model.resource import Resource
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from tests.remote.deaths import risen, witnessed
from tests.remote.gateway import Gateway, Moment, a_resource, done, left, secret, told
from tests.remote.meddler import AFTER, BEFORE, HARMLESS, Meddler


def before(gateway: Gateway) -> list[Resource]:
    """What is there when the fault strikes."""
    return [
        a_resource("EnvironmentVariable", "HOST", values={"dev": {"value": "a", "visible": True}}),
        a_resource("IpGroup", "gone", ipList=["10.0.0.1"]),
        a_resource("Connection", "hook", type="webhook", fullUrl="https://a.example"),
        a_resource(
            "ApiProxy",
            "orders",
            type="EMPTY_API",
            clientRoute={"relativePathList": ["/orders"]},
            endpoints=[{"name": "/x", "httpMethod": "GET"}],
            policies={"request": [policy("keep"), policy("drop")]},
            settings={"connection": {"readTimeout": 10}},
            deployments=[{"environment": "dev"}],
        ),
        a_resource("Credential", "app", **person("one"), access=[{"name": "orders"}]),
    ]


def after(gateway: Gateway) -> list[Resource]:
    """What is wished: things made, changed, moved, taken away, deployed."""
    return [
        a_resource("EnvironmentVariable", "HOST", values={"dev": {"value": secret("b")}}),
        a_resource("EnvironmentVariable", "NEW", globalValue="x", **{"global": True}),
        a_resource("IpGroup", "made", ipList=["10.0.0.2"]),
        a_resource("Connection", "hook", type="webhook", fullUrl="https://b.example"),
        a_resource("LlmProvider", "models", providerType="OPENAI", apiKey=secret("k")),
        a_resource(
            "ApiProxy",
            "orders",
            type="EMPTY_API",
            clientRoute={"relativePathList": ["/orders", "/all"]},
            endpoints=[{"name": "/y", "httpMethod": "GET", "active": False}],
            policies={"request": [policy("first"), policy("keep")], "error": [policy("last")]},
            settings={"connection": {"readTimeout": 20}, "cors": {"corsActive": True}},
            deployments=[{"environment": "dev"}, {"environment": "production"}],
        ),
        a_resource(
            "ApiProxy",
            "new",
            type="REVERSE_PROXY",
            clientRoute={"relativePathList": ["/new"]},
            routing={"addresses": [{"address": "https://new.example"}]},
        ),
        a_resource(
            "Credential", "app", **person("two"), access=[{"name": "orders"}, {"name": "new"}]
        ),
    ]


def policy(name: str) -> dict[str, Any]:
    return {"name": name, "type": "policy-max-message-size", "spec": {"maxMessageSize": 10}}


def person(password: str) -> dict[str, Any]:
    return {"email": "a@b.example", "fullName": "App", "password": secret(password)}


def holds(gateway: Gateway) -> Any:
    """What the Manager holds, without what it counts and names by itself."""
    return _bare(copy.deepcopy(gateway.world.projects))


def _bare(node: Any) -> Any:
    own = {"id", "history", "parses", "text"}
    if hasattr(node, "__dict__"):
        node = vars(node)
    if isinstance(node, dict):
        return {str(k): _bare(v) for k, v in node.items() if k not in own and v != []}
    return [_bare(item) for item in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """When the fault may strike: made once, gone on from often."""
    with Gateway(tmp_path_factory.mktemp("prepared")) as gateway:
        prepare(gateway)
        return gateway.moment()


@pytest.fixture(scope="module")
def wished(tmp_path_factory: pytest.TempPathFactory, prepared: Moment) -> Any:
    """What an undisturbed run leaves."""
    with Gateway(tmp_path_factory.mktemp("wished"), since=prepared) as gateway:
        assert done(gateway.apply(after(gateway)))
        return holds(gateway)


def prepare(gateway: Gateway) -> None:
    gateway.payments.ip_groups["theirs"] = {
        "name": "theirs",
        "description": None,
        "ipList": ["1.1.1.1"],
    }
    assert done(gateway.apply(before(gateway)))


def recovers(gateway: Gateway, wished: Any, what: str = "") -> None:
    outcomes = gateway.apply(after(gateway))
    assert done(outcomes), f"{what}: {told(outcomes)}"
    assert "" == left(gateway.plan(after(gateway))), what
    assert wished == holds(gateway), what


WRITES = 19
"""At least so many writes has the run; a fault that comes later never strikes."""

FAULTS = (*AFTER, *BEFORE, *HARMLESS)
STRIDE = 5
"""As many as `BEFORE` has: of any faults so far apart in `FAULTS` just one is of those."""


@pytest.fixture
def struck(tmp_path: Path, prepared: Moment) -> Iterator[tuple[Gateway, Meddler]]:
    with (
        Gateway(tmp_path, since=prepared) as gateway,
        Meddler(gateway.standin.port) as meddler,
    ):
        gateway.address, gateway.patience = meddler.url, 1.0
        yield gateway, meddler


def strike(
    gateway: Gateway, meddler: Meddler, fault: str, at: int, times: int, wished: Any
) -> None:
    meddler.spoil(fault, at, times)
    outcomes = gateway.apply(after(gateway))
    assert meddler.spoilt, f"only {meddler.writes} writes"
    bad = [o for o in outcomes if o.result not in (Result.DONE, Result.BLOCKED)]
    assert all(o.code and o.message for o in bad)
    meddler.spoil()
    recovers(gateway, wished)


@pytest.mark.parametrize(
    ("at", "fault"),
    [(at, fault) for at in range(WRITES) for fault in FAULTS[at % STRIDE :: STRIDE]],
)
def test_spoilt_at_every_write(struck: Any, wished: Any, fault: str, at: int) -> None:
    """Each write meets a fault of either side of it, each fault three writes or more; the answer to
    every other write is spoilt again when it is asked for again.
    """
    strike(*struck, fault, at, 1 + at % 2, wished)


@pytest.mark.parametrize(
    ("fault", "at"),
    [(fault, (4, 13)[number % 2]) for number, fault in enumerate([*AFTER, *BEFORE])],
)
def test_answers_spoilt_until_the_run_gives_up(
    struck: Any, wished: Any, fault: str, at: int
) -> None:
    struck[0].patience = 0.3
    strike(*struck, fault, at, 1000, wished)


@pytest.fixture(scope="module")
def read(
    tmp_path_factory: pytest.TempPathFactory, prepared: Moment
) -> Iterator[tuple[Gateway, Meddler, str]]:
    """A Manager whose reads can be spoilt, and what is to do there; nothing of it is done."""
    with (
        Gateway(tmp_path_factory.mktemp("read"), since=prepared) as gateway,
        Meddler(gateway.standin.port) as meddler,
    ):
        gateway.address, gateway.patience = meddler.url, 0.3
        yield gateway, meddler, left(gateway.plan(after(gateway)))


@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize("fault", [*AFTER, *BEFORE])
def test_what_cannot_be_read_is_not_taken_for_gone(read: Any, fault: str, at: int) -> None:
    gateway, meddler, to_do = read
    there = holds(gateway)
    meddler.spoil(fault, at, 1000, reads=True)
    with pytest.raises(ApiopsError) as unread:
        gateway.apply(after(gateway))
    meddler.spoil()

    assert unread.value.code in ("AO742", "AO760", "AO763", "AO764", "AO765")
    assert there == holds(gateway)
    assert to_do == left(gateway.plan(after(gateway)))


@pytest.mark.parametrize("at", [0, 20])
@pytest.mark.parametrize("fault", [*AFTER, *BEFORE, *HARMLESS])
def test_one_spoilt_read_ends_the_plan_or_changes_nothing_of_it(
    read: Any, fault: str, at: int
) -> None:
    gateway, meddler, to_do = read
    meddler.spoil(fault, at, reads=True)
    planned = to_do
    with suppress(ApiopsError):
        planned = left(gateway.plan(after(gateway)))
    spoilt = meddler.spoilt
    meddler.spoil()

    assert 1 == spoilt
    assert to_do == planned


class Killed(BaseException):
    """The end of the process, as far as a test in the same process can have it."""


class Mortal(Client):
    """A client whose process is killed before or after its n-th write."""

    def __init__(self, reach: Reach, token: str, *, lives: int, sends_last: bool) -> None:
        super().__init__(reach, lambda: SecretValue(token))
        self.lives = lives
        self.sends_last = sends_last

    def call(self, method: str, path: str, **more: Any) -> Answer:
        if method == "GET":
            return super().call(method, path, **more)
        self.lives -= 1
        if self.lives < 0 and not self.sends_last:
            raise Killed
        answer = super().call(method, path, **more)
        if self.lives < 0:
            raise Killed
        return answer


def test_killed_before_and_after_every_write(tmp_path: Path, prepared: Moment, wished: Any) -> None:
    (begun := tmp_path / "begun").mkdir()
    with Gateway(begun, since=prepared) as gateway:
        outcomes, moments = witnessed(gateway, after(gateway))
    assert done(outcomes)
    assert len(moments) >= 2 * WRITES
    for what, gateway in risen(tmp_path, moments):
        recovers(gateway, wished, what)


def test_a_token_revoked_in_the_middle_ends_the_run_and_the_next_goes_on(
    tmp_path: Path, prepared: Moment, wished: Any
) -> None:
    with Gateway(tmp_path, since=prepared) as gateway:
        user = gateway.world.users[gateway.token]
        gateway.world.expires_after = 12
        outcomes = gateway.apply(after(gateway))
        gateway.world.expires_after = None
        user.expired = False

        assert {"AO761", "AO612"} == {o.code for o in outcomes if o.result is not Result.DONE}
        recovers(gateway, wished)


def test_a_deploy_that_works_in_one_environment_and_not_in_the_other(
    tmp_path: Path, prepared: Moment, wished: Any
) -> None:
    with Gateway(tmp_path, since=prepared) as gateway:
        gateway.world.refusing.add(("orders", "production"))
        outcomes = gateway.apply(after(gateway))
        gateway.world.refusing.clear()

        failed = [(o.change.environment, o.code) for o in outcomes if o.result is Result.FAILED]
        assert [("production", "AO767")] == failed
        rest = [(c.action, c.environment) for c in gateway.plan(after(gateway)).changes]
        assert [("deploy", "production"), ("delete", None)] == rest
        recovers(gateway, wished)
