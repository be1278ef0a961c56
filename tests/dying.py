"""Processes that are killed in the middle of what they do, by SIGKILL, at a step that is counted.

    with Mortals() as mortals:
        whole = mortals.run("apply", "--yes", cwd=..., variables=...)      whole.steps: how many
        mortals.run("apply", "--yes", cwd=..., variables=..., at=17)       dies before step 17

A step is a statement sent to a database, a commit or rollback, or a change of the file system
(a file opened for writing, renamed, linked, removed, made a folder of). They are counted from
outside, by SQLAlchemy's events and Python's audit hooks: apiops itself knows nothing of it.

The module is a program too: a server of one thread that has everything imported and forks a
child for each run, so that a test can afford to die some hundred times.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]
CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (None: it was killed), what it printed, its steps."""

    code: int | None
    out: str = ""
    err: str = ""
    steps: int = 0


class Mortals:
    """The server, as a test uses it."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.dying"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def run(
        self,
        *arguments: str,
        cwd: Path,
        variables: Mapping[str, str],
        at: int = 0,
        later: timedelta = timedelta(),
    ) -> Ended:
        """`apiops …` in a process that dies before its step `at` (0: never).

        For the Manager it is `later` than it is, so that a lease can be waited for.
        """
        request = {
            "arguments": arguments,
            "cwd": str(cwd),
            "variables": dict(variables),
            "at": at,
            "later": later.total_seconds(),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Ended(**json.loads(self._server.stdout.readline()))


class _Fate:
    """Counts steps, and ends the process before the one that was chosen."""

    def __init__(self, at: int, folder: str) -> None:
        self.steps = 0
        self._at = at
        self._folder = folder

    def step(self, *_arguments: Any) -> None:
        self.steps += 1
        if self.steps == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A change of the file system below the folder of the test."""
        if event == "open":
            path, _, flags = arguments
            changes = bool((flags or 0) & WRITING)
        else:
            path, changes = arguments[0] if arguments else "", event in CHANGES
        if changes and isinstance(path, str | os.PathLike):
            whole = os.path.abspath(os.fspath(path))  # noqa: PTH100 - a hook must not open files
            if whole.startswith(self._folder):
                self.step()


def _serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as answer:
                json.dump(_live(request), answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            said = answer.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        sys.stdout.write(json.dumps({"code": None}) + "\n" if killed else said + "\n")
        sys.stdout.flush()


def _live(request: dict[str, Any]) -> dict[str, Any]:
    from sqlalchemy import Engine, event

    from apiops.manager import embedded
    from tests import shop

    cwd = Path(request["cwd"])
    fate = _Fate(request["at"], str(cwd.parent))
    for name in ("before_cursor_execute", "commit", "rollback"):
        event.listen(Engine, name, fate.step)
    sys.addaudithook(fate.audit)
    shift = timedelta(seconds=request["later"])
    defaults = embedded.open_manager.__kwdefaults__
    defaults["clock"] = lambda: embedded.now() + shift
    done = shop.run(*request["arguments"], cwd=cwd, **request["variables"])
    return {"code": done.code, "out": done.out, "err": done.err, "steps": fate.steps}


if __name__ == "__main__":
    import psycopg  # noqa: F401 - loaded once, for all children
    import rich  # noqa: F401 - loaded once, for all children

    import apiops.age.keyring
    import apiops.cli.apply
    import apiops.cli.carrying
    import apiops.git.repository
    import apiops.manager.init
    import apiops.reconcile.apply
    import apiops.wiring.vault  # noqa: F401 - loaded once, for all children
    import tests.shop  # noqa: F401 - loaded once, for all children

    _serve()
