"""Tokens are signed and verified by many while their keys rotate: at no moment does one that
counts fail, and none counts that a retired key signed.
"""

import random
import threading
from datetime import timedelta

import jwt
import pytest

from apiops.errors import ApiopsError
from apiops.manager import tokenkeys
from tests.managers import a_context, settle

BY = {"principal": "ayse", "context": a_context()}
ROTATIONS = 4
SIGNED = 8
"""Tokens that are signed between one rotation and the next, at least."""


class Load:
    """What all threads know: every token so far, and the keys whose retirement began or ended."""

    def __init__(self) -> None:
        self.signed: list[str] = []
        self.beginning: set[str] = set()
        self.retired: set[str] = set()
        self.checks = 0
        self.wrong: list[str] = []
        self.done = False
        self._moved = threading.Condition()

    def sign(self, house, manager, dice: random.Random) -> None:
        """One more token, which must verify at once."""
        claims = {"sub": "ci", "exp": int((house.clock.at + timedelta(minutes=30)).timestamp())}
        token = manager.keys.issue(claims)
        with self._moved:
            self.signed.append(token)
            self._moved.notify_all()
        self.verify(house, manager, dice, token)

    def verify(self, house, manager, dice: random.Random, token: str = "") -> None:
        """A token of all that there are: what its key's retirement had come to decides."""
        with self._moved:
            if not self.signed:
                return
            token = token or dice.choice(self.signed)
            kid = jwt.get_unverified_header(token)["kid"]
            gone = kid in self.retired
        published = {one["kid"] for one in manager.keys.jwks()["keys"]}
        key = manager.keys.token_key(kid)
        with self._moved:
            stands = kid not in self.beginning
        if gone and (key is not None or kid in published):
            self.wrong.append(f"{kid} is retired, and counts")
        if stands and (key is None or kid not in published):
            self.wrong.append(f"{kid} was not retired, and does not count")
        if key is not None:
            jwt.decode(token, key.public, algorithms=["EdDSA"], options={"verify_exp": False})
        self.checks += 1

    def more(self) -> None:
        """Wait until some more were signed."""
        with self._moved:
            wanted = len(self.signed) + SIGNED
            enough = self._moved.wait_for(lambda: self.wrong or len(self.signed) >= wanted, 60)
        assert enough, "nothing is signed any more"

    def retire(self, keys, kid: str, **more: bool) -> None:
        """Retire a key, and say when that began and ended."""
        with self._moved:
            self.beginning.add(kid)
        keys.retire("", "sign", kid, **more, **BY)
        with self._moved:
            self.retired.add(kid)


def work(load: Load, house, manager, act, number: int) -> None:
    """Do one thing again and again until the end; what goes wrong is told."""
    dice = random.Random(number)
    try:
        while not load.done:
            act(house, manager, dice)
    except (ApiopsError, jwt.PyJWTError) as fault:
        load.wrong.append(repr(fault))


@pytest.fixture
def house(house):
    settle(house.manager)
    return house


def test_every_token_counts_until_its_key_is_retired_and_never_after(house) -> None:
    """Three processes sign, two verify; keys are prepared, take over, and every other is taken
    back at once as compromised. At the end the rest go as their tokens have ended.
    """
    load, keys = Load(), house.another().keys
    acts = (load.sign, load.sign, load.sign, load.verify, load.verify)
    threads = [
        threading.Thread(target=work, args=(load, house, house.another(), act, number))
        for number, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    try:
        for number in range(ROTATIONS):
            load.more()
            before = {one.kid for one in keys.versions() if one.state == "active"}
            if number % 2:
                keys.rotate("", "sign", prepare=True, **BY)
                load.more()
            keys.rotate("", "sign", **BY)
            load.more()
            (old,) = {
                one.kid
                for one in keys.versions()
                if (one.environment, one.purpose) == ("", "sign") and one.kid in before
            }
            if number % 2:
                load.retire(keys, old, compromised=True)
    finally:
        load.done = True
        for thread in threads:
            thread.join()
    assert [] == load.wrong
    assert load.checks > ROTATIONS * SIGNED
    house.clock.at += tokenkeys.LONGEST_LIFE + 2 * tokenkeys.SKEW
    for version in keys.versions():
        if version.purpose == "sign" and version.state == "retiring":
            load.retire(keys, version.kid)
    dice = random.Random(0)
    for token in load.signed:
        load.verify(house, house.manager, dice, token)
    assert [] == load.wrong
    assert len(load.retired) == ROTATIONS
    assert house.manager.verify().first_bad is None
