"""Whether a vendor's Manager still shows what it showed: the same questions, the same answers.

The API has no name for its state, so its state is what it answers, byte for byte. To ask again
takes the requests of a reading, and none of the work that is made of them.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from apiops.errors import ManagerError, ManagerUnavailable
from apiops.model.shown import Asked, Shown
from apiops.remote.answer import Answer
from apiops.remote.vendor.api import Api


class Showing:
    """Remembers what was asked, and a digest of each answer. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Asked, bytes] = {}
        self._moved = False

    def __call__(self, where: str, query: Mapping[str, str] | None, answer: Answer) -> None:
        """Take note of one answer."""
        told = hashlib.sha256(b"%d " % answer.status + answer.body).digest()
        asked = (where, tuple(sorted((query or {}).items())))
        with self._lock:
            self._moved |= self._told.setdefault(asked, told) != told

    def shown(self) -> Shown | None:
        """All of it; None if one question had two answers."""
        if self._moved:
            return None
        rows = sorted(self._told.items())
        told = hashlib.sha256(repr(rows).encode()).hexdigest()
        return Shown(tuple(asked for asked, _ in rows), told)


def again(api: Api, asked: Sequence[Asked]) -> Shown | None:
    """Ask all of it again. Raises ManagerUnavailable when there is no answer."""

    def ask(one: Asked) -> None:
        where, query = one
        try:
            api.call("GET", where, query=dict(query) or None)
        except ManagerUnavailable:
            raise
        except ManagerError:
            return  # a refusal is an answer, and was taken note of

    showing = Showing()
    with api.watched(showing), ThreadPoolExecutor(api.most, "apiops-ask") as pool:
        for _ in pool.map(ask, asked):
            pass
    return showing.shown()
