"""What the forge says about merges made in its web UI, as the CI job hands it over.

    [{"commit": "<full id>", "mergedBy": "ayse@bank.example", "pullRequest": "42", "head": "…"}]

Read strictly: an entry that is in doubt would decide who answers for a change. What it is worth
depends on who wrote it: docs/adr/0016-host-evidence.md.
"""

import json
import re
from typing import Any, Final

from apiops.errors import UsageError
from apiops.model.revision import Attestation, Evidence

MAX_CHARACTERS: Final = 1024 * 1024
MAX_ENTRIES: Final = 1000

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_NUMBER: Final = re.compile(r"(?:.*[/#!])?([0-9]{1,12})/?", re.DOTALL)
_FIELDS: Final = frozenset({"commit", "mergedBy", "pullRequest", "head"})
_REQUIRED: Final = frozenset({"commit", "mergedBy"})


def parse(text: str) -> Evidence:
    """The entries by commit. Raises UsageError AO516 for anything unexpected."""
    if len(text) > MAX_CHARACTERS:
        raise _fault(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        tree = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as fault:
        raise _fault(f"it is not JSON: {fault}") from None
    if not isinstance(tree, list) or len(tree) > MAX_ENTRIES:
        raise _fault(f"a list of at most {MAX_ENTRIES} entries is expected")
    entries = [_entry(number, node) for number, node in enumerate(tree)]
    found = {entry.commit: entry for entry in entries}
    if len(found) != len(entries):
        raise _fault("two entries are about the same commit")
    return found


def _entry(number: int, node: Any) -> Attestation:
    if not isinstance(node, dict) or not _REQUIRED <= node.keys() <= _FIELDS:
        raise _fault(f"entry {number} needs commit and mergedBy, and may have pullRequest and head")
    texts = {name: _text(number, name, value) for name, value in node.items()}
    head = texts.get("head", "")
    for name, id in (("commit", texts["commit"]), ("head", head)):
        if id and not _COMMIT.fullmatch(id):
            raise _fault(f"entry {number}: {name} must be a full commit id of 40 digits")
    if not texts["mergedBy"] or not texts["commit"]:
        raise _fault(f"entry {number}: commit and mergedBy must not be empty")
    pull_request = texts.get("pullRequest", "")
    named = _NUMBER.fullmatch(pull_request)
    refs = _refs(named[1]) if named else ()
    return Attestation(
        commit=texts["commit"],
        merged_by=texts["mergedBy"],
        pull_request=pull_request,
        heads=(head, *refs) if head else refs,
    )


def _refs(number: str) -> tuple[str, str]:
    """Where GitHub and GitLab keep the head of a pull request."""
    return (f"refs/pull/{number}/head", f"refs/merge-requests/{number}/head")


def _text(number: int, name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and name == "pullRequest":
        return str(value)
    if value is None and name not in _REQUIRED:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise _fault(f"entry {number}: {name} must be text on one line")
    return value.strip()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one entry")
    return dict(pairs)


def _fault(why: str) -> UsageError:
    return UsageError(
        f"the host evidence cannot be used: {why}",
        code="AO516",
        hint='write [{"commit": "FULL ID", "mergedBy": "ADDRESS", "pullRequest": "NUMBER", '
        '"head": "FULL ID"}]',
    )
