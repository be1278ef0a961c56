"""One document on its way: rendered for the target, judged, and made a resource."""

import re
from collections.abc import Mapping
from typing import Any, Final

from apiops.model import canonical, plaintext, reach
from apiops.model.diagnostic import Severity
from apiops.model.kinds import NAME, PROTECTED
from apiops.model.resource import SYSTEM, Origin, Resource, ResourceId
from apiops.model.secret import MARK, leaf_of
from apiops.spec import attachments, leaves, parameters, patches, paths, read, scalars, schema
from apiops.spec.context import Context, Rendered
from apiops.spec.documents import Parsed
from apiops.spec.paths import Path
from apiops.spec.positions import Source

_NAME = re.compile(NAME)
_WRONG_TYPE: Final = "AO205"


def render(
    source: Source, parsed: Parsed, by_identity: patches.Patches, context: Context
) -> Rendered:
    """The document with the target's parameters and patches, without what sops added."""
    tree: Any = source.tree
    if "sops" in tree:
        tree = {key: value for key, value in tree.items() if key != "sops"}
    if parsed.parameterised:
        unit = read.unit_of(tree)

        def report(path: Path, code: str, message: str, hint: str) -> None:
            context.findings.at(source, path, code, message, unit=unit, hint=hint)

        tree = parameters.substitute(tree, context.parameters, report)
    id = identity(tree)
    applied = tuple(by_identity.get(id, ())) if id else ()
    for patch in applied:
        tree = patches.apply(tree, patch.tree)
    sealed = parsed.parameterised and bool(context.parameters.secrets)
    return Rendered(source, tree, applied, parsed.secretive or sealed or bool(applied))


def identity(tree: Any) -> ResourceId | None:
    """The identity that a document claims, or None if it cannot be told."""
    metadata = tree.get("metadata") if isinstance(tree, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None
    kind, project, name = tree.get("kind"), metadata.get("project"), metadata.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        return None
    if project is not None and not isinstance(project, str):
        return None
    return ResourceId(kind, project, name)


def resource(document: Rendered, context: Context) -> Resource | None:
    """The resource that a document describes, or None if its frame or shape is at fault."""
    document, sound = _judged(document, context)
    id = identity(document.tree)
    if not sound or id is None or not _framed(document, id, context):
        return None
    metadata = document.tree["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    spec, files = attachments.attach(document, leaves.seal(document, context), context)
    protected = annotations.get(PROTECTED) == "true"
    renamed_from = _former_names(metadata)
    described = {name: value for name, value in spec.items() if name != "deployments"}
    written = _by_cipher(described) if document.secretive else described
    content = {
        "id": str(id),
        "labels": labels,
        "annotations": annotations,
        "protected": protected,
        "renamedFrom": metadata.get("renamedFrom"),
        "spec": written,
        "runs": [one for one in spec.get("deployments") or () if len(one) > 1],
    }
    encoded = canonical.encode(content)
    _suspects(document, content, encoded, context)
    source = document.source
    return Resource(
        id=id,
        spec=spec,
        origin=Origin(source.path, source.blob, source.index),
        content=canonical.digest_of(encoded),
        labels=labels,
        annotations=annotations,
        files=files,
        renamed_from=renamed_from,
        protected=protected,
        parts={at: canonical.digest(part) for at, part in reach.parts(id.kind, written).items()},
    )


def _suspects(
    document: Rendered, content: Mapping[str, Any], encoded: bytes, context: Context
) -> None:
    """Warn of what looks like a secret where none belongs; the plan's guard refuses to write it."""
    for path, what in plaintext.find(content, encoded):
        where = path if path[0] == "spec" else ("metadata", *path)
        document.report(
            context,
            where,
            "AO443",
            f"this looks like {what}, in plain text",
            "replace the secret, for the history keeps it, and use a secret field or ${NAME}",
            severity=Severity.WARNING,
        )


def _judged(document: Rendered, context: Context) -> tuple[Rendered, bool]:
    """The document, numbers made text where its kind wants text, and whether it is sound."""
    kind = document.tree.get("kind")
    if not isinstance(kind, str):
        hint = "name the kind; apiops explain lists them"
        document.report(context, ("kind",), "AO231", "kind is missing", hint)
        return document, False
    if kind.startswith(leaves.CIPHERTEXT) or leaves.CIPHERTEXT in str(
        document.tree.get("apiVersion")
    ):
        document.report(
            context,
            ("kind",),
            "AO230",
            "the whole document is encrypted: nobody can tell what it is",
            "encrypt only secret fields: set encrypted_regex in .sops.yaml",
        )
        return document, False
    faults = schema.check(kind, document.tree)
    if any(fault.code == _WRONG_TYPE for fault in faults):
        document = _as_written(document, faults, context)
        faults = schema.check(kind, document.tree)
    if not faults:
        faults = schema.meaning(kind, document.tree)
    for fault in faults:
        document.report(
            context, fault.path, fault.code, fault.message, fault.hint, on_key=fault.on_key
        )
    return document, not faults


def _as_written(document: Rendered, faults: tuple[schema.Fault, ...], context: Context) -> Rendered:
    """Numbers that stand where text belongs (`version: 1.10`) become the text as it was written.

    Only those that the schema accepts as text: the others stay what they are, and at fault.
    """
    written = {
        fault.path: text
        for fault in faults
        if fault.code == _WRONG_TYPE and (text := _number_text(document, fault.path, context))
    }
    trial = _with(document.tree, written)
    still = {fault.path for fault in schema.check(document.tree["kind"], trial)}
    kept = {path: text for path, text in written.items() if path not in still}
    tree = _with(document.tree, kept)
    return Rendered(document.source, tree, document.patches, document.secretive)


def _with(tree: Any, texts: Mapping[Path, str]) -> Any:
    for path, text in texts.items():
        tree = paths.put(tree, path, text)
    return tree


def _number_text(document: Rendered, path: Path, context: Context) -> str | None:
    """How the number at `path` was written, if it is one and stands in the file as such."""
    value = paths.value(document.tree, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    text = context.findings.positions.plain(document.origin(path)).get(path, "")
    return text if text and scalars.resolve(text) == value else None


def _framed(document: Rendered, id: ResourceId, context: Context) -> bool:
    """Whether identity and annotations mean what they say."""
    metadata = document.tree["metadata"]
    path: Path
    if SYSTEM in (id.project, id.name if id.kind == "Project" else None):
        path = ("metadata", "project" if id.project == SYSTEM else "name")
        message = f'"{SYSTEM}" is the name of the System tier, so no project can have it'
        document.report(context, path, "AO232", message, "use another name")
    elif id.project is not None and not _NAME.fullmatch(id.project):
        message = f"the project's name {id.project!r} is not allowed"
        hint = "letters, digits, `.`, `_`, `-` and blanks inside, at most 128"
        document.report(context, ("metadata", "project"), "AO233", message, hint)
    elif (metadata.get("annotations") or {}).get(PROTECTED, "true") not in ("true", "false"):
        path = ("metadata", "annotations", PROTECTED)
        message = f'{PROTECTED} is "true" or "false"'
        document.report(context, path, "AO234", message, 'write "true" to protect the resource')
    elif id in map(id.formerly, _former_names(metadata)):
        path = ("metadata", "renamedFrom")
        message = "renamedFrom is the name the resource already has"
        document.report(context, path, "AO235", message, "remove renamedFrom")
    else:
        return True
    return False


def _former_names(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What `renamedFrom` says: one former name, or several, newest first."""
    said = metadata.get("renamedFrom") or ()
    return (said,) if isinstance(said, str) else tuple(said)


def _by_cipher(node: Any) -> Any:
    """The tree with each leaf reduced to its ciphertext's digest and environment."""
    leaf = leaf_of(node)
    if leaf is not None:
        return {MARK: [leaf.cipher, leaf.environment]}
    if isinstance(node, dict):
        return {key: _by_cipher(child) for key, child in node.items()}
    if isinstance(node, list):
        return [_by_cipher(child) for child in node]
    return node
