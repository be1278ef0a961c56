"""The Keyring port over age identities.

A file is read and verified once, whatever number of its values is asked for; what is remembered
of it, in memory only, is the data key and the ciphertexts, not the plaintexts.
"""

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from apiops.age import datakey, forms, reading, yamltext
from apiops.age.identities import Identities
from apiops.age.reading import Opened
from apiops.age.source import Source, check_size
from apiops.age.tree import Leaf
from apiops.errors import SecretError
from apiops.model.secret import SecretLeaf, SecretValue

_MANIFEST: str = "apiops/"


@dataclass(frozen=True, slots=True)
class _File:
    """A verified file and its encrypted leaves by pointer (None: two leaves share it)."""

    opened: Opened
    leaves: dict[str, Leaf | None]


_AT_HAND: Final = 16
"""How many opened files are kept: the values of one are asked for one after the other."""


class AgeKeyring:
    """Opens sops files and plain age files with the identities at hand."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._files: dict[tuple[str, bytes], _File] = {}

    def __repr__(self) -> str:
        return f"AgeKeyring({len(self._identities.keys)} identities)"

    @property
    def available(self) -> bool:
        """Whether any identity was found."""
        return bool(self._identities)

    def open(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        """The plaintext that `leaf` points at in the file `content`.

        An empty pointer means the whole file: a sops binary file or a plain age file. Else the
        keys inside the file joined by `/`, behind `<index>:` for a later YAML document.

        Raises SecretError: no identity (AO401), none that matches (AO402), no such value (AO404),
        MAC wrong (AO406), value damaged or not the one that `leaf.cipher` names
        (AO407), and the other faults of the file (AO405–AO417).
        """
        if not leaf.pointer:
            return self._whole(leaf, content)
        file = self._file(leaf.file, content)
        return SecretValue(reading.unseal(_find(file, leaf), file.opened).data)

    def _whole(self, leaf: SecretLeaf, content: bytes) -> SecretValue:
        if forms.is_age_file(content):
            check_size(leaf.file, content)
            source = Source(leaf.file, "")
            return SecretValue(datakey.open_file(content, self._identities, source))
        file = self._file(leaf.file, content)
        if file.opened.form not in {forms.BINARY, forms.JSON} or list(file.leaves) != ["data"]:
            raise file.opened.parsed.source.refuse(
                "AO404",
                f"{leaf.file} holds several values; say which one is meant",
                hint=f"refer to it as {leaf.file}#KEY, or encrypt the file as binary",
            )
        named = SecretLeaf(leaf.environment, file=leaf.file, pointer="data")
        return SecretValue(reading.unseal(_find(file, named), file.opened).data)

    def _file(self, path: str, content: bytes) -> _File:
        """The verified file; content and path identify it, so that a cache cannot be misled."""
        known = (path, hashlib.sha256(content).digest())
        if known not in self._files:
            if len(self._files) >= _AT_HAND:
                del self._files[next(iter(self._files))]
            opened = reading.open_file(path, content, self._identities)
            _check_manifest(opened)
            leaves = [
                leaf
                for leaf in opened.parsed.leaves()
                if reading.is_encrypted(leaf, opened.metadata)
            ]
            counts = Counter(leaf.pointer for leaf in leaves)
            self._files[known] = _File(
                opened,
                {leaf.pointer: leaf if counts[leaf.pointer] == 1 else None for leaf in leaves},
            )
        return self._files[known]


def _find(file: _File, leaf: SecretLeaf) -> Leaf:
    """The encrypted leaf at the pointer: the very ciphertext that the plan saw, where it says."""
    found = file.leaves.get(leaf.pointer)
    if found is None:
        raise _not_there(file, leaf)
    cipher = hashlib.sha256(found.text.encode()).hexdigest()
    if leaf.cipher and not hmac.compare_digest(cipher, leaf.cipher):
        raise file.opened.parsed.source.refuse(
            "AO407",
            f"the encrypted value at {leaf.pointer} is another one than the plan was made from",
            hint="plan again; in a list with encrypted comments, count the values only",
            offset=found.start,
        )
    return found


def _not_there(file: _File, leaf: SecretLeaf) -> SecretError:
    source = file.opened.parsed.source
    if leaf.pointer in file.leaves:
        return source.refuse(
            "AO404",
            f"{leaf.pointer} means more than one value in {leaf.file}",
            hint="rename a key that contains a slash",
        )
    clear = {one.pointer for one in file.opened.parsed.leaves()}
    if leaf.pointer in clear:
        return source.refuse(
            "AO404",
            f"{leaf.pointer} in {leaf.file} is not encrypted (or empty), so it is no secret",
            hint="encrypt it: widen the rule in .sops.yaml and encrypt the file anew",
        )
    near = get_close_matches(leaf.pointer, file.leaves, n=1)
    return source.refuse(
        "AO404",
        f"{leaf.file} has no encrypted value at {leaf.pointer}",
        hint=f"did you mean {near[0]}?" if near else "see its keys with `apiops secrets decrypt`",
    )


def _check_manifest(opened: Opened) -> None:
    """Refuse in a manifest what would let its clear part say more than the MAC covers."""
    source, said = opened.parsed.source, opened.metadata
    kind = next((one for one in opened.parsed.leaves() if one.keys == ("apiVersion",)), None)
    if opened.form is not forms.YAML or kind is None or not kind.text.startswith(_MANIFEST):
        return
    if said.only_encrypted:
        raise source.refuse(
            "AO410",
            f"{source.path} is a manifest with mac_only_encrypted: its clear part is not verified",
            hint="remove mac_only_encrypted from .sops.yaml and encrypt the file anew",
        )
    if said.unknown:
        raise source.refuse(
            "AO410",
            f"the sops entry of {source.path} has keys that apiops does not know: "
            f"{', '.join(said.unknown)}",
            hint="remove them, or encrypt the file anew with `apiops secrets encrypt`",
        )
    unsure = yamltext.typed_twice(opened.parsed)
    if unsure is not None:
        raise source.refuse(
            "AO412",
            f"sops and YAML 1.2 read the value at {unsure.pointer} as different things",
            hint="put it in quotes, or write the number in decimal",
            offset=unsure.start,
        )
