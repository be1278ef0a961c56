"""What a kind is: the row type of the table of kinds, and the rules for names.

A kind is data, so that spec, plan, access and the Manager read the same facts and none of them
has a special case for one kind in its code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from apiops.model.access import Category, Tier

API_VERSION: Final = "apiops/v1"
"""The only `apiVersion` there is."""

PROTECTED: Final = "apiops/protected"
"""The annotation that, set to the text `"true"`, makes plan's guard defend a resource."""

NAME: Final = "^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,126}[A-Za-z0-9._-])?$"
"""Names in general: letters, digits, blanks inside, `.`, `_`, `-`; 1 to 128 characters."""

VARIABLE_NAME: Final = "^[A-Za-z_][A-Za-z0-9_]{0,127}$"
"""Names that stand between `${` and `}`."""

SINGLE: Final = "^default$"
"""The name of what there is only one of."""

MODEL_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}(/[A-Za-z0-9][A-Za-z0-9._:@-]{0,94}){1,2}$"
"""Names of models: the provider's code, a slash, the model's id (which may have one more)."""

LOGIN: Final = "^[A-Za-z0-9]([A-Za-z0-9 ._@+-]{0,126}[A-Za-z0-9._@+-])?$"
"""Names that people and machines log in with: an e-mail address is allowed."""


class Home(StrEnum):
    """Where a kind lives: without `metadata.project`, with it, or either."""

    SYSTEM = "system"
    PROJECT = "project"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Switch:
    """A boolean beside a field that says whether the field is secret.

    It is when the boolean equals `secret_when`; `default` is what an absent one means.
    """

    field: str
    secret_when: bool
    default: bool


HELD: Final = {
    "jwkIdForValidationAndSign": "Jwk",
    "jwkIdForDecryptionAndEncryption": "Jwk",
    "certificateName": "Certificate",
    "*.*.certificateName": "Certificate",
    "*.*.keyName": "Key",
    "connectorRefs.*.connectionName": "Connection",
    "ipGroupIdList.*": "IpGroup",
}
"""Fields of policies that name what may be deleted and made again, and lose it then."""


@dataclass(frozen=True, slots=True)
class SecretField:
    """A field that may hold a secret.

    `path` is dotted, relative to `spec`; `*` stands for any key or list item. `required`:
    plaintext there is refused. `environment` is the index of the path component that names the
    environment whose keys seal the value (None: the target's environment). With a `switch`,
    `required` holds only when the switch says so.
    """

    path: str
    required: bool = True
    environment: int | None = None
    switch: Switch | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """A field beside a reference that says what the name means: the reference counts where the
    field has this value; `default`: also where it is left out.
    """

    field: str
    value: str
    default: bool = False

    def holds(self, beside: Mapping[str, Any]) -> bool:
        """Whether the reference counts in this mapping."""
        return bool(beside.get(self.field, self.value if self.default else None) == self.value)


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names another resource: path as in SecretField, the kind it names.

    `system` means the name is looked up in the System tier; otherwise in the same project and,
    for kinds whose home is EITHER, then in the System tier and among `Kind.builtin`.
    `key`: the reference is the mapping's keys, not its values. `bound`: a vendor's Manager keeps
    it by the other's id, or lets go of it (vendor document, 7 #27), so it is written again when the
    other is deleted and made again. `marked`: it stands in a payload, whose own schema marks it for
    everybody who checks specs.
    """

    path: str
    kind: str
    system: bool = False
    key: bool = False
    only: Only | None = None
    bound: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """A mapping whose fields depend on its type: a family of JSON Schemas, one for each type.

    `path` leads to the mapping (`""`: `spec` itself), `type` is its field that names the type,
    `inside` its field that holds what the schema describes (`""`: the fields stand beside the
    type). `types` are the values of the type field with the schema that each means; empty: the
    schemas' own names.
    """

    family: str
    path: str = ""
    type: str = "type"
    inside: str = ""
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Steps:
    """A field that can only go certain ways: value → the values that may come after it.

    The first value is what leaving the field out means. `beside` are fields that are decided with
    it. What was decided in the Manager since stands until the author writes something else.
    """

    field: str
    after: Mapping[str, tuple[str, ...]]
    beside: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of a decision."""
        return (self.field, *self.beside)

    def refusal(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        """Why a spec cannot come after another, in words; empty if it can."""
        here, there = self.state(before), self.state(after)
        if self.allow(here, there):
            return ""
        ways = " or ".join(self.after.get(here, ())) or "nothing else"
        return f"{self.field} is {here} and may become {ways}, not {there}"

    def state(self, spec: Mapping[str, Any]) -> str:
        """Where a resource stands."""
        return str(spec.get(self.field) or next(iter(self.after)))

    def allow(self, before: str, after: str) -> bool:
        """Whether it may go there (or stay)."""
        return before == after or after in self.after.get(before, ())


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    `model` is `module:class` of the pydantic model of its `spec`. `wave` orders creates (deletes
    mirror it). `category` and `tier` say which right a change needs. `keyed` maps a list's path
    to the field that identifies its items (`a+b`: two fields together; `""`: the list is a set of
    scalars; a list not named is compared by position). `immutable` fields cannot change without
    delete and create. A field left out means its default; but in the mappings that `merges` names
    (dotted paths; `""` is `spec` itself) a key left out is unmanaged. `files` are the fields that
    hold the path of a file. `names` is the pattern of `metadata.name`. `folds_case`: names that
    differ only in case are the same. `deployable`: has `spec.deployments`, each a change of its
    own. `builtin` are names that exist without a resource. `payloads` are parts whose schema
    depends on a type. `unique`: the name is taken for all projects. `write_only` are fields,
    beside secrets, that a vendor's Manager takes and never shows (`""`: all of `spec`). `steps`
    say which ways a state can go. `lasting` are secrets that a vendor's Manager keeps when they are
    left out, so one that is to go takes the resource with it. `renames`: a vendor's Manager can
    give it another name; `beyond`: it has no call for the kind at all. `by_hand`: it shows one,
    and only a person at its console makes one. `anew` are mappings of which it can take a key away
    only with the whole resource, to be made again.
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
    names: str = NAME
    folds_case: bool = False
    deployable: bool = False
    builtin: frozenset[str] = frozenset()
    payloads: tuple[Payload, ...] = ()
    unique: bool = False
    write_only: tuple[str, ...] = ()
    steps: Steps | None = None
    lasting: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    renames: bool = False
    beyond: bool = False
    by_hand: bool = False


def item_key(item: Mapping[str, Any], fields: str) -> tuple[Any, ...]:
    """What identifies an item of a keyed list; `fields` is a value of `Kind.keyed`."""
    return tuple(item.get(name) for name in fields.split("+"))
