"""`apiops export`: live resources as manifests, their files beside them, their secrets encrypted.

A plaintext goes from the Manager into an encrypted file's bytes and nowhere else. Nothing is
written before it is known that every file has a place of its own.
"""

import os
import posixpath
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiops.access import decide
from apiops.errors import UsageError
from apiops.model.kinds import KINDS
from apiops.model.resource import LiveResource
from apiops.spec import export, near
from apiops.spec.export import Manifest, Selection
from apiops.wiring import assemble, handwork
from apiops.wiring.scaffold import SCHEMAS
from apiops.wiring.settings import TargetSettings

if TYPE_CHECKING:
    from apiops.age.writing import Policy
    from apiops.manager.embedded import EmbeddedManager
    from apiops.manager.opening import Opened

SHOWN: Final = 5
"""So many files that are in the way are named."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who takes something out: a principal, proven by their private key, and why."""

    principal: str
    sign_key: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is exported, for whom and whereto.

    With a `person` only what they may see is exported. `secrets` opens the secrets and encrypts
    them for `recipients`, or for those of the folder's `.sops.yaml`; without, they are holes.
    """

    selection: Selection
    folder: Path | None = None
    person: Person | None = None
    secrets: bool = False
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """The manifests, every file by its path below `root`, and what there is to say."""

    root: Path
    manifests: tuple[Manifest, ...]
    files: Mapping[str, bytes] = field(repr=False)
    opened: int = 0
    denied: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def collect(target: TargetSettings, order: Order) -> Exported:
    """Read and, where it is wanted and permitted, open what is to be exported.

    Raises UsageError (nothing there, flags), AccessDenied for a key that proves nobody,
    SecretError, ManagerError.
    """
    _expect_recipients(order)
    shut = order.secrets and bool(target.ledger)
    if shut:  # nobody can open what a vendor's Manager does not show, and its ledger does not have
        order = replace(order, secrets=False)
    _check(order)
    root, below = _root(order.folder)
    with assemble.manager(target) as manager:
        chosen = _chosen(manager, target, order)
        opened = _opened(manager, chosen, order)
        made = export.manifests(chosen, opened.values if opened else {}, below)
        contents = manager.files({digest for one in made for digest in one.files.values()})
    gaps = (
        f"{one.id} needs {path}"
        for one in made
        for path, digest in one.files.items()
        if digest not in contents
    )
    return Exported(
        root=root,
        manifests=made,
        files=dict(_files(made, contents, root, order)),
        opened=sum(map(len, opened.values.values())) if opened else 0,
        denied=tuple(f"{id}: {why}" for id, why in opened.denied.items()) if opened else (),
        remarks=(
            *(["a vendor's Manager gives no secret out: what it holds is a hole"] if shut else []),
            *(f"hole: {hole}" for one in made for hole in one.holes),
            *(f"hole: {gap}" for gap in gaps),
            *(remark for one in made for remark in one.remarks),
        ),
    )


def write(exported: Exported, *, overwrite: bool) -> list[str]:
    """Write the files that are not there as they are; gives their paths, in order.

    Raises UsageError: AO912, before anything is written, when a file would be replaced and
    `overwrite` does not allow it, or when a link stands in the way; AO907.
    """
    wanted = [path for path in sorted(exported.files) if _differs(exported, path)]
    _refuse_links(exported, wanted)
    in_the_way = [path for path in wanted if (exported.root / path).exists()]
    if in_the_way and not overwrite:
        raise _in_the_way(in_the_way)
    for path in wanted:
        _put(exported.root / path, exported.files[path])
    return wanted


def _check(order: Order) -> None:
    for kind in sorted(order.selection.kinds - KINDS.keys()):
        hint = near.hint(kind, KINDS, "`apiops schema` lists the kinds")
        raise UsageError(f'there is no kind "{kind}"', code="AO905", hint=hint)
    if order.secrets and (order.person is None or not order.person.reason.strip()):
        raise UsageError(
            "secrets are opened for a person, for a reason",
            code="AO905",
            hint='add --as NAME --sign-key FILE --reason "adopt payments"',
        )
    if order.secrets and order.folder is None:
        raise UsageError(
            "encrypted secrets need files to stand in",
            code="AO905",
            hint="add --into FOLDER",
        )


def _root(folder: Path | None) -> tuple[Path, str]:
    """The repository's folder (or the folder itself, outside of one), and the way below it."""
    start = (folder or Path()).resolve()
    above = next((one for one in (start, *start.parents) if (one / ".git").exists()), start)
    below = start.relative_to(above).as_posix()
    return above, "" if below == "." else below


def _chosen(
    manager: "EmbeddedManager", target: TargetSettings, order: Order
) -> tuple[LiveResource, ...]:
    with assemble.managed(target, manager) as managed:
        live = managed.read("", target.name)
    chosen = [one for one in live.resources if order.selection.takes(one.id)]
    if order.person is not None:
        handwork.prove(live.grants, order.person.principal, order.person.sign_key)
        sight = decide.sight(live.grants, order.person.principal)
        chosen = [one for one in chosen if sight.sees(one.id)]
    if not chosen:
        seen = f" that {order.person.principal} may see" if order.person else ""
        raise UsageError(
            f"the Manager of {target.name} has no such resource{seen}",
            code="AO909",
            hint="leave out --name, then --kind, then --project, to see what there is",
        )
    return tuple(chosen)


def _opened(
    manager: "EmbeddedManager", chosen: tuple[LiveResource, ...], order: Order
) -> "Opened | None":
    if not order.secrets or order.person is None:
        return None
    context = handwork.console(order.person.principal, order.person.reason)
    ids = [one.id for one in chosen]
    return manager.open_secrets(ids, principal=context.principal, context=context)


def _files(
    made: tuple[Manifest, ...], contents: Mapping[str, bytes], root: Path, order: Order
) -> Iterator[tuple[str, bytes]]:
    from apiops.age import writing

    for one in made:
        schema = posixpath.relpath(f"{SCHEMAS}/{one.id.kind}.json", posixpath.dirname(one.path))
        modeline = f"# yaml-language-server: $schema={schema}\n"
        yield one.path, (modeline + one.text).encode()
        for plain in one.plains:
            policy = _policy(root / plain.path, order)
            done = writing.encrypt(plain.path, plain.content.reveal(), policy)
            yield plain.path, done.content
        for path, digest in one.files.items():
            if digest in contents:
                yield path, contents[digest]


def _expect_recipients(order: Order) -> None:
    """Before a secret is opened for nobody. Raises SecretError AO411."""
    from apiops.age.envelope import Envelope

    if order.recipients:
        Envelope.make(order.recipients, "--encrypt-to")


def _policy(file: Path, order: Order) -> "Policy":
    """For whom a file is encrypted; of what a rule says, everything in it is."""
    from apiops.age import rules, writing

    if order.recipients:
        return writing.Policy((order.recipients,))
    found = rules.for_file(file)
    return writing.Policy(found.groups, threshold=found.threshold)


def _differs(exported: Exported, path: str) -> bool:
    file = exported.root / path
    return not (file.is_file() and file.read_bytes() == exported.files[path])


def _refuse_links(exported: Exported, wanted: list[str]) -> None:
    """What a link leads to may be anybody's: no file is written through one."""
    for path in wanted:
        steps = path.split("/")
        for length in range(1, len(steps) + 1):
            at = "/".join(steps[:length])
            file = exported.root / at
            if file.is_symlink() or (file.exists() and file.is_dir() == (at == path)):
                raise _in_the_way([at], "is a link, or a folder where a file belongs")


def _in_the_way(paths: list[str], what: str = "is there already, with other content") -> UsageError:
    more = f" (and {len(paths) - SHOWN} more)" if len(paths) > SHOWN else ""
    return UsageError(
        f"{', '.join(paths[:SHOWN])}{more} {what}; nothing was written",
        code="AO912",
        hint="export into an empty folder and compare, or say --overwrite",
    )


def _put(file: Path, content: bytes) -> None:
    """Write beside the file and rename, so that nobody ever sees half of it."""
    beside = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as fault:
        beside.unlink(missing_ok=True)
        raise UsageError(
            f"{file} cannot be written: {fault.strerror}",
            code="AO907",
            hint="choose a folder that you may write to and that has space",
        ) from None
