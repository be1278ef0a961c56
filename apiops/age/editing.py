"""A sops file in the clear and back again, in the author's layout.

`decrypt` puts plain values where the tokens stood. `reencrypt` takes the edited text and keeps
the recipients, the data key and the token of every value that did not change, so that a diff in
Git shows what was edited and nothing else.
"""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from apiops.age import comments, datakey, forms, metadata, reading, tree, value, writing
from apiops.age.comments import Comment
from apiops.age.forms import Edit, Form
from apiops.age.identities import Identities
from apiops.age.reading import Opened, Plain
from apiops.age.source import Source, check_size, splice
from apiops.age.tree import Leaf
from apiops.age.value import Kind, Scalar, TokenFault
from apiops.age.writing import Encrypted, PlainFile, Policy


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A comment that stands encrypted in a file: its span there, its text, what it is bound to."""

    start: int
    end: int
    text: str = field(repr=False)
    path: tuple[str, ...]


def decrypt(path: str, content: bytes, identities: Identities, form: Form | None = None) -> bytes:
    """The plain file: the same text with plain values in place of tokens, without the envelope.

    Reads a plain age file too. `form` overrides what the suffix says (`forms.BINARY` for binary
    content in a file with another suffix). Raises SecretError (AO401–AO417).
    """
    check_size(path, content)
    if forms.is_age_file(content):
        return datakey.open_file(content, identities, Source(path, ""))
    return _plain_text(reading.open_file(path, content, identities, form))


def reencrypt(path: str, old: bytes, new: bytes, identities: Identities) -> Encrypted:
    """The file `old` with the content `new`: same recipients, same data key, no noise.

    A value that did not change keeps its token byte for byte, and so does an encrypted comment;
    without any change the file stays as it is. Raises SecretError: what `decrypt` and `encrypt`
    raise, and AO419 for a changed comment in a file whose comments are encrypted.
    """
    opened = reading.open_file(path, old, identities)
    if new == _plain_text(opened):
        return Encrypted(old)
    file = writing.read(path, new, opened.metadata.selection)
    plains = reading.plain(opened)
    hidden = list(_hidden(opened, plains))
    tokens = list(_tokens(file, plains, opened))
    kept = list(_kept_comments(file, hidden, opened))
    content = writing.assemble(file, tokens, _envelope(opened, file), kept)
    writing.check(content, file, opened.key)
    return Encrypted(content, () if hidden else writing.warnings(file))


def rekey(path: str, content: bytes, identities: Identities, policy: Policy) -> Encrypted:
    """The same values for other recipients or by another rule: new data key, new tokens.

    Raises SecretError: what `decrypt` and `encrypt` raise, and AO419 if comments are encrypted,
    which would become readable.
    """
    return renew(path, reading.open_file(path, content, identities), policy)


def renew(path: str, opened: Opened, policy: Policy) -> Encrypted:
    """`rekey` of a file that is open already."""
    for comment in _hidden(opened, reading.plain(opened)):
        raise opened.parsed.source.refuse(
            "AO419",
            "an encrypted comment, which apiops would write in the clear",
            hint="remove the comment first, or change the recipients with sops",
            offset=comment.start,
        )
    return writing.encrypt(path, _plain_text(opened), policy)


def _plain_text(opened: Opened) -> bytes:
    plains = reading.plain(opened)
    if opened.form is forms.BINARY:
        return b"".join(one.value.data for one in plains if one.value)
    source = opened.parsed.source
    edits: list[Edit] = [
        (one.leaf.start, one.leaf.end, opened.form.spell(one.leaf, one.value, source))
        for one in plains
        if one.encrypted and one.value and one.value.kind is not Kind.COMMENT
    ]
    edits += [(one.start, one.end, f"#{one.text}") for one in _hidden(opened, plains)]
    text = splice(source.text, edits + opened.form.detach(opened.parsed))
    return text.encode(errors="surrogateescape")


def _hidden(opened: Opened, plains: Iterable[Plain]) -> Iterator[_Hidden]:
    """The encrypted comments: on lines of their own, and as elements of lists."""
    source = opened.parsed.source
    for one in plains:
        if one.encrypted and one.value and one.value.kind is Kind.COMMENT:
            dash = source.text.rindex("-", 0, one.leaf.start)
            text = _one_line(one.value, source, dash)
            yield _Hidden(dash, one.leaf.end, text, one.leaf.path)
    for comment in comments.find(opened.parsed):
        if value.is_token(comment.text) and any(
            map(opened.metadata.selection.encrypts, comment.paths)
        ):
            yield _unsealed(comment, opened)


def _unsealed(comment: Comment, opened: Opened) -> _Hidden:
    source, key = opened.parsed.source, opened.key.reveal()
    for path in comment.candidates:
        try:
            scalar = value.unseal(comment.text, key, value.associated(path))
        except TokenFault:
            continue
        text = _one_line(scalar, source, comment.start)
        return _Hidden(comment.start, comment.end, text, path)
    raise source.refuse(
        "AO407",
        "an encrypted comment cannot be opened",
        hint="remove the comment; no value depends on it",
        offset=comment.start,
    )


def _one_line(scalar: Scalar, source: Source, offset: int) -> str:
    text = scalar.data.decode(errors="replace")
    if not text.isprintable() and not text.replace("\t", " ").isprintable():
        raise source.refuse(
            "AO407", "an encrypted comment holds more than one printable line", offset=offset
        )
    return text


def _tokens(file: PlainFile, plains: Iterable[Plain], opened: Opened) -> Iterator[str]:
    """The token of each value to be hidden: its old one if there is one, each used once."""
    known: dict[tuple[bytes, str, bytes], list[str]] = {}
    for one in plains:
        if one.encrypted and one.value:
            place = (value.associated(one.leaf.path), one.value.kind.value, one.value.data)
            known.setdefault(place, []).append(one.leaf.text)
    for one in file.hidden:
        scalar = one.value or value.text("")
        bound = value.associated(one.leaf.path)
        same = known.get((bound, scalar.kind, scalar.data))
        if not same and file.form.numbers_are_floats and scalar.kind is Kind.INT:
            same = known.get((bound, Kind.FLOAT, scalar.data))
        yield same.pop(0) if same else writing.seal(one, opened.key.reveal())


def _envelope(opened: Opened, file: PlainFile) -> str:
    """The old envelope's own text, with a new MAC and time if the values changed."""
    parsed, only = opened.parsed, opened.metadata.only_encrypted
    fed = [(one.value, one.encrypted) for one in file.plains if one.value]
    digest = tree.mac(fed, only_encrypted=only).encode()
    edits: list[Edit] = []
    same = hmac.compare_digest(digest, reading.stored_mac(opened))
    if not same and isinstance(parsed.envelope, dict):
        stamp = metadata.now()
        mac = value.seal(Scalar(Kind.STR, digest), opened.key.reveal(), stamp.encode())
        for name, text in (("lastmodified", stamp), ("mac", mac)):
            leaf = parsed.envelope[name]
            if isinstance(leaf, Leaf):
                token = value.is_token(text)
                spelled = opened.form.spell(leaf, value.text(text), parsed.source)
                shown = writing.place(leaf, text) if token else spelled
                edits.append((leaf.start, leaf.end, shown))
    spans = [span for span in parsed.envelopes if not span.document]
    lines = (_within(parsed.source.text, edits, span.start, span.end) for span in spans)
    return "".join(lines).rstrip("\n")


def _within(text: str, edits: Sequence[Edit], start: int, end: int) -> str:
    moved = [(a - start, b - start, new) for a, b, new in edits if start <= a and b <= end]
    return splice(text[start:end], moved)


def _kept_comments(file: PlainFile, hidden: Sequence[_Hidden], opened: Opened) -> Iterator[Edit]:
    """The edits that put encrypted comments back; a new or changed comment is refused."""
    known = list(hidden)
    old, source = opened.parsed.source.text, file.parsed.source
    for comment in comments.find(file.parsed) if hidden else ():
        if comment.is_modeline or not any(map(file.selection.encrypts, comment.paths)):
            continue
        same = next((one for one in known if _is_same(one, comment, old, source)), None)
        if same is None:
            raise source.refuse(
                "AO419",
                "a new or changed comment among encrypted values, in a file whose comments are "
                "encrypted",
                hint="leave the comment as it was or remove it; apiops does not encrypt comments",
                offset=comment.start,
            )
        known.remove(same)
        yield (comment.start, comment.end, old[same.start : same.end])


def _is_same(one: _Hidden, comment: Comment, old: str, source: Source) -> bool:
    """Whether a comment is the encrypted one; an element of a list needs a line of its own."""
    line = source.text[: comment.start].rpartition("\n")[2]
    fits = old[one.start] == "#" or not line.strip()
    return fits and one.text == comment.text and one.path in comment.candidates
