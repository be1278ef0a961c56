"""For whom a file is encrypted, and how that changes.

Whoever joins is given the data key that the file has: one entry more, and nothing else differs.
Whoever leaves knows that key, so all that stays is encrypted anew under another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apiops.age import datakey, editing, forms, metadata, reading
from apiops.age.identities import Identities
from apiops.age.metadata import Group, Metadata
from apiops.age.reading import Opened
from apiops.age.source import Source, splice
from apiops.age.writing import Encrypted, Policy

Groups = tuple[tuple[str, ...], ...]
"""Recipients by group, as in `Policy.groups`."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who can open a file: groups of recipients, and how many of the groups are needed."""

    groups: Groups
    threshold: int

    def same(self, other: "Holders") -> bool:
        """Whether it is the same people, in whatever order."""
        return self.who == other.who

    @property
    def who(self) -> tuple[int, list[list[str]]]:
        """How many of the groups are needed, and who is in each, in a form to compare."""
        needed = (self.threshold or len(self.groups)) if len(self.groups) > 1 else 1
        return needed, sorted(sorted({bare(name) for name in group}) for group in self.groups)


def bare(recipient: str) -> str:
    """A recipient without the comment that an SSH key may have."""
    return " ".join(recipient.split()[:2])


def read(path: str, content: bytes) -> Holders:
    """For whom a file is encrypted, read without a key. Raises SecretError (AO405–AO417)."""
    said = metadata.parse(forms.of(path).read(forms.source(path, content)))
    return _holders(said)


def rotate(path: str, content: bytes, identities: Identities) -> Encrypted:
    """The same values for the same recipients, under a new data key.

    Raises SecretError: what `editing.rekey` raises, and AO408 for a file that others than age
    recipients can open, who would lose it.
    """
    opened = reading.open_file(path, content, identities)
    return editing.renew(path, opened, _policy(opened, _holders(opened.metadata)))


def give(path: str, content: bytes, identities: Identities, to: Holders) -> Encrypted:
    """The same values for other recipients; the file as it is if they are the same.

    Raises SecretError as `rotate` does, and AO411 for recipients that cannot be used.
    """
    opened = reading.open_file(path, content, identities)
    now = _holders(opened.metadata)
    if to.same(now):
        return Encrypted(content)
    policy = _policy(opened, to)
    if not _only_joins(now, to) or opened.metadata.only_encrypted:
        return editing.renew(path, opened, policy)
    return Encrypted(_joined(opened, to.groups[0]))


def _holders(said: Metadata) -> Holders:
    groups = tuple(tuple(entry.recipient for entry in group.age) for group in said.groups)
    return Holders(groups, said.threshold if len(groups) > 1 else 0)


def _policy(opened: Opened, to: Holders) -> Policy:
    services = sorted({name for group in opened.metadata.groups for name in group.services})
    if services:
        path = opened.parsed.source.path
        raise opened.parsed.source.refuse(
            "AO408",
            f"{path} can also be opened with {', '.join(services)}, which would be lost",
            hint="take those keys out of the file with sops first, or rotate it with sops",
        )
    return Policy(to.groups, opened.metadata.selection, to.threshold)


def _only_joins(now: Holders, to: Holders) -> bool:
    """Whether nobody leaves; key groups share the data key, so a change there is a new key."""
    if len(now.groups) != 1 or len(to.groups) != 1:
        return False
    return {bare(name) for name in now.groups[0]} < {bare(name) for name in to.groups[0]}


def _joined(opened: Opened, wanted: Sequence[str]) -> bytes:
    """The file with an entry more for each recipient that is new; tokens and MAC stay."""
    source, form, said = opened.parsed.source, opened.form, opened.metadata
    (group,) = said.groups
    known = {bare(entry.recipient) for entry in group.age}
    new = [name for name in wanted if bare(name) not in known]
    entries = (*group.age, *datakey.share(opened.key, new, source))
    text = splice(source.text, form.detach(opened.parsed))
    bare_file = form.read(Source(source.path, text))
    envelope = form.envelope(metadata.tree_of(replace(said, groups=(Group(entries),))))
    content = splice(text, form.attach(bare_file, envelope))
    reading.open_with(form, Source(source.path, content), opened.key)
    return content.encode()
