"""octoDNS as a peer: it plans the same kind of work, names in YAML files against a state.

A zone has 100 names, a name is a file with two records. `make benchmarks/.venv` installs octoDNS
from its own lock file into an environment of its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
OCTODNS = HERE / ".venv" / "bin" / "octodns-sync"

CONFIG = """\
manager: {max_workers: 1}
providers:
  files:
    class: octodns.provider.yaml.YamlProvider
    directory: %(folder)s/zones
    split_extension: "."
  state:
    class: octodns_state.StateProvider
    file: %(folder)s/%(state)s.json
zones:
  "*": {sources: [files], targets: [state]}
"""
NAME = """\
name-%(number)02d:
  - ttl: %(ttl)d
    type: A
    values: [192.0.2.%(last)d, 198.51.100.%(last)d]
  - ttl: 300
    type: TXT
    value: keeps the ledger of name %(number)d
"""
_NAMES = 100


@dataclass(frozen=True, slots=True)
class Peer:
    """The files of octoDNS in a folder, and the commands that plan and apply them."""

    folder: Path

    def plan(self, state: str, *flags: str) -> list[str]:
        """The command that plans against a state: `none`, or `full` once that was applied."""
        return [str(OCTODNS), "--quiet", f"--config-file={self.folder}/{state}.yaml", *flags]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that octoDNS runs with."""
        return {**os.environ, "PYTHONPATH": str(HERE)}

    def change(self, names: int, share: float) -> None:
        """Change one record of every so many names."""
        for number in range(0, names, round(1 / share)):
            self.write(number, ttl=60)

    def write(self, number: int, ttl: int) -> None:
        """Write the file of one name."""
        zone = self.folder / "zones" / f"zone-{number // _NAMES:04}.example."
        zone.mkdir(parents=True, exist_ok=True)
        place = number % _NAMES
        facts = {"number": place, "ttl": ttl, "last": number % 250 + 1}
        (zone / f"name-{place:02}.yaml").write_text(NAME % facts)


def build(folder: Path, names: int) -> Peer:
    """So many names in YAML."""
    peer = Peer(folder)
    for number in range(names):
        peer.write(number, ttl=300)
    for state in ("none", "full"):
        text = CONFIG % {"folder": folder, "state": state}
        (folder / f"{state}.yaml").write_text(text)
    return peer
