"""How many requests a vendor's Manager gets: nothing to do, one percent changed, a first apply.

    python -m benchmarks.requests [PROXIES]

The shape is 550 objects for 50 proxies (ten policies each, and their settings), which a public
benchmark of a tool of the same kind reads with 551 requests and makes with 651. Requests are
counted by the stand-in, and gated in `tests/remote/test_requests.py`; times are of this machine.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apiops.model.resource import Resource
from tests.remote.gateway import Gateway, a_resource, done, left

POLICIES = 10


def estate(proxies: int, timeout: int = 5) -> list[Resource]:
    return [
        a_resource(
            "ApiProxy",
            f"p{n}",
            type="REVERSE_PROXY",
            clientRoute={"relativePathList": [f"/p{n}"]},
            settings={"connection": {"readTimeout": timeout if n < max(1, proxies // 100) else 5}},
            policies={
                "request": [
                    {
                        "name": f"s{i}",
                        "type": "policy-max-message-size",
                        "spec": {"maxMessageSize": i},
                    }
                    for i in range(POLICIES)
                ]
            },
        )
        for n in range(proxies)
    ]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run asked for, and how long it took."""

    name: str
    reads: int
    writes: int
    seconds: float

    @property
    def requests(self) -> int:
        return self.reads + self.writes


def costs(gateway: Gateway, proxies: int) -> tuple[Cost, Cost, Cost]:
    """A first apply, a plan with nothing to do, and an apply of one percent."""
    state, changed = estate(proxies), estate(proxies, timeout=9)
    return (
        _cost(gateway, "first apply", lambda: done(gateway.apply(state))),
        _cost(gateway, "nothing to do", lambda: left(gateway.plan(state)) == ""),
        _cost(gateway, "1 percent changed", lambda: done(gateway.apply(changed))),
    )


def _cost(gateway: Gateway, name: str, work: Callable[[], bool]) -> Cost:
    gateway.world.requests.clear()
    began = time.perf_counter()
    assert work()
    seconds = time.perf_counter() - began
    methods = [method for method, _ in gateway.world.requests]
    reads = methods.count("GET")
    return Cost(name, reads, len(methods) - reads, seconds)


def main() -> None:
    proxies = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    objects = proxies * (1 + POLICIES)
    print(f"{proxies} proxies with {POLICIES} policies each: {objects} objects")
    print(f"{'':18}{'requests':>9}{'reads':>7}{'writes':>8}{'per object':>12}{'seconds':>9}")
    with tempfile.TemporaryDirectory() as folder, Gateway(Path(folder)) as gateway:
        for one in costs(gateway, proxies):
            print(
                f"{one.name:18}{one.requests:9}{one.reads:7}{one.writes:8}"
                f"{one.requests / objects:12.2f}{one.seconds:9.2f}"
            )


if __name__ == "__main__":
    main()
