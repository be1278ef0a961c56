"""The moments of a run, each as a process leaves it that is killed then."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from apiops.model.outcome import Outcome
from apiops.model.resource import Resource
from apiops.model.secret import SecretValue
from apiops.remote.answer import Answer
from apiops.remote.client import Client, Reach
from apiops.remote.vendor.api import Api
from apiops.remote.vendor.manager import VendorManager
from tests.remote.gateway import Gateway, Moment


class Witness(Client):
    """A client that keeps each moment before and after a write. Writes go one at a time, whoever
    else is busy with the ledger.
    """

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(Reach(gateway.standin.url), lambda: SecretValue(gateway.token))
        self._gateway = gateway
        self._turn = threading.Lock()
        self.moments: list[tuple[str, Moment]] = []

    def call(self, method: str, path: str, **more: Any) -> Answer:
        if method == "GET":
            return super().call(method, path, **more)
        with self._turn:
            self.moments.append((f"before {method} {path}", self._gateway.moment()))
            answer = super().call(method, path, **more)
            self.moments.append((f"after {method} {path}", self._gateway.moment()))
            return answer


def witnessed(
    gateway: Gateway, state: Iterable[Resource]
) -> tuple[tuple[Outcome, ...], list[tuple[str, Moment]]]:
    """What a run came to, and its moments."""
    with Witness(gateway) as client:
        outcomes = gateway.apply(state, VendorManager(Api(client), gateway.book))
    return outcomes, client.moments


def risen(folder: Path, moments: Iterable[tuple[str, Moment]]) -> Iterator[tuple[str, Gateway]]:
    """At each moment, a gateway in which the next run may begin."""
    for number, (what, moment) in enumerate(moments):
        (here := folder / str(number)).mkdir()
        with Gateway(here, since=moment) as gateway:
            yield what, gateway
