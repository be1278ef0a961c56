"""Keys that sign access tokens: what is signed verifies until it expires, whatever rotates."""

import base64
import json
import threading
from datetime import timedelta

import jwt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apiops.errors import AccessDenied, SecretError
from apiops.manager import tokenkeys
from apiops.manager.keyring import Ring
from apiops.manager.wrapping import InMemory
from apiops.model.audit import AuditQuery
from tests.managers import NOON, a_context, settle

LIFE = tokenkeys.LONGEST_LIFE
BY = {"principal": "ayse", "context": a_context()}


@pytest.fixture
def house(house):
    settle(house.manager)
    return house


def claims(house, life=LIFE):
    return {"sub": "worker-1", "exp": int((house.clock.at + life).timestamp())}


def kid(token):
    return jwt.get_unverified_header(token)["kid"]


def verified(house, token):
    """The claims of a token that counts now; None for any other."""
    key = house.manager.keys.token_key(kid(token))
    if key is None:
        return None
    options = {"verify_exp": False}  # the Manager's clock is the test's
    found = jwt.decode(token, key.public, algorithms=["EdDSA"], options=options)
    return found if house.clock.at.timestamp() < found["exp"] else None


def test_a_token_says_its_key_and_verifies_by_another_library(house):
    token = house.manager.keys.issue(claims(house), "production")
    assert {"alg": "EdDSA", "typ": "at+jwt", "kid": kid(token)} == jwt.get_unverified_header(token)
    assert "worker-1" == verified(house, token)["sub"]
    assert "production" == house.manager.keys.token_key(kid(token)).environment


def test_a_forged_token_does_not_verify(house):
    token = house.manager.keys.issue(claims(house))
    header, body, signature = token.split(".")
    forged = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged["sub"] = "root"
    body = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidSignatureError):
        verified(house, f"{header}.{body}.{signature}")


def test_the_published_set_verifies_what_was_signed(house):
    token = house.manager.keys.issue(claims(house), "production")
    house.manager.keys.issue(claims(house))
    published = jwt.PyJWKSet.from_dict(house.manager.keys.jwks())
    assert 2 == len(published.keys)
    options = {"verify_exp": False}
    key = published[kid(token)].key
    assert "worker-1" == jwt.decode(token, key, algorithms=["EdDSA"], options=options)["sub"]


def test_a_key_is_named_by_the_thumbprint_of_its_public_half(house):
    house.manager.keys.issue(claims(house))
    (published,) = house.manager.keys.jwks()["keys"]
    assert {"alg", "crv", "kid", "kty", "use", "x"} == published.keys()
    assert published["kid"] == jwt.PyJWK(published).key_id
    assert 43 == len(published["kid"])


def test_each_environment_signs_with_a_key_of_its_own_and_the_private_half_stays_sealed(house):
    one = house.manager.keys.issue(claims(house), "production")
    other = house.manager.keys.issue(claims(house))
    assert kid(one) != kid(other)
    assert all(
        version.wrapped.token.startswith("apf1.") for version in house.manager.keys.versions()
    )


@pytest.mark.parametrize("bad", [{}, {"exp": "soon"}, {"exp": (NOON + 2 * LIFE).timestamp()}])
def test_a_token_without_an_end_or_with_a_late_one_is_not_signed(house, bad):
    with pytest.raises(ValueError, match="token"):
        house.manager.keys.issue(bad)


def test_a_misspelled_environment_gets_no_key(house):
    with pytest.raises(SecretError) as refusal:
        house.manager.keys.issue(claims(house), "prodcution")
    assert "AO732" == refusal.value.code
    assert {"", "production"} >= {one.environment for one in house.manager.keys.versions()}


def test_a_token_from_before_a_rotation_counts_until_it_ends(house):
    keys = house.manager.keys
    old = keys.issue(claims(house))
    keys.rotate("", "sign", **BY)
    new = keys.issue(claims(house))
    assert kid(old) != kid(new)
    assert {kid(old), kid(new)} == {key["kid"] for key in keys.jwks()["keys"]}
    assert "worker-1" == verified(house, old)["sub"]
    house.clock.at += LIFE + tokenkeys.SKEW + timedelta(seconds=1)
    assert {kid(new)} == {key["kid"] for key in keys.jwks()["keys"]}
    assert verified(house, old) is None


def test_a_key_is_retired_only_when_its_tokens_have_ended(house):
    keys = house.manager.keys
    old = keys.issue(claims(house))
    with pytest.raises(SecretError, match="active"):
        keys.retire("", "sign", kid(old), **BY)
    keys.rotate("", "sign", **BY)
    with pytest.raises(SecretError) as refusal:
        keys.retire("", "sign", kid(old), **BY)
    assert "AO733" == refusal.value.code
    house.clock.at += LIFE + tokenkeys.SKEW + timedelta(seconds=1)
    assert "retired" == keys.retire("", "sign", kid(old), **BY).state


def test_a_compromised_key_ends_with_all_its_tokens_at_once(house):
    keys = house.manager.keys
    old = keys.issue(claims(house))
    keys.rotate("", "sign", **BY)
    keys.retire("", "sign", kid(old), compromised=True, **BY)
    assert verified(house, old) is None
    assert kid(old) not in {key["kid"] for key in keys.jwks()["keys"]}


def test_a_prepared_key_is_published_before_it_signs(house):
    keys = house.manager.keys
    old = keys.issue(claims(house))
    waiting = keys.rotate("", "sign", prepare=True, **BY)
    assert waiting == keys.rotate("", "sign", prepare=True, **BY)
    assert {kid(old), waiting.kid} == {key["kid"] for key in keys.jwks()["keys"]}
    assert kid(old) == kid(keys.issue(claims(house)))
    keys.rotate("", "sign", **BY)
    assert waiting.kid == kid(keys.issue(claims(house)))


def test_who_is_no_system_admin_rotates_nothing_and_leaves_a_denial(house):
    keys = house.manager.keys
    old = keys.issue(claims(house))
    with pytest.raises(AccessDenied):
        keys.rotate("", "sign", principal="mert", context=a_context("mert"))
    with pytest.raises(AccessDenied):
        keys.retire("", "sign", kid(old), principal="nobody", context=a_context("nobody"))
    denied = [one for one in house.manager.entries(AuditQuery()) if one.outcome == "denied"]
    assert ["key-retire", "key-rotate"] == [one.action for one in denied]
    assert ["nobody", "mert"] == [one.principal for one in denied]
    assert kid(old) == kid(keys.issue(claims(house)))


def test_a_rotation_is_in_the_log_with_who_and_why(house):
    house.manager.keys.issue(claims(house))
    house.manager.keys.rotate("", "sign", **BY)
    made, retiring = list(house.manager.entries(AuditQuery(limit=2)))
    assert ("key-create", "key-update") == (made.action, retiring.action)
    assert ("active", "retiring") == (retiring.before["state"], retiring.after["state"])
    assert {"ayse"} == {made.principal, retiring.principal}
    assert "wrapped" not in made.after


def test_two_processes_make_one_first_key(house):
    managers = [house.manager, house.another(), house.another()]
    tokens = []
    threads = [
        threading.Thread(target=lambda m=m: tokens.append(m.keys.issue(claims(house))))
        for m in managers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == len({kid(token) for token in tokens})
    assert 3 == len(tokens)


class Rotation(RuleBasedStateMachine):
    """A verifier that reads the set as often as it promises to, and a ring that rotates.

    Whatever the order of events, a token that has not ended verifies by the kept set, unless its
    key was given up as compromised.
    """

    CACHE = timedelta(minutes=5)

    @initialize()
    def begin(self):
        self.now = NOON
        ring = Ring(InMemory(bytes(32), "m"), "m", ())
        self.ring, self.versions = ring, [ring.make("", "sign", self.now)]
        self.tokens = []
        self.read()

    def read(self):
        self.kept = {key["kid"] for key in tokenkeys.jwks(self.versions, self.now)["keys"]}
        self.kept_at = self.now

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)
        if self.now - self.kept_at >= self.CACHE:
            self.read()

    @rule(minutes=st.integers(1, 60))
    def issue(self, minutes):
        active = next(v for v in self.versions if v.state == "active")
        self.tokens.append((active.kid, self.now + timedelta(minutes=minutes)))

    @rule()
    def prepare_and_rotate(self):
        """As the how-to says: publish, wait for caches, then let it sign."""
        self.versions.append(self.ring.make("", "sign", self.now, "pending"))
        self.wait(5)
        self.versions = [
            tokenkeys.retiring(v, self.now)
            if v.state == "active"
            else tokenkeys.replace(v, state="active")
            if v.state == "pending"
            else v
            for v in self.versions
        ]

    @rule()
    def retire_what_may_be_retired(self):
        for index, version in enumerate(self.versions):
            if version.state == "retiring":
                try:
                    tokenkeys.refuse_early(version, self.now)
                except SecretError:
                    continue
                self.versions[index] = tokenkeys.replace(version, state="retired")

    @invariant()
    def every_living_token_verifies(self):
        living = {name for name, end in self.tokens if self.now < end}
        assert living <= self.kept
        for name in living:
            assert tokenkeys.find(self.versions, name, self.now) is not None


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
