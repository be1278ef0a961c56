"""Secrets of a document become leaves: where the ciphertext lies, never what it hides.

Four ways to write one: a sops token in place (the manifest is a sops file), `{$secret:
file.sops.yaml#key}`, `{$secretFile: path}`, and a secret parameter. A leaf's `pointer` is the
path of keys inside the document, joined by `/`; in another than the first document of a file the
document's index and a colon stand before it: `spec/password`, `1:spec/password`. A whole file has
the empty pointer.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from apiops.model.kinds import SecretField
from apiops.model.resource import File
from apiops.model.secret import MARK, SecretLeaf
from apiops.spec import attachments, marks, near, paths, scalars
from apiops.spec.attachments import Problem
from apiops.spec.context import Context, Rendered
from apiops.spec.parameters import secret_use
from apiops.spec.paths import Path
from apiops.spec.positions import Source

CIPHERTEXT: Final = "ENC[AES256_GCM,"
"""How an encrypted value of a sops file begins."""

FILE_MARK: Final = "$secretFile"

_AGE: Final = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")

_ALLOWED = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})*")
"""All that may stand in a secret field as text: variables of the vendor's, or nothing."""

_FILL: Final = (
    "an export leaves such a hole where it opened no secret: put `{key}: VALUE` into that file "
    "and run `apiops secrets encrypt --in-place` on it"
)

_REFERENCE = re.compile(r"([^#]+)#(?:([0-9]+):)?(.+)")
_ODD = re.compile(rb"(?:^|[\s\[{,])[-+]?(?:0[0-9bBxXo_]|[0-9.]+_|[0-9]{4}-[0-9])")


def seal(document: Rendered, context: Context) -> Mapping[str, Any]:
    """The document's `spec` with a leaf for each secret; faults are reported."""
    spec: Mapping[str, Any] = document.tree["spec"]
    kind = document.tree["kind"]
    fields = {("spec", *path): field for path, field in marks.secret_paths(kind, spec)}
    if document.secretive:
        for source in (document.source, *document.patches):
            if source.sops is not None:
                _refuse_unsafe(source, source.sops, document, context)
        sealing = _Sealing(document, context, fields)
        sealing.walk(document.tree["metadata"], ("metadata",))
        spec = sealing.walk(spec, ("spec",))
    for path, secret in fields.items():
        if secret.required:
            _refuse_plaintext(document, context, path, spec)
    return spec


def _refuse_plaintext(
    document: Rendered, context: Context, path: Path, spec: Mapping[str, Any]
) -> None:
    value = paths.value(spec, path[1:])
    if isinstance(value, str) and (value.startswith(CIPHERTEXT) or "${param:" in value):
        return  # what is wrong with it was said before
    plain = not isinstance(value, Mapping) and value is not None
    if plain and not (isinstance(value, str) and _ALLOWED.fullmatch(value)):
        document.report(
            context,
            path,
            "AO435",
            f"{path[-1]} holds a secret in plain text",
            "encrypt the file with sops, refer to a sops file with $secret, or use ${NAME}; "
            "and change the secret: it stays in the history",
        )


def _refuse_unsafe(
    source: Source, sops: Mapping[str, Any], document: Rendered, context: Context
) -> None:
    """What lets the clear part of a sops manifest say more than its MAC covers."""
    findings = context.findings
    if sops.get("mac_only_encrypted"):
        findings.at(
            source,
            ("sops", "mac_only_encrypted"),
            "AO436",
            "a manifest cannot have mac_only_encrypted: its clear part would not be verified",
            unit=document.unit,
            hint="remove mac_only_encrypted from .sops.yaml and encrypt the file anew",
        )
    if not _ODD.search(context.snapshot.read(source.blob)):
        return
    for path, text in findings.positions.plain(source).items():
        if path[:1] != ("sops",) and scalars.sops_differs(text):
            findings.at(
                source,
                path,
                "AO437",
                f"sops and YAML 1.2 read {text} as different values",
                unit=document.unit,
                hint="put it in quotes, or write the number in decimal, and encrypt anew",
            )


class _Sealing:
    """Replaces the secrets of one document."""

    def __init__(
        self, document: Rendered, context: Context, fields: Mapping[Path, SecretField]
    ) -> None:
        self._document = document
        self._context = context
        self._fields = fields

    def walk(self, node: Any, path: Path) -> Any:
        """`node` with leaves; what is at fault is reported and left as it is."""
        if isinstance(node, str):
            return self._text(node, path)
        if isinstance(node, dict):
            if MARK in node or FILE_MARK in node:
                return self._reference(node, path)
            return {key: self.walk(child, (*path, key)) for key, child in node.items()}
        if isinstance(node, list):
            return [self.walk(child, (*path, index)) for index, child in enumerate(node)]
        return node

    def _text(self, text: str, path: Path) -> Any:
        name = secret_use(text, self._context.parameters)
        if name is None and not text.startswith(CIPHERTEXT):
            return text
        if not self._is_secret_field(path):
            return text
        source = self._document.origin(path)
        if name is not None:
            sealed = self._context.parameters.secrets[name]
            return self._leaf(path, sealed, (name,), sealed.tree[name])
        if source.sops is None:
            self._report(
                path,
                "AO438",
                "an encrypted value in a document that is not a sops file",
                "the sops entry is gone: encrypt the whole document, or use {$secret: file#key}",
            )
            return text
        return self._leaf(path, source, path, text)

    def _reference(self, node: Mapping[str, Any], path: Path) -> Any:
        if not self._is_secret_field(path):
            return node
        mark = MARK if MARK in node else FILE_MARK
        reference = node[mark]
        if len(node) != 1 or not isinstance(reference, str):
            form = "file.sops.yaml#key" if mark == MARK else "path"
            self._report(
                path, "AO430", f"{mark} takes a text and stands alone", f"{{{mark}: {form}}}"
            )
            return node
        if mark == FILE_MARK:
            return self._whole_file(reference, path) or node
        return self._value_in_file(reference, path) or node

    def _whole_file(self, reference: str, path: Path) -> dict[str, Any] | None:
        file = self._find((*path, FILE_MARK), reference)
        if file is None:
            return None
        content = self._context.snapshot.read(file.blob)
        if not content.startswith(_AGE) and b'"sops"' not in content:
            self._report(
                (*path, FILE_MARK),
                "AO440",
                f'"{file.path}" is not encrypted',
                "encrypt it with age or sops; and change the secret: it stays in the history",
            )
            return None
        return SecretLeaf(
            self._environment(path), blob=file.blob, file=file.path, cipher=file.blob
        ).node()

    def _value_in_file(self, reference: str, path: Path) -> dict[str, Any] | None:
        where = (*path, MARK)
        parts = _REFERENCE.fullmatch(reference)
        if parts is None:
            message = f'"{reference}" does not say which value of the file is meant'
            self._report(where, "AO430", message, "write file.sops.yaml#key")
            return None
        file = self._find(where, parts[1], _FILL.format(key=parts[3]))
        if file is None:
            return None
        source = self._sops_document(where, file, int(parts[2] or 0))
        if source is None:
            return None
        keys = tuple(parts[3].split("/"))
        token = _look_up(source.tree, keys)
        if isinstance(token, Problem):
            self._report(where, token.code, f"{file.path}: {token.message}", token.hint)
            return None
        return self._leaf(path, source, keys, token)

    def _sops_document(self, where: Path, file: File, index: int) -> Source | None:
        parsed = self._context.documents.parse(file, self._context.snapshot.read)
        if index < len(parsed.documents) and not parsed.findings:
            source = Source(file.path, file.blob, index, parsed.documents[index].tree)
            if source.sops is not None:
                return source
        why = f": {parsed.findings[0].message}" if parsed.findings else ""
        self._report(
            where,
            "AO431",
            f'"{file.path}" is not a sops file in YAML or JSON{why}',
            "encrypt it: apiops secrets encrypt, or sops",
        )
        return None

    def _find(self, where: Path, reference: str, fill: str = "") -> File | None:
        """The file that a secret lies in; `fill` says how a missing one comes to be."""
        folder = self._document.origin(where).folder
        file = attachments.find(self._context, folder, reference)
        if isinstance(file, Problem):
            missing = fill if file.code == "AO310" and "did you mean" not in file.hint else ""
            self._report(where, file.code, file.message, missing or file.hint)
            return None
        return file

    def _leaf(self, path: Path, source: Source, keys: Path, token: str) -> dict[str, Any]:
        joined = "/".join(map(str, keys))
        return SecretLeaf(
            environment=self._environment(path),
            blob=source.blob,
            file=source.path,
            pointer=f"{source.index}:{joined}" if source.index else joined,
            cipher=hashlib.sha256(token.encode()).hexdigest(),
        ).node()

    def _environment(self, path: Path) -> str:
        """Whose keys seal the value: named by a component of the path, else the target's."""
        component = self._fields[path].environment
        return self._context.target.environment if component is None else str(path[component + 1])

    def _is_secret_field(self, path: Path) -> bool:
        if path not in self._fields:
            self._report(
                path,
                "AO433",
                f"{'.'.join(map(str, path))} cannot hold a secret",
                "only fields that the kind marks as secret are sealed; narrow encrypted_regex",
            )
        return path in self._fields

    def _report(self, path: Path, code: str, message: str, hint: str) -> None:
        self._document.report(self._context, path, code, message, hint)


def _look_up(tree: Any, keys: tuple[str, ...]) -> str | Problem:
    """The ciphertext at `keys` in a sops document."""
    for at, key in enumerate(keys):
        if isinstance(tree, Mapping) and key in tree and key != "sops":
            tree = tree[key]
        elif isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            known = [name for name in tree if name != "sops"] if isinstance(tree, Mapping) else ()
            hint = near.hint(key, known, "see its keys with: apiops secrets decrypt")
            return Problem("AO432", f"there is no value at {'/'.join(keys[: at + 1])}", hint)
    if isinstance(tree, str) and tree.startswith(CIPHERTEXT):
        return tree
    hint = "name one value, and encrypt it"
    return Problem("AO442", f"what stands at {'/'.join(keys)} is not an encrypted value", hint)
