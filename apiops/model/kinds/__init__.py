"""What apiops knows of each kind as data, without importing a model.

`KINDS` is the one table that spec, plan, access and the Manager read; the pydantic model that
describes a kind's `spec` is named by `model` and imported only where it is needed. Facts are the
vendor document's (2.1, 2.5–2.20, 7, 8.2); where it has several answers, 1.10 there decides. The
rows are in `table`, a module per family.
"""

from typing import Final

from apiops.model.kinds.kind import (
    API_VERSION,
    LOGIN,
    NAME,
    PROTECTED,
    VARIABLE_NAME,
    Home,
    Kind,
    Only,
    Payload,
    Reference,
    SecretField,
    Steps,
    Switch,
    item_key,
)
from apiops.model.kinds.table import ROWS

__all__ = [
    "API_VERSION",
    "KINDS",
    "LOGIN",
    "NAME",
    "PROTECTED",
    "VARIABLE_NAME",
    "Home",
    "Kind",
    "Only",
    "Payload",
    "Reference",
    "SecretField",
    "Steps",
    "Switch",
    "item_key",
]

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind for kind in sorted(ROWS, key=lambda kind: kind.wave)
}
"""Kind name → kind, in wave order."""
