"""A target for octoDNS that keeps what was applied in one JSON file: the least a target can do.

It runs inside of octoDNS' own environment and imports nothing of apiops.
"""

import json
import logging
from pathlib import Path
from typing import Any

from octodns.provider.base import BaseProvider
from octodns.record import Record


class StateProvider(BaseProvider):
    """Zone → its records as octoDNS writes them."""

    SUPPORTS_GEO = False
    SUPPORTS = frozenset({"A", "TXT"})

    def __init__(self, id: str, file: str, **options: Any) -> None:
        self.log = logging.getLogger(f"StateProvider[{id}]")
        super().__init__(id, **options)
        self._file = Path(file)
        text = self._file.read_text() if self._file.exists() else "{}"
        self._zones: dict[str, list[list[Any]]] = json.loads(text)

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002 - octoDNS calls it so
        """Add the records of a zone that was applied."""
        for name, data in self._zones.get(zone.name, ()):
            zone.add_record(Record.new(zone, name, data, source=self, lenient=lenient))
        return zone.name in self._zones

    def _apply(self, plan: Any) -> None:
        self._zones[plan.desired.name] = [
            [one.name, {"type": one._type, **one.data}]  # noqa: SLF001 - as octoDNS' own do
            for one in plan.desired.records
        ]
        self._file.write_text(json.dumps(self._zones))
