"""One pass of the line in this process, and the processor seconds of each of its stations.

    python -m benchmarks.stages plan|apply SETTINGS REPOSITORY REF [INTRODUCTION]

Prints JSON. The benchmark starts it as a process of its own, so that every pass begins cold.
"""

import gc
import json
import sys
import time
from pathlib import Path

from apiops.model.audit import Introduction
from apiops.ports import Event
from apiops.reconcile import apply
from apiops.reconcile.line import Line, Wish, prepare
from apiops.wiring import assemble, settings


class Stopwatch:
    """An observer that notes when the line comes to its next station."""

    def __init__(self) -> None:
        self._at = "start"
        self._since = 0.0
        self.seconds: dict[str, float] = {}

    def notice(self, event: Event) -> None:
        """The line is at another station."""
        self.enter(event.station)

    def enter(self, station: str) -> None:
        """Count what went by for the station before."""
        now = time.process_time()
        self.seconds[self._at] = self.seconds.get(self._at, 0.0) + now - self._since
        self._at, self._since = station, now


def walk(line: Line, verb: str, ref: str, introduction: str | None, watch: Stopwatch) -> None:
    """Plan or apply a ref."""
    wish = Wish()
    if introduction:
        first = line.repository.resolve(introduction).commit
        wish = Wish(
            introduction=Introduction(line.repository.lineage, line.target.name, first, "mert")
        )
    watch.enter("tree")
    snapshot = line.repository.snapshot(line.repository.resolve(ref))
    if verb == "plan":
        prepare(line, snapshot, wish)
    else:
        apply.apply(line, snapshot, wish)
    watch.enter("end")


def run(verb: str, file: str, repository: str, ref: str, introduction: str | None = None) -> None:
    """Walk, and print what each station took."""
    gc.disable()  # as the command line does
    watch = Stopwatch()
    target = settings.read(Path(file)).target(None)
    wiring = assemble.Wiring(Path(repository), target)
    with assemble.line(wiring, watch) as line:
        walk(line, verb, ref, introduction, watch)
    print(json.dumps(watch.seconds))


if __name__ == "__main__":
    run(*sys.argv[1:])
