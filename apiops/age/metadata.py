"""The `sops` entry of a file: recipients, the rule, the MAC, as sops writes it.

Format: sops `stores/stores.go` (`Metadata`), version 3.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from apiops.age import resolver, selection
from apiops.age.selection import Selection
from apiops.age.source import Source
from apiops.age.tree import Leaf, Node, Parsed, walk
from apiops.age.value import Kind

VERSION: Final = "3.11.0"
"""The sops release whose format is written; sops does not read a file without one."""

MAX_ENC: Final = 64 << 10
"""The largest `enc` of a recipient, 64 KiB."""

_DIGITS: Final = 3
MAX_RECIPIENTS: Final = 100
SERVICES: Final = ("pgp", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault")
"""The key services of sops that apiops does not use."""

_KNOWN: Final = frozenset(
    (
        *SERVICES,
        *selection.RULES,
        "age",
        "key_groups",
        "shamir_threshold",
        "lastmodified",
        "mac",
        "mac_only_encrypted",
        "version",
    )
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient, and the age file that gives it the data key or its share."""

    recipient: str
    enc: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Keys of which any one opens the group. `services` names those that are not age."""

    age: tuple[Recipient, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the envelope says. `threshold` is how many groups are needed (1 if only one exists)."""

    groups: tuple[Group, ...]
    threshold: int
    lastmodified: str
    mac: str
    selection: Selection
    only_encrypted: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """All age recipients, in the order of the file."""
        return tuple(entry.recipient for group in self.groups for entry in group.age)


def now() -> str:
    """The present moment as `lastmodified` has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(parsed: Parsed) -> Metadata:
    """The first document's envelope.

    Raises SecretError: none there or not a mapping (AO405), more than one rule or one by comments
    (AO409), no MAC or no time (AO406), too large (AO414).
    """
    source, node = parsed.source, parsed.envelope
    if not isinstance(node, dict):
        raise source.refuse(
            "AO405",
            f"{source.path} is not encrypted: it has no sops metadata",
            hint="encrypt it with `apiops secrets encrypt`; if it was encrypted before, restore "
            "the sops entry from Git",
        )
    tree = _plain(node)
    offset = next((leaf.start for leaf in walk(node)), 0)
    lastmodified, mac = _text(tree, "lastmodified"), _text(tree, "mac")
    stamp = resolver.resolve(lastmodified)
    if not mac or stamp is None or stamp.kind is not Kind.TIME:
        raise source.refuse(
            "AO406",
            f"{source.path} has no {'valid lastmodified time' if mac else 'MAC'}, so it cannot "
            "be verified",
            hint="restore the sops entry from Git, or encrypt the file anew",
            offset=offset,
        )
    groups = _groups(tree, source, offset)
    return Metadata(
        groups,
        _number(tree, "shamir_threshold") or len(groups),
        _without_fraction(stamp.data.decode()),
        mac,
        _selection(tree, source, offset),
        _text(tree, "mac_only_encrypted").lower() in {"true", "1"},
        tuple(sorted(set(tree) - _KNOWN)),
    )


def tree_of(metadata: Metadata) -> dict[str, Any]:
    """The envelope as a tree of mappings, lists and text, in the order sops writes it."""
    tree: dict[str, Any] = {}
    groups = [
        [{"recipient": entry.recipient, "enc": entry.enc} for entry in group.age]
        for group in metadata.groups
    ]
    if len(groups) == 1:
        tree["age"] = groups[0]
    else:
        tree["shamir_threshold"] = metadata.threshold
        tree["key_groups"] = [{"age": entries} for entries in groups]
    tree["lastmodified"] = metadata.lastmodified
    tree["mac"] = metadata.mac
    tree[metadata.selection.rule] = metadata.selection.pattern
    tree["version"] = VERSION
    return tree


def _plain(node: Node) -> Any:
    """The envelope with scalars as text; sops decodes it as weakly."""
    if isinstance(node, Leaf):
        return "" if node.value is None else node.value.data.decode(errors="replace")
    if isinstance(node, dict):
        return {key: _plain(child) for key, child in node.items()}
    return [_plain(child) for child in node]


def _groups(tree: Mapping[str, Any], source: Source, offset: int) -> tuple[Group, ...]:
    single = _group(tree)
    groups: tuple[Group, ...] = (single,)
    if not (single.age or single.services):
        listed = tree.get("key_groups")
        groups = tuple(
            _group(entry) for entry in (listed if isinstance(listed, list) else ()) if entry
        )
    entries = [entry for group in groups for entry in group.age]
    if len(entries) > MAX_RECIPIENTS or any(len(entry.enc) > MAX_ENC for entry in entries):
        raise source.refuse(
            "AO414",
            f"more than {MAX_RECIPIENTS} recipients, or a recipient's entry above {MAX_ENC} bytes",
            offset=offset,
        )
    return groups


def _group(tree: Any) -> Group:
    if not isinstance(tree, dict):
        return Group()
    listed = tree.get("age")
    entries = tuple(
        Recipient(_text(entry, "recipient"), _text(entry, "enc"))
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict)
    )
    return Group(entries, tuple(name for name in SERVICES if tree.get(name)))


def _selection(tree: Mapping[str, Any], source: Source, offset: int) -> Selection:
    present = [(rule, _text(tree, rule)) for rule in selection.RULES if _text(tree, rule)]
    if len(present) > 1:
        raise source.refuse(
            "AO409",
            f"more than one rule says what is encrypted: {', '.join(rule for rule, _ in present)}",
            offset=offset,
        )
    chosen = Selection(*present[0]) if present else Selection()
    if chosen.by_comment:
        raise source.refuse(
            "AO409",
            f"{chosen.rule} decides by comments what is encrypted, which apiops does not read",
            hint="let the author encrypt the file with encrypted_regex or a suffix rule",
            offset=offset,
        )
    return chosen


def _text(tree: Mapping[str, Any], name: str) -> str:
    found = tree.get(name)
    return found if isinstance(found, str) else ""


def _number(tree: Mapping[str, Any], name: str) -> int:
    found = _text(tree, name)
    return int(found) if found.isascii() and found.isdigit() and len(found) <= _DIGITS else 0


def _without_fraction(stamp: str) -> str:
    """RFC 3339 to the second: what sops binds the MAC to."""
    return stamp[:19] + stamp[19:].lstrip(".0123456789")
