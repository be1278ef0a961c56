"""Every diagnostic code, one module per hundred, for `apiops explain AO203` and the reference.

A code is a promise to users: it is never reused with another meaning.
"""

from apiops.model.codes import (
    access,
    git,
    manager,
    ours,
    plan,
    references,
    remote,
    secrets,
    shape,
    text,
    vendor,
)
from apiops.model.diagnostic import Code

FAMILIES = {
    "AO1": "text: reading YAML",
    "AO2": "shape: kinds and fields",
    "AO3": "references between resources",
    "AO4": "secrets",
    "AO5": "permission",
    "AO6": "plan and guards",
    "AO7": "Manager",
    "AO8": "Git",
    "AO9": "apiops itself: settings, command line",
}
"""Family prefix → what its codes are about."""

ALL: dict[str, Code] = {
    code.id: code
    for module in (
        *(text, shape, references, secrets, access),
        *(plan, manager, remote, vendor, git, ours),
    )
    for code in module.CODES
}
"""Code id (`AO203`) → code, in the order of the ids."""
