"""What an owner of the database can do to the log is found: by the chain, or by a checkpoint.

The walls do not hold against an owner or a superuser (tests/attackers.py takes them away). A clumsy
one is found by the chain alone; one who chains the whole log anew by a checkpoint that was kept
elsewhere, or by those in the log, since the key that signs them is not in the database.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apiops.errors import AccessDenied, SecretError, StoreError, UsageError
from apiops.manager import chain, merkle, note, proofs
from apiops.model.audit import AuditQuery
from apiops.model.plan import Action
from tests.attackers import altered, cut, deleted, emptied, inserted, reordered, rewrite
from tests.managers import a_context, a_resource, a_write, fill, write_batch

WAYS = [altered, deleted, inserted, reordered]
BY = {"principal": "ayse", "context": a_context()}


@pytest.fixture
def full(house):
    fill(house.manager)
    return house


def more(house):
    """Another change, after a checkpoint."""
    write_batch(
        house.manager, a_write(Action.CREATE, a_resource("IpGroup", "more", {})), base=2, number=3
    )


def keys(house):
    return house.manager.checkpoints.public_keys()


# ── honest logs ───────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_names_log_size_and_root_and_is_signed_by_the_printed_key(full):
    text = full.manager.checkpoints.make()
    found = note.parse(text)
    assert f"apiops.audit/{full.lineage}" == found.origin
    report = full.manager.checkpoints.verify([text])
    assert found.size == report.proven
    assert note.parse_key(str(keys(full)[0])) == note.signed_by(text, keys(full))


def test_a_checkpoint_is_an_entry_of_the_log_and_covers_all_before_it(full):
    text = full.manager.checkpoints.make()
    newest = next(full.manager.entries(AuditQuery()))
    assert ("checkpoint", "noted", "audit") == (newest.action, newest.outcome, newest.source)
    assert {"checkpoint": text} == newest.delta
    assert newest.seq - 1 == note.parse(text).size


def test_a_second_checkpoint_of_the_same_log_is_the_first(full):
    first = full.manager.checkpoints.make()
    entries = full.manager.verify().entries
    assert first == full.manager.checkpoints.make()
    assert entries == full.manager.verify().entries


def test_an_honest_log_agrees_with_every_checkpoint_that_was_ever_signed(full):
    kept = []
    for number in range(3):
        kept.append(full.manager.checkpoints.make())
        write_batch(
            full.manager,
            a_write(Action.CREATE, a_resource("IpGroup", f"g{number}", {})),
            base=2 + number,
            number=3 + number,
        )
    report = full.manager.checkpoints.verify(kept, keys(full))
    assert (None, 6) == (report.first_bad, report.checkpoints)
    assert note.parse(kept[-1]).size == report.proven


def test_the_tree_of_the_report_is_the_tree_over_the_digests(full):
    digests = [bytes.fromhex(row[-1]) for row in full.manager.stored(AuditQuery())]
    report = full.manager.verify()
    assert merkle.root([merkle.leaf(one) for one in digests]).hex() == report.root


def test_checkpoints_verify_across_a_rotation_of_their_key(full):
    old_keys = keys(full)
    first = full.manager.checkpoints.make()
    full.manager.keys.rotate("", "checkpoint", **BY)
    second = full.manager.checkpoints.make()
    assert [old_keys[0]] == [one for one in keys(full) if note.signed_by(first, [one])]
    assert note.signed_by(second, old_keys) is None
    report = full.manager.checkpoints.verify([first, second])
    assert (None, 4) == (report.first_bad, report.checkpoints)
    assert full.manager.checkpoints.verify([first], old_keys).first_bad is None


def test_a_compromised_checkpoint_key_is_retired_and_no_longer_believed(full):
    first = full.manager.checkpoints.make()
    (old,) = full.manager.keys.versions()[-1:]
    old = next(one for one in full.manager.keys.versions() if one.purpose == "checkpoint")
    full.manager.keys.rotate("", "checkpoint", **BY)
    full.manager.keys.retire("", "checkpoint", old.kid, **BY)
    with pytest.raises(UsageError):
        full.manager.checkpoints.verify([first])
    report = full.manager.verify()
    assert (None, 0) == (report.first_bad, report.proven)


def test_who_may_not_rotate_the_checkpoint_key_does_not(full):
    full.manager.checkpoints.make()
    with pytest.raises(AccessDenied):
        full.manager.keys.rotate("", "checkpoint", principal="mert", context=a_context("mert"))
    with pytest.raises(SecretError):
        full.manager.keys.rotate("production", "checkpoint", **BY)


# ── what an owner does ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", WAYS)
def test_a_clumsy_change_is_found_by_the_chain_alone(full, way):
    rewrite(full, way, chain=False)
    report = full.manager.verify()
    assert 3 == report.first_bad
    assert "3" in report.problem


@pytest.mark.parametrize("way", WAYS)
def test_a_log_that_was_chained_anew_is_found_against_a_checkpoint_kept_elsewhere(full, way):
    public, kept = keys(full), full.manager.checkpoints.make()
    more(full)

    def without_checkpoints(rows):
        return [row for row in way(rows) if row["action"] != chain.CHECKPOINT]

    rewrite(full, without_checkpoints, chain=True)
    assert full.manager.verify().first_bad is None  # the chain alone is content
    report = full.manager.checkpoints.verify([kept], public)
    assert 1 == report.first_bad
    assert "rewritten" in report.problem


@pytest.mark.parametrize("way", WAYS)
def test_a_log_that_was_chained_anew_contradicts_the_checkpoints_inside_of_it(full, way):
    full.manager.checkpoints.make()
    more(full)
    rewrite(full, way, chain=True)
    report = full.manager.verify()
    assert report.first_bad is not None
    assert report.problem


def test_the_last_agreeing_checkpoint_narrows_down_where_history_was_rewritten(full):
    first = full.manager.checkpoints.make()
    more(full)
    second = full.manager.checkpoints.make()

    def late(rows):
        rows[note.parse(first).size + 1]["principal"] = "nobody"
        return rows

    rewrite(full, late, chain=True)
    report = full.manager.checkpoints.verify([first, second])
    assert note.parse(first).size + 1 == report.first_bad
    assert note.parse(first).size == report.proven


@pytest.mark.parametrize("way", [cut, emptied])
@pytest.mark.parametrize("chained", [True, False])
def test_a_cut_tail_is_found_against_a_checkpoint_kept_elsewhere(full, way, chained):
    public, kept = keys(full), full.manager.checkpoints.make()
    rewrite(full, way, chain=chained)
    assert full.manager.verify().first_bad is None
    report = full.manager.checkpoints.verify([kept], public)
    assert report.entries + 1 == report.first_bad
    assert "cut off" in report.problem


def test_an_owner_who_puts_a_key_of_their_own_into_the_database_is_found_by_the_kept_key(full):
    public, kept = keys(full), full.manager.checkpoints.make()

    def forged(rows):
        return [row for row in altered(rows) if row["action"] != chain.CHECKPOINT]

    rewrite(full, forged, chain=True)
    _replace_key(full)
    assert full.manager.verify().first_bad is None
    assert full.manager.checkpoints.verify([kept], public).first_bad is not None
    with pytest.raises(UsageError, match="no key that is known"):
        full.manager.checkpoints.verify([kept])


def _replace_key(house):
    from tests.attackers import owner

    connection = owner(house)
    connection.execute("UPDATE keyring SET public = NULL WHERE purpose = 'checkpoint'")
    connection.close()


def test_a_checkpoint_that_somebody_writes_into_the_log_needs_the_key(full):
    full.manager.checkpoints.make()

    def forged(rows):
        rows[-1]["note"] = rows[-1]["note"].replace(f"\\n{len(rows) - 1}\\n", "\\n1\\n")
        return rows

    rewrite(full, forged, chain=True)
    report = full.manager.verify()
    assert report.entries + 1 == report.first_bad
    assert "not genuine" in report.problem


@pytest.mark.parametrize("way", [*WAYS, cut])
@pytest.mark.parametrize("chained", [True, False])
def test_no_checkpoint_is_signed_for_a_log_that_contradicts_a_kept_one(full, way, chained):
    kept = full.manager.checkpoints.make()
    rewrite(full, way, chain=chained)
    with pytest.raises(StoreError) as refusal:
        full.manager.checkpoints.make(kept)
    assert "AO773" == refusal.value.code


def test_a_checkpoint_of_another_manager_proves_nothing(full):
    other = note.sign(note.Checkpoint("apiops.audit/other", 1, bytes(32)), "x", _key())
    with pytest.raises(UsageError) as refusal:
        full.manager.checkpoints.verify([other])
    assert "AO772" == refusal.value.code


def _key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


# ── proofs without the log ────────────────────────────────────────────────────────────────────


def test_every_entry_is_proven_to_somebody_who_has_the_key_alone(full):
    full.manager.checkpoints.make()
    for entry in list(full.manager.entries(AuditQuery(limit=0))):
        report = proofs.check(full.manager.checkpoints.prove(entry.seq), keys(full))
        assert entry == report.entry


def test_an_entry_that_is_not_there_has_no_proof(full):
    with pytest.raises(UsageError) as refusal:
        full.manager.checkpoints.prove(4711)
    assert "AO909" == refusal.value.code


def test_a_proof_of_another_entry_does_not_hold(full):
    one, other = (full.manager.checkpoints.prove(seq).split("\n") for seq in (2, 3))
    mixed = "\n".join([*one[:3], *other[3:]])
    with pytest.raises(StoreError) as refusal:
        proofs.check(mixed, keys(full))
    assert "AO775" == refusal.value.code


def test_growth_is_proven_and_a_rewritten_past_is_not(full):
    public, first = keys(full), full.manager.checkpoints.make()
    more(full)
    proof = full.manager.checkpoints.extend(first)
    report = proofs.check(proof, public, [first])
    assert (note.parse(first).size, None) == (report.since, report.entry)
    lines = proof.split("\n")
    lines[1] = lines[2]
    with pytest.raises(StoreError):
        proofs.check("\n".join(lines), public, [first])
    with pytest.raises(UsageError, match="earlier checkpoint"):
        proofs.check(proof, public)


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_changed_byte_of_a_proof_proves_something_else(proven, data):
    proof, public, entry = proven
    index = data.draw(st.integers(0, len(proof) - 1))
    character = data.draw(st.sampled_from("Aaz09+/=\n —"))
    changed = proof[:index] + character + proof[index + 1 :]
    assert _outcome(changed, public) in ("refused", entry)


@pytest.fixture
def proven(tmp_path):
    from tests.managers import House

    with House(f"sqlite:///{tmp_path / 'm.db'}", tmp_path / "key") as house:
        fill(house.manager)
        yield house.manager.checkpoints.prove(3), keys(house), house.manager.entry(3)


def _outcome(proof, public):
    try:
        return proofs.check(proof, public).entry
    except (UsageError, StoreError):
        return "refused"
