"""Reading a sops file: its data key, its values in the clear, its MAC verified.

Nothing of a file is given out before the whole of it verified. A value is bound to its place, so
one that was moved does not open; the MAC covers all leaves, so one that was removed shows.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from apiops.age import datakey, forms, metadata, selection, tree, value
from apiops.age.forms import Form
from apiops.age.identities import Identities
from apiops.age.metadata import Metadata
from apiops.age.source import Source
from apiops.age.tree import Leaf, Parsed
from apiops.age.value import Kind, Scalar, TokenFault
from apiops.model.secret import SecretValue


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified file: its form and text, what its envelope says, its data key."""

    form: Form
    parsed: Parsed
    metadata: Metadata
    key: SecretValue


@dataclass(frozen=True, slots=True)
class Plain:
    """A leaf with its plain value (None: null), and whether it stands encrypted in the file."""

    leaf: Leaf
    value: Scalar | None = field(repr=False)
    encrypted: bool


def open_file(
    path: str, content: bytes, identities: Identities, form: Form | None = None
) -> Opened:
    """Read and verify a sops file; `form` overrides what the path's suffix says.

    Raises SecretError (AO401–AO417).
    """
    form = form or forms.of(path)
    parsed = form.read(forms.source(path, content))
    said = metadata.parse(parsed)
    _check_pattern(said, parsed.source)
    opened = Opened(form, parsed, said, datakey.unlock(said, identities, parsed.source))
    verify(opened)
    return opened


def open_with(form: Form, source: Source, key: SecretValue) -> Opened:
    """Read and verify a sops file whose data key is at hand. Raises SecretError."""
    parsed = form.read(source)
    opened = Opened(form, parsed, metadata.parse(parsed), key)
    verify(opened)
    return opened


def plain(opened: Opened) -> list[Plain]:
    """Every leaf with its plain value, in document order. Raises SecretError (AO407)."""
    key, said = opened.key.reveal(), opened.metadata
    return [_plain(leaf, key, said, opened.parsed.source) for leaf in opened.parsed.leaves()]


def unseal(leaf: Leaf, opened: Opened) -> Scalar:
    """The plain value of one encrypted leaf. Raises SecretError (AO407)."""
    return _unseal(leaf, opened.key.reveal(), opened.parsed.source)


def is_encrypted(leaf: Leaf, said: Metadata) -> bool:
    """Whether a leaf holds an encrypted value: the rule selects it and there is something."""
    return said.selection.encrypts(leaf.path) and bool(leaf.value and leaf.value.data)


def _plain(leaf: Leaf, key: bytes, said: Metadata, source: Source) -> Plain:
    if not is_encrypted(leaf, said):
        return Plain(leaf, leaf.value, encrypted=False)
    return Plain(leaf, _unseal(leaf, key, source), encrypted=True)


def _unseal(leaf: Leaf, key: bytes, source: Source) -> Scalar:
    if not value.is_token(leaf.text):
        raise source.refuse(
            "AO407",
            f"{leaf.pointer} must be encrypted by the file's rule, but stands there in the clear",
            hint="edit the file with `apiops secrets edit`, never by hand",
            offset=leaf.start,
        )
    fault = ""
    try:
        return value.unseal(leaf.text, key, value.associated(leaf.path))
    except TokenFault as reason:
        fault = str(reason)
    raise source.refuse(
        "AO407",
        f"the encrypted value at {leaf.pointer} cannot be opened: {fault}",
        hint="restore it from Git, or set it anew with `apiops secrets edit`",
        offset=leaf.start,
    )


def verify(opened: Opened) -> None:
    """Compare the file's MAC in constant time with the one its values give.

    Raises SecretError: MAC wrong or missing (AO406), a value that does not open (AO407).
    """
    stored = stored_mac(opened)
    leaves = plain(opened)
    readings = [_fed(leaves)]
    if opened.form.numbers_are_floats:
        readings.append(_fed(map(_as_float, leaves)))
    only = opened.metadata.only_encrypted
    matches = [
        hmac.compare_digest(tree.mac(reading, only_encrypted=only).encode(), stored)
        for reading in readings
    ]
    if not any(matches):
        source = opened.parsed.source
        raise source.refuse(
            "AO406",
            f"the MAC of {source.path} does not match: the file was changed without its key",
            hint="restore it from Git and edit it with `apiops secrets edit` or sops",
        )


def stored_mac(opened: Opened) -> bytes:
    """The MAC that the file carries, decrypted. Raises SecretError (AO406)."""
    said, source = opened.metadata, opened.parsed.source
    try:
        return value.unseal(said.mac, opened.key.reveal(), said.lastmodified.encode()).data
    except TokenFault:
        fault = source.refuse(
            "AO406",
            f"the MAC of {source.path} cannot be opened: it, or the time beside it, was changed",
            hint="restore the sops entry from Git",
        )
    raise fault


def _fed(leaves: Iterable[Plain]) -> list[tuple[Scalar, bool]]:
    """What the MAC is made of: neither nulls nor comments."""
    return [
        (one.value, one.encrypted)
        for one in leaves
        if one.value is not None and one.value.kind is not Kind.COMMENT
    ]


def _as_float(one: Plain) -> Plain:
    """A clear number as sops before 3.13.2 read it from JSON."""
    if one.encrypted or one.value is None or one.value.kind is not Kind.INT:
        return one
    return Plain(one.leaf, value.floating(float(int(one.value.data))), encrypted=False)


def _check_pattern(said: Metadata, source: Source) -> None:
    chosen = said.selection
    fault = selection.fault(chosen.pattern) if chosen.rule.endswith("regex") else ""
    if fault:
        raise source.refuse("AO410", f"{said.selection.rule} of {source.path}: {fault}")
