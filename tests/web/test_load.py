"""Many callers at once: nothing that was acknowledged is lost, nothing is doubled, the chain holds."""

import threading
from collections import Counter

from apiops.model.audit import AuditQuery
from tests.web.conftest import PASSWORD, Api

CALLERS = 8
ROUNDS = 4


def test_writers_readers_and_workers_do_not_disturb_each_other(api: Api) -> None:
    answers: Counter[tuple[str, int]] = Counter()
    made: list[str] = []
    together = threading.Barrier(CALLERS)

    def work(number: int) -> None:
        together.wait()
        for turn in range(ROUNDS):
            name = f"office-{number}-{turn}"
            body = {"name": name, "ipList": ["10.0.0.1"]}
            write = api.call("POST", "/apiops/projects/payments/ipGroups/", as_="mert", json=body)
            if write.status == 200:
                made.append(name)
            state = api.get("/v1/state", as_="mert")
            bundle = api.get("/v1/environments/production/bundle", as_="worker-production")
            assert PASSWORD in bundle.data.decode()
            log = api.get("/v1/audit?limit=5", as_="mert")
            for what, answer in (
                ("write", write),
                ("read", state),
                ("bundle", bundle),
                ("log", log),
            ):
                answers[what, answer.status] += 1

    callers = [threading.Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    total = CALLERS * ROUNDS
    assert {(what, 200): total for what in ("write", "read", "bundle", "log")} == answers
    manager = api.house.manager
    held = [one.id.name for one in manager.read("", "").resources if one.id.kind == "IpGroup"]
    assert sorted(made) == sorted(held)
    entries = list(manager.entries(AuditQuery(kind="IpGroup", limit=0)))
    assert sorted(made) == sorted(entry.resource.name for entry in entries if entry.resource)
    assert total == len(list(manager.entries(AuditQuery(action="fetch", limit=0))))
    assert manager.verify().first_bad is None
