"""Tokens: made by those who may, shown once, kept as a hash, found in constant time, revoked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from apiops.errors import AccessDenied, UsageError
from apiops.manager import connect
from apiops.model.audit import AuditContext, AuditQuery, Reason, Source
from apiops.model.plan import Action
from apiops.model.token import ALLOWED, SCOPES, Holder
from tests.managers import House, a_resource, a_write, settle, write_batch

DAY = timedelta(days=1)


def by(principal: str) -> AuditContext:
    return AuditContext(principal, principal, Reason("For the test"), "run-1", Source.CONSOLE)


def make(house: House, holder: str = "mert", who: str = "ayse", **more: Any) -> tuple[Any, str]:
    fields = {"kind": Holder.PERSON, "name": "laptop", "scopes": ("read",), "life": DAY} | more
    token, secret = house.manager.tokens.create(holder=holder, context=by(who), **fields)
    return token, secret.reveal().decode()


@pytest.fixture
def settled(house: House) -> House:
    settle(house.manager)
    return house


def test_a_token_is_found_by_what_was_shown_and_by_nothing_else(settled: House) -> None:
    token, secret = make(settled)
    tokens = settled.manager.tokens
    assert token == tokens.find(secret)
    for wrong in (
        "",
        "apt_",
        secret[:-1],
        secret + "x",
        secret[:-1] + "~",
        secret.upper(),
        token.id,
    ):
        assert tokens.find(wrong) is None
    other = make(settled)[1]
    assert tokens.find(secret[:21] + other[21:]) is None


def test_nothing_in_the_database_gives_the_token_back(settled: House) -> None:
    token, secret = make(settled)
    engine = connect.reader(connect.parse(settled.url))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM access_token")).one()
        log = connection.execute(text("SELECT * FROM audit_entry")).all()
    engine.dispose()
    random = secret.rpartition(token.id + "_")[2]
    assert random not in str(row)
    assert random not in str(log)
    assert row.hash not in str(log)


def test_making_and_revoking_are_entries_with_a_reason(settled: House) -> None:
    token, _ = make(settled)
    settled.manager.tokens.revoke(token.id, by("ayse"))
    for action in ("token-create", "token-revoke"):
        (entry,) = settled.manager.entries(AuditQuery(action=action))
        assert ("ayse", "For the test", token.id) == (
            entry.principal,
            entry.reason.text,
            entry.after["id"],
        )


def test_a_token_ends_when_it_expires_is_revoked_or_its_user_is_disabled(settled: House) -> None:
    tokens = settled.manager.tokens
    short = make(settled, life=timedelta(minutes=5))[1]
    token, revoked = make(settled)
    lasting = make(settled)[1]
    settled.clock.at += timedelta(minutes=6)
    tokens.revoke(token.id, by("ayse"))
    assert [None, None] == [tokens.find(short), tokens.find(revoked)]
    assert tokens.find(lasting) is not None
    disabled = a_resource("User", "mert", {"email": "mert@bank.example", "enabled": False}, None)
    write_batch(
        settled.manager,
        a_write(Action.UPDATE, disabled, serial=1),
        unit="system",
        base=1,
        number=2,
    )
    assert tokens.find(lasting) is None


def test_everybody_makes_and_revokes_their_own_and_admins_any(settled: House) -> None:
    mine, _ = make(settled, "mert", who="mert")
    with pytest.raises(AccessDenied):
        make(settled, "ayse", who="mert")
    with pytest.raises(AccessDenied):
        make(settled, "ci", who="mert", kind=Holder.SERVICE, scopes=("plan",))
    with pytest.raises(AccessDenied):
        make(settled, "nobody", who="mert")
    hers, _ = make(settled, "ayse")
    with pytest.raises(AccessDenied):
        settled.manager.tokens.revoke(hers.id, by("mert"))
    settled.manager.tokens.revoke(mine.id, by("mert"))
    assert {mine.id} == {token.id for token in settled.manager.tokens.list("mert")}
    assert {mine.id, hers.id} == {token.id for token in settled.manager.tokens.list("ayse")}
    assert () == settled.manager.tokens.list("nobody")


@pytest.mark.parametrize("kind", Holder)
def test_a_kind_of_holder_has_only_scopes_that_it_can_have(settled: House, kind: Holder) -> None:
    holder = {Holder.PERSON: "mert", Holder.SERVICE: "ci", Holder.WORKER: "production"}[kind]
    for scope in SCOPES:
        if scope in ALLOWED[kind]:
            assert (scope,) == make(settled, holder, kind=kind, scopes=(scope,))[0].scopes
        else:
            with pytest.raises(UsageError):
                make(settled, holder, kind=kind, scopes=(scope,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ()},
        {"scopes": ("everything",)},
        {"life": timedelta(0)},
        {"life": timedelta(days=367)},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\nb"},
        {"holder": "nobody"},
        {"holder": "../x", "kind": Holder.SERVICE, "scopes": ("plan",)},
        {"holder": "a@b", "kind": Holder.WORKER, "scopes": ("bundle",)},
        {"repository": "main"},
    ],
)
def test_what_no_token_can_be_is_refused(settled: House, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as raised:
        make(settled, **({"holder": "mert"} | wrong))
    assert "AO751" == raised.value.code
    assert () == settled.manager.tokens.list("ayse")


def test_there_is_no_token_that_is_not_there(settled: House) -> None:
    with pytest.raises(UsageError) as raised:
        settled.manager.tokens.revoke("0" * 16, by("ayse"))
    assert "AO752" == raised.value.code
    with pytest.raises(AccessDenied):
        settled.manager.tokens.revoke("0" * 16, by("mert"))
