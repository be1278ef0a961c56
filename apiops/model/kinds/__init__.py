"""What apiops knows of each kind as data, without importing a model.

`KINDS` is the one table that spec, plan, access and the Manager read; the pydantic model that
describes a kind's `spec` is named by `model` and imported only where it is needed.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from apiops.model.access import Category, Tier


class Home(StrEnum):
    """Where a kind lives: without `metadata.project`, with it, or either."""

    SYSTEM = "system"
    PROJECT = "project"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class SecretField:
    """A field that may hold a secret.

    `path` is dotted, relative to `spec`; `*` stands for any key or list item, `**` for any depth.
    `required`: plaintext there is refused. `environment` is the index of the path component that
    names the environment whose keys seal the value (None: the target's environment).
    """

    path: str
    required: bool = True
    environment: int | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names another resource: path as in SecretField, the kind it names.

    `system` means the name is looked up in the System tier; otherwise in the same project.
    `key`: the reference is the mapping's keys, not its values.
    """

    path: str
    kind: str
    system: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    `wave` orders creates (deletes mirror it). `category` and `tier` say which right a change
    needs. `keyed` maps a list's path to the field that identifies its items (`""`: the list is a
    set of scalars; a list not named is compared by position). `immutable` fields cannot change
    without delete and create. A field left out means its default; but in the mappings that
    `merges` names (dotted paths; `""` is `spec` itself) a key left out is unmanaged. `files` are
    the fields that hold the path of a file. `folds_case`: names that differ only in case are the
    same. `deployable`: has `spec.deployments`, each a change of its own.
    """

    name: str
    model: str
    home: Home
    tier: Tier
    category: Category
    wave: int
    summary: str
    secrets: tuple[SecretField, ...] = ()
    references: tuple[Reference, ...] = ()
    keyed: dict[str, str] = field(default_factory=dict)
    immutable: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folds_case: bool = False
    deployable: bool = False


KINDS: dict[str, Kind] = {}
"""Kind name → kind, in wave order."""
