"""The walk along the log that verifies it: chain, tree, and the checkpoints that were signed.

It takes entries as they are stored, oldest first, wherever they come from: the database, or an
export that lies on an auditor's desk. What it finds first it names, and there it ends.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from apiops.errors import UsageError
from apiops.manager import audit, note
from apiops.manager.merkle import Growing
from apiops.manager.note import Checkpoint, VerifierKey
from apiops.model.audit import ChainReport

CHECKPOINT: Final = "checkpoint"
"""The action of an entry that keeps a checkpoint over all entries before it."""

_ACTION: Final = audit.FIELDS.index("action")
_NOTE: Final = audit.FIELDS.index("note")
_PREVIOUS: Final = audit.FIELDS.index("previous")


class Walk:
    """One walk. `keys` are those that sign checkpoints of this log, `expected` were kept elsewhere.

    A checkpoint inside of the log by a key that is not among `keys` is passed over (keys rotate,
    and an auditor may have the newest alone), unless `retired` names all others that there were.
    """

    def __init__(
        self,
        keys: Iterable[VerifierKey] = (),
        expected: Iterable[Checkpoint] = (),
        *,
        retired: Sequence[VerifierKey] | None = None,
    ) -> None:
        self.tree = Growing()
        self.head = ""
        self.problem = ""
        self.last_checkpoint = ""
        self._keys = tuple(keys)
        self._expected: dict[int, list[Checkpoint]] = {}
        for one in expected:
            self._expected.setdefault(one.size, []).append(one)
        self._retired = retired
        self._proven = 0
        self._checkpoints = 0
        self._first_bad: int | None = None

    @property
    def size(self) -> int:
        """How many good entries were taken."""
        return self.tree.size

    def along(self, rows: Iterable[Sequence[Any]]) -> "Walk":
        """Take entries until one is bad: each its `audit.FIELDS` and its digest."""
        for row in rows:
            if not self.take(row):
                break
        return self

    def take(self, row: Sequence[Any]) -> bool:
        """Take the next entry; False if it, or an entry before it, is not as it was written."""
        number = self.size + 1
        if row[0] != number:
            return self._bad(number, f"entry {number} is missing")
        if row[_PREVIOUS] != self.head:
            return self._bad(number, f"entry {number} does not follow the entry before it")
        if audit.digest(*row[:-1]) != row[-1]:
            return self._bad(number, f"entry {number} was altered")
        if row[_ACTION] == CHECKPOINT and not self._agrees(number, row[_NOTE]):
            return False
        self.head = row[-1]
        self.tree.add(bytes.fromhex(self.head))
        return all(self._covers(one) for one in self._expected.pop(self.size, ()))

    def end(self) -> ChainReport:
        """What was found, now that there are no more entries."""
        if self._first_bad is None and self._expected:
            longest = max(self._expected)
            self._bad(
                self.size + 1,
                f"the log ends with entry {self.size}, but a checkpoint was signed when it had "
                f"{longest}: entries were cut off",
            )
        return ChainReport(
            entries=self.size,
            head=self.head,
            first_bad=self._first_bad,
            problem=self.problem,
            root=self.tree.root().hex(),
            proven=self._proven,
            checkpoints=self._checkpoints,
        )

    def _agrees(self, number: int, text: str | None) -> bool:
        """Whether the checkpoint that an entry keeps is genuine and of just the entries before."""
        try:
            kept = str(orjson.loads(text or "")[CHECKPOINT])
            checkpoint = note.parse(kept)
            key = note.signed_by(kept, self._keys)
            known = key or self._retired is None or note.signed_by(kept, self._retired)
        except (UsageError, orjson.JSONDecodeError, LookupError, TypeError):
            return self._bad(number, f"entry {number} keeps a checkpoint that is not genuine")
        self.last_checkpoint = kept
        if not known:
            stranger = f"entry {number} keeps a checkpoint that no key of this Manager signed"
            return self._bad(number, stranger)
        if checkpoint.size != self.size:
            return self._bad(number, f"entry {number} keeps a checkpoint of other entries")
        return key is None or self._covers(checkpoint)

    def _covers(self, checkpoint: Checkpoint) -> bool:
        """Whether the entries so far are those that a checkpoint was signed for."""
        if checkpoint.root != self.tree.root():
            first = self._proven + 1
            return self._bad(
                first,
                f"entries {first} to {checkpoint.size} are not the ones that a checkpoint was "
                "signed for: history was rewritten",
            )
        self._proven = checkpoint.size
        self._checkpoints += 1
        return True

    def _bad(self, number: int, problem: str) -> bool:
        self._first_bad, self.problem = number, problem
        return False
