"""The permission matrix as data: categories, built-in roles, what one right brings along.

Transcribed from the vendor's document, 3.1 to 3.4. Where that contradicts itself, the cells
here are ours and `docs/adr/0005-permission-matrix.md` says why. The expanded matrix is written
out so that a reviewer sees it; a test compares it with what `matrix.expand` makes of the raw one.
"""

from typing import Final

from apiops.model.access import Category, Right, Verb

LETTERS: Final = {
    "V": Verb.VIEW,
    "M": Verb.MANAGE,
    "D": Verb.DEPLOY_UNDEPLOY,
    "E": Verb.EXECUTE,
    "X": Verb.EXPORT_IMPORT,
}
"""How the tables write the verbs."""

SUPPORTED: Final = {
    Category.API_MANAGEMENT: "VMDX",
    Category.API_CREATOR: "VMX",
    Category.API_INTEGRATOR: "VME",
    Category.GLOBAL_SETTINGS: "VMX",
    Category.CONNECTIONS: "VMX",
    Category.IDENTITY: "VMX",
    Category.SECRETS: "VMX",
    Category.MONITORING: "VM",
    Category.ANALYTICS: "VM",
    Category.AUDIT: "V",
    Category.TESTING: "VME",
    Category.PROJECT_MANAGEMENT: "VMX",
    Category.AI_DEVELOPMENT: "VMDX",
    Category.AI_BUDGETS: "VM",
    Category.AI_ANALYTICS: "V",
}
"""The verbs that mean something in each category."""

REACHES_WORKERS: Final = frozenset(
    {Category.GLOBAL_SETTINGS, Category.CONNECTIONS, Category.IDENTITY, Category.SECRETS}
)
"""Categories without a deploy verb: managing them already changes what gateways do."""

ROLES: Final = (
    "Project Owner",
    "API Developer",
    "API Manager",
    "API Creator",
    "API Security",
    "API Analytics",
    "API Tester",
    "AI Admin",
    "AI Developer",
    "AI Finance",
    "AI Analytics",
)
"""The built-in project roles, spelled as grants must spell them: the columns of the tables."""

_RAW: Final = """
                   Owner Dev  Mgr  Creator Security Analytics Tester AI: Admin Dev  Finance Analyt.
API_MANAGEMENT     VMDX  VMDX VMDX V       V        V         V      -         -    -       -
API_CREATOR        VMX   VMX  V    VMX     -        -         V      -         -    -       -
API_INTEGRATOR     VME   VME  V    V       -        V         V      -         -    -       -
GLOBAL_SETTINGS    VMX   VMX  V    V       VX       -         -      -         -    -       -
CONNECTIONS        VMX   VMX  V    V       VMX      -         V      -         -    -       -
IDENTITY           VMX   VM   V    V       VMX      -         V      -         -    -       -
SECRETS            VMX   VMX  V    V       VMX      -         V      -         -    -       -
MONITORING         VM    VM   VM   V       V        V         -      -         -    -       -
ANALYTICS          VM    V    V    V       V        VM        -      -         -    -       -
AUDIT              V     V    V    V       V        V         -      -         -    -       -
TESTING            VME   VE   VE   VE      VE       -         VME    -         -    -       -
PROJECT_MANAGEMENT VMX   VMX  VMX  V       V        V         V      -         -    -       -
AI_DEVELOPMENT     VMDX  -    -    -       -        -         -      VMDX      VMDX -       -
AI_BUDGETS         VM    -    -    -       -        -         -      VM        -    VM      -
AI_ANALYTICS       V     -    -    -       -        -         -      V         -    -       V
"""

_EXPANDED: Final = """
                   Owner Dev  Mgr  Creator Security Analytics Tester AI: Admin Dev  Finance Analyt.
API_MANAGEMENT     VMDX  VMDX VMDX V       V        V         V      -         -    -       -
API_CREATOR        VMX   VMX  V    VMX     -        -         V      -         -    -       -
API_INTEGRATOR     VME   VME  VE   V       V        V         V      -         -    -       -
GLOBAL_SETTINGS    VMX   VMX  V    V       VX       -         -      -         -    -       -
CONNECTIONS        VMX   VMX  VM   V       VMX      -         V      -         -    -       -
IDENTITY           VMX   VM   VM   V       VMX      -         V      -         -    -       -
SECRETS            VMX   VMX  VM   V       VMX      -         V      -         -    -       -
MONITORING         VM    VM   VM   V       V        V         -      -         -    -       -
ANALYTICS          VM    V    V    V       V        VM        -      -         -    -       -
AUDIT              V     V    V    V       V        V         -      -         -    -       -
TESTING            VME   VME  VME  VME     VME      -         VME    -         -    -       -
PROJECT_MANAGEMENT VMX   VMX  VMX  V       V        V         V      -         -    -       -
AI_DEVELOPMENT     VMDX  -    -    -       -        -         -      VMDX      VMDX -       -
AI_BUDGETS         VM    -    -    -       -        -         -      VM        -    VM      -
AI_ANALYTICS       V     -    -    -       -        -         -      V         -    -       V
"""

_BRINGS: Final = {
    "API_MANAGEMENT.M": "API_INTEGRATOR.E CONNECTIONS.M IDENTITY.M SECRETS.M",
    "API_CREATOR.M": "API_INTEGRATOR.V MONITORING.V ANALYTICS.V AUDIT.V",
    "IDENTITY.M": "MONITORING.V ANALYTICS.V TESTING.V TESTING.E",
    "ANALYTICS.V": "API_INTEGRATOR.V",
    "TESTING.E": "TESTING.M API_INTEGRATOR.V CONNECTIONS.V IDENTITY.V SECRETS.V",
}


def right(text: str) -> Right:
    """The right written as `CATEGORY.L`, with one of the letters. Raises KeyError, ValueError."""
    category, letter = text.split(".")
    return Right(Category(category), LETTERS[letter])


def _read(table: str) -> dict[str, frozenset[Right]]:
    rights: dict[str, set[Right]] = {role: set() for role in ROLES}
    for line in table.strip().splitlines()[1:]:
        category, *cells = line.split()
        for role, cell in zip(ROLES, cells, strict=True):
            rights[role] |= {right(f"{category}.{letter}") for letter in cell if letter != "-"}
    return {role: frozenset(held) for role, held in rights.items()}


RAW: Final = _read(_RAW)
"""Built-in role → the rights that its table cells name."""

EXPANDED: Final = _read(_EXPANDED)
"""Built-in role → its rights with all that they bring along: what decisions are made from."""

BRINGS: Final = {
    right(given): frozenset(right(text) for text in also.split()) for given, also in _BRINGS.items()
}
"""Right → the rights that whoever has it also has (vendor document, 3.3)."""

EVERYTHING: Final = frozenset(
    Right(category, LETTERS[letter]) for category, row in SUPPORTED.items() for letter in row
)
"""Every right there is."""

SYSTEM_ADMIN: Final = "sysAdmin"
SYSTEM_PROJECT_MANAGER: Final = "sysProjectManager"
SYSTEM_ANALYZER: Final = "sysAnalyzer"

SYSTEM_ROLES: Final = {
    SYSTEM_ADMIN: "everything in the System tier; members, roles and settings of every project",
    SYSTEM_PROJECT_MANAGER: "what a Project Owner may, in every project",
    SYSTEM_ANALYZER: "reads analytics, monitoring and audit of the System tier",
}
"""System role → what it means. They are given on the User, by `systemRoles`."""

ANALYZED: Final = frozenset({Category.ANALYTICS, Category.MONITORING, Category.AUDIT})
"""What a sysAnalyzer may view in the System tier."""
