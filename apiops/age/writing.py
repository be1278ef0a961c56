"""Encrypting a plain file in place, as the safe subset of what sops can write.

Every value that the rule selects is replaced by a token where it stands; layout, comments and
the rest of the text stay the author's. The MAC is over everything, comments are not encrypted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from apiops.age import comments, datakey, forms, metadata, reading, shamir, tree, value
from apiops.age.forms import Edit, Form
from apiops.age.metadata import Metadata
from apiops.age.reading import Plain
from apiops.age.selection import Selection
from apiops.age.source import Source, check_size, splice
from apiops.age.tree import ENVELOPE, Leaf, Parsed
from apiops.age.value import Kind, Scalar
from apiops.model.diagnostic import Diagnostic, Severity
from apiops.model.secret import SecretValue

_EXACT_FLOAT: Final = 1 << 53
_LARGEST: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Policy:
    """For whom a file is encrypted, and what of it.

    `groups` are lists of recipients (`age1…`, SSH public keys); with more than one, `threshold`
    of them are needed together (0: all).
    """

    groups: tuple[tuple[str, ...], ...]
    selection: Selection = field(default_factory=Selection)
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class Encrypted:
    """An encrypted file, and what its author should know."""

    content: bytes
    warnings: tuple[Diagnostic, ...] = ()


def encrypt(path: str, content: bytes, policy: Policy) -> Encrypted:
    """Encrypt a plain YAML, JSON, dotenv or (any other suffix) binary file.

    Raises SecretError: already encrypted or `sops` used as a key (AO418), no recipients or one
    that cannot be used (AO411), anchors, aliases, tags (AO416), keys or documents that sops does
    not take (AO417), a rule by comments or a bad pattern (AO409, AO410), nothing to encrypt
    (AO413), not readable (AO414, AO415).
    """
    file = read(path, content, policy.selection)
    _check(file, policy)
    threshold = policy.threshold or len(policy.groups)
    key, groups = datakey.lock(policy.groups, threshold, file.parsed.source)
    tokens = [seal(one, key.reveal()) for one in file.hidden]
    stamp = metadata.now()
    mac = seal_mac(file.plains, key.reveal(), stamp)
    said = Metadata(groups, threshold, stamp, mac, file.selection)
    envelope = file.form.envelope(metadata.tree_of(said))
    content = assemble(file, tokens, envelope)
    check(content, file, key)
    return Encrypted(content, warnings(file))


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A plain file as read: its leaves, and which of them are to be encrypted."""

    form: Form
    parsed: Parsed
    selection: Selection
    plains: tuple[Plain, ...]

    @property
    def hidden(self) -> list[Plain]:
        """The leaves to be encrypted, in document order."""
        return [one for one in self.plains if one.encrypted]


def read(path: str, content: bytes, selection: Selection) -> PlainFile:
    """Read a plain file that is to be encrypted. Raises SecretError (AO413–AO418)."""
    check_size(path, content)
    form = forms.of(path)
    if form is forms.BINARY:
        return _wrapped(path, content)
    parsed = form.read(forms.source(path, content))
    if any(isinstance(root, dict) and ENVELOPE in root for root in parsed.documents):
        raise parsed.source.refuse(
            "AO418",
            f"{path} has a top-level key `{ENVELOPE}`: it is encrypted already, or the key is in "
            "the way",
            hint="change an encrypted file with `apiops secrets edit`; rename the key otherwise",
        )
    plains = tuple(Plain(leaf, leaf.value, _hides(selection, leaf)) for leaf in parsed.leaves())
    file = PlainFile(form, parsed, selection, plains)
    _check_numbers(file)
    return file


def seal(one: Plain, key: bytes) -> str:
    """The token for a leaf's value, bound to its path."""
    return value.seal(one.value or value.text(""), key, value.associated(one.leaf.path))


def assemble(
    file: PlainFile, tokens: Sequence[str], envelope: str, more: Sequence[Edit] = ()
) -> bytes:
    """The encrypted file: tokens in place of the values to be hidden, `more` and the envelope."""
    source = file.parsed.source
    edits: list[Edit] = [
        (one.leaf.start, one.leaf.end, place(one.leaf, token))
        for one, token in zip(file.hidden, tokens, strict=True)
    ]
    edits += [*more, *file.form.attach(file.parsed, envelope)]
    return splice(source.text, edits).encode()


def check(content: bytes, file: PlainFile, key: SecretValue) -> None:
    """Read an encrypted file back before it is given out: verified, and the same values."""
    opened = reading.open_with(file.form, Source(file.parsed.source.path, content.decode()), key)
    back = [one for one in reading.plain(opened) if not one.value or one.value.kind != "comment"]
    same = [(one.leaf.pointer, one.value and one.value.data) for one in back]
    if same != [(one.leaf.pointer, one.value and one.value.data) for one in file.plains]:
        raise opened.parsed.source.refuse(
            "AO413",
            f"{opened.parsed.source.path} would not read back as it was written",
            hint="simplify its layout: write values and comments on lines of their own",
        )


def place(leaf: Leaf, token: str) -> str:
    """The text that puts a token in a leaf's span: quoted inside brackets and in JSON."""
    return f'"{token}"' if leaf.flow else token


def seal_mac(plains: Iterable[Plain], key: bytes, stamp: str) -> str:
    """The token of the MAC over all values, bound to the time."""
    digest = tree.mac(
        ((one.value, one.encrypted) for one in plains if one.value), only_encrypted=False
    )
    return value.seal(value.text(digest), key, stamp.encode())


def warnings(file: PlainFile) -> tuple[Diagnostic, ...]:
    """A warning for each comment among encrypted values, which stays readable."""
    return tuple(
        Diagnostic(
            "AO419",
            "this comment stays readable: apiops does not encrypt comments",
            file.parsed.source.at(comment.start),
            severity=Severity.WARNING,
            hint="move what is secret in it into a value",
        )
        for comment in comments.find(file.parsed)
        if not comment.is_modeline and any(map(file.selection.encrypts, comment.paths))
    )


def _wrapped(path: str, content: bytes) -> PlainFile:
    """A binary file as sops keeps it: JSON with the content at `data`."""
    parsed = forms.BINARY.read(Source(path, '{\n\t"data": ""\n}\n'))
    plains = tuple(
        Plain(leaf, Scalar(Kind.STR, content), encrypted=bool(content)) for leaf in parsed.leaves()
    )
    if forms.is_age_file(content) or _is_sops(content):
        raise parsed.source.refuse(
            "AO418",
            f"{path} is encrypted already",
            hint="decrypt it first with `apiops secrets decrypt`",
        )
    return PlainFile(forms.BINARY, parsed, Selection(), plains)


def _is_sops(content: bytes) -> bool:
    return content.lstrip()[:1] == b"{" and b'"data": "ENC[' in content and b'"sops":' in content


def _check(file: PlainFile, policy: Policy) -> None:
    source, threshold = file.parsed.source, policy.threshold or len(policy.groups)
    fits = len(policy.groups) == 1 or shamir.FEWEST <= threshold <= len(policy.groups)
    if not policy.groups or not all(policy.groups) or not fits:
        raise source.refuse(
            "AO411",
            f"{source.path} cannot be encrypted: no recipients, an empty group of them, or a "
            "threshold that the groups cannot reach",
            hint="give --age RECIPIENT, or a creation rule in .sops.yaml",
        )
    if not file.hidden:
        raise source.refuse(
            "AO413",
            f"nothing in {source.path} is to be encrypted by the rule "
            f"{file.selection.rule}: {file.selection.pattern}",
            hint="correct the rule in .sops.yaml so that it selects the secret fields",
        )


def _check_numbers(file: PlainFile) -> None:
    """Refuse integers that sops cannot hold, or of which its releases read different things."""
    for one in file.plains:
        scalar = one.value
        if scalar is None or scalar.kind is not Kind.INT:
            continue
        clear_float = file.form.numbers_are_floats and not one.encrypted
        limit = _EXACT_FLOAT if clear_float else _LARGEST
        if not -limit <= int(scalar.data) < limit:
            raise file.parsed.source.refuse(
                "AO412",
                f"the integer at {one.leaf.pointer} is larger than every sops reads exactly",
                hint="put the number in quotes",
                offset=one.leaf.start,
            )


def _hides(selection: Selection, leaf: Leaf) -> bool:
    """Whether a plain leaf is to be encrypted: never null and never the empty string."""
    return bool(leaf.value and leaf.value.data) and selection.encrypts(leaf.path)
