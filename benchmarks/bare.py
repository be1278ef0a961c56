"""The floor of a first apply over HTTP, with the chosen libraries and nothing around them.

    python -m benchmarks.bare URL COUNT DATABASE        the token is in APIOPS_TOKEN

A row is committed before each request, as in the journal, and each is one POST of a group of
addresses, eight at a time. Nothing is read, compared, judged, audited or recorded.
"""

import json
import os
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import urllib3

AT_ONCE = 8


def main() -> None:
    url, count, database = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    rows = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA journal_mode=WAL").close()
    rows.execute("PRAGMA synchronous=FULL").close()
    rows.execute("CREATE TABLE journal (id INTEGER, call TEXT)")
    pool, turn = urllib3.PoolManager(maxsize=AT_ONCE, block=True), threading.Lock()
    headers = {"Authorization": f"Bearer {os.environ['APIOPS_TOKEN']}"}
    where = f"{url}/apiops/projects/payments/ipGroups/"

    def send(number: int) -> None:
        body = {
            "name": f"name-{number:05d}",
            "description": f"Branches of name-{number:05d}",
            "ipList": ["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24"],
        }
        with turn:
            rows.execute("INSERT INTO journal VALUES (?, ?)", (number, where))
        answer = pool.request("POST", where, body=json.dumps(body).encode(), headers=headers)
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{answer.status}: {answer.data[:200]!r}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(send, range(count)):
            pass


if __name__ == "__main__":
    main()
