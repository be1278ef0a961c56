"""Laws of the Manager over whole stories: what the log says is what the tables hold."""

import json
import tempfile
import threading
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from apiops.errors import ApiopsError, Conflict
from apiops.manager import audit, connect
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from tests.managers import (
    REPOSITORY,
    TARGET,
    House,
    a_context,
    a_resource,
    a_write,
    found,
    secret_resource,
    settle,
    write_batch,
)

KEYS = {
    "initialise": ("meta", ("lineage",)),
    "configure": ("meta", ("lineage",)),
    "create": ("resource", ("id",)),
    "update": ("resource", ("id",)),
    "delete": ("resource", ("id",)),
    "seal": ("sealed", ("resource", "pointer")),
    "reseal": ("sealed", ("resource", "pointer")),
    "unseal": ("sealed", ("resource", "pointer")),
    "deploy": ("deployment", ("resource", "environment")),
    "undeploy": ("deployment", ("resource", "environment")),
    "forget": ("deployment", ("resource", "environment")),
    "apply": ("applied", ("repository", "target", "unit", "serial")),
    "introduce": ("introduction", ("repository", "target")),
    "key-create": ("keyring", ("environment", "purpose", "kid")),
    "key-update": ("keyring", ("environment", "purpose", "kid")),
}
HIDDEN = {"sealed": "token", "keyring": "wrapped"}
JSON = {"spec", "labels", "applied"}
BOOLEANS = {"protected", "active", "persistent"}

specs = st.dictionaries(
    st.sampled_from(["description", "ipList", "a/b", "~", "ö"]),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "deploy", "undeploy", "secret", "hand", "stale"]), st.sampled_from(["a", "b"]), specs),
    max_size=8,
)  # fmt: skip


@given(story=steps)
@settings(max_examples=25, deadline=None)
def test_replaying_the_log_rebuilds_the_tables(story):
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/manager.db"
        with House(url, Path(folder) / "key") as house:
            tell(house.manager, story)
            check(house)


def test_replaying_the_log_rebuilds_the_tables_on_both_engines(house):
    spec = {"a/b": [1, 2.5, -0.0, None, True, "ö\u2028"], "~": "x", "ipList": []}
    story = [(step, name, spec | {"description": name}) for name in ("a", "b") for step in
             ("put", "deploy", "secret", "put", "hand", "undeploy", "deploy", "stale", "delete", "put")]  # fmt: skip
    tell(house.manager, story)
    check(house)


def tell(manager, story):
    """Carry out the steps; those that make no sense are refused and leave nothing."""
    settle(manager)
    at = 1
    for step, name, spec in story:
        try:
            act(manager, step, name, spec, at)
        except ApiopsError:
            continue
        finally:
            at = int(manager.state(REPOSITORY, TARGET).applied["payments"].commit, 16)


def act(manager, step, name, spec, at):
    proxy = a_resource("ApiProxy", name, spec)
    held = found(manager, proxy.id)
    serial = held.serial if held else None
    if step == "hand":
        manager.change(proxy.id, spec, principal="ayse", context=a_context(run="console"))
        return
    write: Any
    if step == "secret":
        credential, plain = secret_resource(manager, f"secret {spec}", name)
        known = found(manager, credential.id)
        action = Action.UPDATE if known else Action.CREATE
        write = a_write(action, credential, secrets=plain, serial=known.serial if known else None)
    elif step in ("deploy", "undeploy"):
        digest = {"digest": held.digest} if held and step == "deploy" else {}
        action = Action.DEPLOY if step == "deploy" else Action.UNDEPLOY
        write = a_write(action, proxy, environment="production", serial=serial, **digest)
    elif step == "delete":
        write = a_write(Action.DELETE, proxy, serial=serial)
    else:
        expected = 99 if step == "stale" else serial
        write = a_write(Action.UPDATE if held else Action.CREATE, proxy, serial=expected)
    write_batch(manager, write, base=at, number=at + 1)


def check(house):
    entries = list(house.manager.entries(AuditQuery(limit=0)))
    assert list(range(len(entries), 0, -1)) == [entry.seq for entry in entries]
    assert house.manager.verify().first_bad is None
    assert replayed(reversed(entries)) == stored(house)
    for entry in entries:
        if entry.outcome == "done":
            assert entry.after == patched(entry.before, entry.delta)


def replayed(entries):
    """The governed tables as the log tells them."""
    tables: dict[str, dict[tuple[Any, ...], Any]] = {name: {} for name, _ in KEYS.values()}
    for entry in entries:
        if entry.outcome != "done":
            continue
        name, key = KEYS[entry.action]
        image = entry.after if entry.after is not None else entry.before
        # A deployment that ends with its resource has the same action as one that is switched off.
        at = tuple(image[column] for column in key)
        if entry.after is None:
            assert entry.before == tables[name].pop(at)
        else:
            assert entry.before == tables[name].get(at)
            tables[name][at] = entry.after
    return tables


def stored(house):
    """The governed tables as they are, in the form of the entries."""
    engine = connect.reader(connect.parse(house.url))
    tables: dict[str, dict[tuple[Any, ...], Any]] = {}
    with engine.connect() as connection:
        for name, key in KEYS.values():
            rows = connection.execute(text(f'SELECT * FROM "{name}"')).mappings().all()
            images = [image(name, dict(row)) for row in rows]
            tables[name] = {tuple(one[column] for column in key): one for one in images}
    engine.dispose()
    return tables


def image(name, row):
    if name == "keyring":
        row["wrapper"] = row["wrapped"].split(".")[1]
    row.pop(HIDDEN.get(name), None)
    if name == "meta":
        row.pop("id")
    for column in JSON & row.keys():
        row[column] = None if row[column] is None else json.loads(row[column])
    for column in BOOLEANS & row.keys():
        row[column] = None if row[column] is None else bool(row[column])
    return row


def patched(before, delta):
    """RFC 6902 as far as `delta` uses it: add, remove and replace members of objects."""
    after = json.loads(json.dumps(before))
    for change in delta:
        if not change["path"]:
            after = change["value"]
            continue
        *steps, last = [
            step.replace("~1", "/").replace("~0", "~") for step in change["path"][1:].split("/")
        ]
        node = after
        for step in steps:
            node = node[step]
        if change["op"] == "remove":
            del node[last]
        else:
            node[last] = change["value"]
    return after


@given(specs, specs)
def test_a_delta_makes_after_of_before(before, after):
    assert after == patched(before, audit.delta(before, after))


def test_eight_writers_leave_a_log_without_gaps(house):
    """Each writes through a Manager of its own, as another process would."""
    settle(house.manager)
    write_batch(
        house.manager,
        *(a_write(Action.CREATE, a_resource("IpGroup", f"g{n}", {})) for n in range(8)),
        base=1,
        number=2,
    )
    managers = [house.another() for _ in range(8)]
    wins, lost, broken = [], [], []

    def work(number):
        manager = managers[number]
        for round_ in range(4):
            for name in (f"g{number}", "g0"):
                id = a_resource("IpGroup", name, {}).id
                try:
                    context = a_context(run=f"console-{number}-{round_}")
                    patch = {"description": f"{number}.{round_}"}
                    manager.change(id, patch, principal="ayse", context=context)
                    wins.append(name)
                except Conflict:
                    lost.append(name)
                except ApiopsError as fault:
                    broken.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == broken
    assert 64 == len(wins) + len(lost)
    assert len(wins) == sum(1 for _ in house.manager.entries(AuditQuery(action="update", limit=0)))
    check(house)
