"""How many requests a vendor's Manager gets: nothing to do, one percent changed, a first apply.

    python -m benchmarks.requests [PROXIES]

The shape is 550 objects for 50 proxies (ten policies each, and their settings), which a public
benchmark of a tool of the same kind reads with 551 requests and makes with 651. Requests are
counted by the stand-in; times are of this machine and say little, ratios within one run do.
"""

import sys
import tempfile
import time
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


def measured(gateway: Gateway, what: str, objects: int, work: object) -> int:
    gateway.world.requests.clear()
    began = time.perf_counter()
    assert callable(work)
    assert work()
    seconds = time.perf_counter() - began
    count = len(gateway.world.requests)
    print(f"{what:<18} {count:>6} requests {count / objects:>7.2f} per object {seconds:>8.2f} s")
    return count


def main() -> None:
    proxies = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    objects = proxies * (1 + POLICIES)
    print(f"{proxies} proxies with {POLICIES} policies each: {objects} objects")
    with tempfile.TemporaryDirectory() as folder, Gateway(Path(folder)) as gateway:
        state, changed = estate(proxies), estate(proxies, timeout=9)
        measured(gateway, "first apply", objects, lambda: done(gateway.apply(state)))
        calm = measured(gateway, "nothing to do", objects, lambda: left(gateway.plan(state)) == "")
        one = measured(gateway, "1 percent changed", objects, lambda: done(gateway.apply(changed)))
        print(f"a change of 1 percent costs {one - calm} requests more than nothing")


if __name__ == "__main__":
    main()
