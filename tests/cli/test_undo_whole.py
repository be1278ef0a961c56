"""Undo leaves nothing half: names, inventories and deployments come back together.

And what an environment demands holds for it, whichever target it is for.
"""

from pathlib import Path

import pytest

from apiops.age import identities
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.plan import Action, Change
from apiops.model.resource import Origin, Resource, ResourceId
from apiops.ports import Batch, Write
from tests.cli.test_breaking import DOCUMENT, LESS
from tests.shop import AYSE, DENIZ, MERT, a_member, a_proxy
from tests.undoshop import (
    APP,
    CREDENTIAL,
    NEWER,
    ORDERS,
    PLAIN,
    SECRET,
    Estate,
    credential,
    waiting,
)

PRODUCTION = """\
apiVersion: apiops/v1
kind: Environment
metadata: {name: production}
spec: {type: PRODUCTION%s}
"""


@pytest.fixture
def estate(tmp_path: Path, database: str) -> Estate:
    return Estate(tmp_path, database)


@pytest.fixture
def shop(tmp_path: Path) -> Estate:
    return Estate(tmp_path, f"sqlite:///{tmp_path / 'manager.db'}")


def renamed(text: str, was: str, name: str) -> str:
    return text.replace(f"{{name: {was},", f"{{name: {name}, renamedFrom: {was},")


def test_what_was_deleted_is_in_the_inventory_again_so_that_a_sync_knows_of_it(
    estate: Estate,
) -> None:
    member = "cards/mert.yaml"
    estate.applied(AYSE, {member: a_member(MERT, "cards", "API Developer")}, "Let Mert in")
    run = estate.applied(AYSE, {member: None, APP: None, SECRET: None}, "Take it away")
    bad = estate.state()
    estate.suspended()
    assert 0 == estate.undone(run).code
    assert 0 == estate.by_hand("resume").code
    plan = estate.run("plan").out
    assert "- Membership/cards/mert" in plan
    assert "- Credential/payments/app" in plan
    assert 0 == estate.run("sync").code
    assert bad == estate.state()


def test_what_a_run_adopted_is_nobodys_again(shop: Estate) -> None:
    id = ResourceId("IpGroup", "payments", "office")
    context = AuditContext("ayse", "ayse", Reason("By hand"), "hand", Source.CONSOLE)
    resource = Resource(id, {"ipList": ["10.0.0.1"]}, Origin("", ""), "")
    write = Write(Change(Action.CREATE, id), resource, ("ayse",), context)
    with shop.open_manager() as manager:
        manager.write(Batch("", "", "payments", None, None, (write,), context, 0))
    text = (
        "apiVersion: apiops/v1\nkind: IpGroup\nmetadata: {name: office, project: payments}\n"
        "spec: {ipList: [10.0.0.2]}\n"
    )
    run = shop.applied(AYSE, {"payments/office.yaml": text}, "Take it over")
    shop.suspended()
    assert 0 == shop.undone(run).code
    again = shop.undone(run)
    assert (0, True) == (again.code, "No changes" in again.out), again.out + again.err
    with shop.open_manager() as manager:
        (found,) = manager.read("", "", [id]).resources
    assert (None, ["10.0.0.1"]) == (found.owner, found.spec["ipList"])


def test_a_field_that_comes_back_is_one_that_the_author_had_written(shop: Estate) -> None:
    written = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 60, retryCount: 3")
    shop.applied(AYSE, {ORDERS: written}, "Try again")
    run = shop.applied(AYSE, {ORDERS: a_proxy("orders")}, "Do not")
    bad = shop.state()
    shop.suspended()
    assert 0 == shop.undone(run).code
    assert 0 == shop.by_hand("resume").code
    assert "retryCount 3 → unset" in shop.run("plan").out
    assert 0 == shop.run("sync").code
    assert bad == shop.state()


def test_what_runs_goes_back_with_a_rename(shop: Estate) -> None:
    before = shop.state()
    files = {ORDERS: None, "payments/bids.yaml": renamed(waiting(5), "orders", "bids")}
    run = shop.applied(MERT, files, "Rename and hurry")
    shop.suspended()
    assert 0 == shop.undone(run).code
    assert before == shop.state()


def test_what_was_deployed_before_a_rename_is_not_deployed_after_it(shop: Estate) -> None:
    idle = a_proxy("orders").replace("deployments:\n    - environment: dev", "deployments: []")
    shop.applied(MERT, {ORDERS: idle}, "Stop")
    before = shop.state()
    run = shop.applied(MERT, {ORDERS: a_proxy("orders")}, "Start")
    name = renamed(a_proxy("orders"), "orders", "bids")
    shop.applied(MERT, {ORDERS: None, "payments/bids.yaml": name}, "Rename")
    shop.suspended()
    assert 0 == shop.undone(run).code
    assert before == shop.state()


def test_two_that_swapped_their_names_run_as_what_they_were(shop: Estate) -> None:
    orders, other = a_proxy("orders"), a_proxy("bids")
    shop.applied(MERT, {"payments/bids.yaml": other}, "Bids")
    before = shop.state()
    third = "payments/third.yaml"
    run = shop.applied(MERT, {ORDERS: None, third: renamed(orders, "orders", "third")}, "One")
    plain = orders.replace("{name: orders", "{name: third")
    files = {third: plain, "payments/bids.yaml": None, ORDERS: renamed(other, "bids", "orders")}
    shop.applied(MERT, files, "Two")
    files = {
        ORDERS: other.replace("{name: bids", "{name: orders"),
        third: None,
        "payments/bids.yaml": renamed(plain, "third", "bids"),
    }
    shop.applied(MERT, files, "Three")
    assert before != shop.state()
    shop.suspended()
    assert 0 == shop.undone(run).code
    assert before == shop.state()


def test_a_name_that_another_took_meanwhile_is_asked_about(shop: Estate) -> None:
    before = shop.state()
    name = renamed(credential(), "app", "client")
    run = shop.applied(MERT, {APP: None, "payments/client.yaml": name}, "Rename")
    client = credential().replace("{name: app", "{name: client").replace("app.sops", "client.sops")
    files = {
        "payments/client.yaml": client,
        "payments/client.sops.yaml": shop.sealed(PLAIN),
        APP: credential(),
        SECRET: shop.sealed(NEWER),
    }
    shop.applied(MERT, files, "Another")
    shop.suspended()
    asked = shop.undone(run)
    assert (5, True) == (asked.code, "AO610" in asked.err), asked.err
    assert 0 == shop.undone(run, "--allow", "rename").code
    assert (before, PLAIN) == (shop.state(), shop.password())


def test_of_what_was_taken_away_twice_the_first_state_comes_back(shop: Estate) -> None:
    before = shop.state()
    run = shop.applied(MERT, {ORDERS: None}, "Away")
    shop.suspended()
    assert 0 == shop.undone(run).code
    hand = "spec.settings.connection.readTimeout=90"
    assert 0 == shop.by_hand("manager", "set", "ApiProxy/payments/orders", hand).code
    assert 0 == shop.by_hand("resume").code
    assert 0 == shop.run("sync").code
    shop.suspended()
    assert 0 == shop.undone(run).code
    assert before == shop.state()


def with_production(shop: Estate, demands: str) -> str:
    """Orders run in two environments; the run of target dev that takes them away."""
    settings = "".join(
        f'[targets.{name}]\nmanager = "{shop.database}"\nenvironment = "{name}"\n'
        for name in ("dev", "production")
    )
    (shop.repository / "apiops.toml").write_text(settings)
    both = a_proxy("orders") + "    - environment: production\n"
    files = {"apiops.toml": settings, "system/production.yaml": PRODUCTION % "", ORDERS: both}
    shop.variables.pop("APIOPS_MANAGER")
    shop.commit(AYSE, files, "Go live")
    assert 0 == shop.run("apply", "--yes", "-t", "dev").code
    shop.commit(MERT, {ORDERS: None}, "Away")
    done = shop.run("apply", "--yes", "-t", "dev", "-o", "json")
    assert 0 == done.code, done.err
    shop.commit(AYSE, {"system/production.yaml": PRODUCTION % demands}, "Demand more")
    assert 0 == shop.run("apply", "--yes", "-t", "dev").code
    assert 0 == shop.by_hand("suspend", "-t", "dev").code
    return str(done.json["report"]["run"])


def test_a_secret_that_nobody_can_open_is_brought_into_the_repository_for_a_new_key(
    shop: Estate,
) -> None:
    """The way that the how-to describes, to the end: afterwards the plan is empty."""
    run = shop.applied(MERT, {APP: None, SECRET: None}, "Remove")
    lost = shop.sealed(PLAIN)
    shop.variables["SOPS_AGE_KEY"], shop.recipient = identities.generate()
    shop.suspended()
    assert 0 == shop.undone(run).code
    kept = ("export", "--kind", "Credential", "--into", str(shop.folder / "kept"))
    done = shop.by_hand(*kept, "--encrypt-to", shop.recipient)
    assert 0 == done.code, done.err
    folder = shop.folder / "kept/projects/payments/credentials"
    taken = {f"payments/{file.name}": file.read_text() for file in folder.iterdir()}
    assert lost not in taken.values()
    shop.commit(AYSE, {**taken, "apiops.toml": (shop.repository / "apiops.toml").read_text()})
    assert 0 == shop.by_hand("resume").code
    plan = shop.run("plan")
    assert (0, True, PLAIN) == (plan.code, "No changes" in plan.out, shop.password()), plan.out


def test_nothing_is_written_for_whoever_may_do_a_part_of_it(shop: Estate) -> None:
    """Deniz may not for production, and a credential is for every environment."""
    limited = a_member(DENIZ, "payments", "Project Owner").replace("]}", "], environments: [dev]}")
    files = {"system/production.yaml": PRODUCTION % "", "payments/deniz.yaml": limited}
    shop.applied(AYSE, files, "Production")
    limits = a_proxy("limits", "cards").replace("readTimeout: 60", "readTimeout: 5")
    run = shop.applied(AYSE, {SECRET: shop.sealed(NEWER), "cards/limits.yaml": limits}, "Both")
    shop.suspended()
    before = shop.state()
    done = shop.undone(run, who=DENIZ)
    assert (4, True) == (done.code, "AO520" in done.err), done.out + done.err
    assert before == shop.state()
    with shop.open_manager() as manager:
        (denied,) = manager.entries(AuditQuery(outcome="denied"))
    assert ("deniz", CREDENTIAL) == (denied.principal, denied.resource)


def test_what_would_break_callers_on_the_way_back_is_refused_where_it_always_is(
    shop: Estate,
) -> None:
    proxy, document = "payments/bids.yaml", "payments/bids.openapi.yaml"
    source = "type: OPEN_API\n  source: {file: bids.openapi.yaml}"
    text = a_proxy("bids").replace("type: REVERSE_PROXY", source)
    careful = PRODUCTION.replace("production", "dev") % ", breakingChanges: REFUSE"
    shop.applied(AYSE, {proxy: text, document: LESS, "system/dev.yaml": careful}, "Bids")
    before = shop.state()
    run = shop.applied(MERT, {document: DOCUMENT}, "Take bids")
    shop.suspended()
    done = shop.undone(run)
    assert (5, True) == (done.code, "POST /orders is gone" in done.err), done.out + done.err
    assert "AO618" in done.err
    assert 0 == shop.undone(run, "--allow", "breaking").code
    assert before == shop.state()
    with shop.open_manager() as manager:
        newest = next(manager.entries(AuditQuery(action="update")))
    assert ("breaking",) == newest.reason.overrides


FREEZE = "{begins: '2020-01-01T00:00:00Z', ends: '2099-01-01T00:00:00Z', reason: ledger}"


@pytest.mark.parametrize(
    ("demands", "code"),
    [("", ""), (", approvals: 1", "AO628"), (f", freezes: [{FREEZE}]", "AO613")],
    ids=["nothing", "approvals", "freeze"],
)
def test_what_one_environment_demands_no_other_target_gets_around(
    shop: Estate, demands: str, code: str
) -> None:
    run = with_production(shop, demands)
    before = shop.state()
    done = shop.undone(run, "-t", "dev", who=AYSE)
    assert (5 if code else 0, True) == (done.code, code in done.err), done.err
    assert (before == shop.state()) == bool(code)
