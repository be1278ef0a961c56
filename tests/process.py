"""The command line as a process of its own: for signals, limits, closed streams, permissions.

done = child("plan", "-o", "json", cwd=shop.repository)
done = child("plan", cwd=shop.repository, before=mortal)        root counts for nothing
done = child("apply", "--yes", cwd=..., before=limited(4096))   no file may grow beyond that
"""

import ctypes
import os
import pty
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.shop import Done

ROOT = Path(__file__).parents[1]
PATIENCE = 60
"""Seconds that a command may take; a hanging one fails the test."""

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def command(*arguments: str | Path, program: str = "apiops") -> list[str]:
    """The words that run `apiops …`."""
    return [sys.executable, "-m", program, *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    """The variables of this process without those that steer apiops, and with the given ones."""
    steering = ("APIOPS_", "SOPS_", "FORCE_COLOR", "NO_COLOR", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def child(
    *arguments: str | Path,
    cwd: Path,
    before: Callable[[], None] | None = None,
    **variables: str,
) -> Done:
    """`apiops …` in a folder, as a process; `before` runs in it before apiops begins."""
    return _done(command(*arguments), cwd, before, variables)


def terminal(*arguments: str | Path, cwd: Path, typed: str = "", **variables: str) -> Done:
    """`apiops …` on a terminal of 100 columns, with what somebody typed; all it shows is `out`."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(TERM="xterm", COLUMNS="100", **variables),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    os.write(master, typed.encode())
    shown = bytearray()
    with suppress(OSError):  # the terminal is gone when nobody writes to it any more
        while piece := os.read(master, 65_536):
            shown += piece
    os.close(master)
    return Done(running.wait(PATIENCE), shown.decode().replace("\r\n", "\n"), "")


def shell(script: str, cwd: Path, **variables: str) -> Done:
    """A bash script in which `apiops` is ours; a failure inside of a pipe is seen."""
    start = f'set -o pipefail; apiops() {{ "{sys.executable}" -m apiops "$@"; }}; '
    return _done(["bash", "-c", start + script], cwd, None, variables)


def mortal() -> None:
    """Bind root to the modes of files, as anyone else is."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            assert libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def limited(size: int) -> Callable[[], None]:
    """A disk that is full, as one process sees it: no file may grow beyond `size` bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def _done(
    words: Sequence[str], cwd: Path, before: Callable[[], None] | None, variables: dict[str, str]
) -> Done:
    done = subprocess.run(
        words,
        cwd=cwd,
        env=environment(**variables),
        preexec_fn=before,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
