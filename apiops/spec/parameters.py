"""Parameters: what differs between targets, declared once, typed, and put into `${param:name}`.

`parameters.yaml` at the repository's root declares them; `targets/<target>/params.yaml` gives
values, `targets/<target>/params.sops.yaml` secret ones. `${param:target}` and
`${param:environment}` are always there. `${NAME}` is the vendor's own variable: not touched.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apiops.model import canonical
from apiops.model.resource import FileMode, Target
from apiops.model.revision import Snapshot
from apiops.spec import near
from apiops.spec.documents import Documents
from apiops.spec.findings import Findings
from apiops.spec.paths import Path
from apiops.spec.positions import Source

DECLARATIONS: Final = "parameters.yaml"
BUILT_IN: Final = ("environment", "target")

_USE = re.compile(r"\$\{param:([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FIELDS: Final = {"type", "default", "enum", "pattern", "description", "secret"}

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}

Report = Callable[[Path, str, str, str], None]
"""Told of a faulty use: path, code, message, hint."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one target.

    `values` by name; `secrets` names those that stand in a sops file, with that file's document;
    `declared` are all names, those without a value included.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Source] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """Identifies the values; of secrets, their ciphertexts."""
        sealed = {name: [source.blob, source.index] for name, source in self.secrets.items()}
        return canonical.digest({"values": self.values, "secrets": sealed})

    def meaning(self, name: str) -> tuple[Any, ...]:
        """What a use of the parameter comes to; its type counts, so 1 is not true."""
        value = self.values.get(name)
        return (
            name in self.declared,
            name in self.values,
            type(value),
            value,
            self.secrets.get(name),
        )


def is_input(path: str, target: Target) -> bool:
    """Whether a file may have a say in what every manifest means: parameters and patches."""
    return path == DECLARATIONS or path.startswith(f"targets/{target.name}/")


def uses(tree: Any) -> frozenset[str]:
    """The names of the parameters in the texts of `tree`."""
    if isinstance(tree, str):
        return frozenset(_USE.findall(tree)) if "${param:" in tree else frozenset()
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return frozenset().union(*map(uses, below))


def differing(one: Parameters, other: Parameters) -> frozenset[str]:
    """The names that do not mean the same in both."""
    names = one.declared | other.declared
    return frozenset(name for name in names if one.meaning(name) != other.meaning(name))


def load(
    snapshot: Snapshot, target: Target, documents: Documents, findings: Findings
) -> Parameters:
    """The parameters of `target`, checked against their declarations."""
    reader = _Reader(snapshot, documents, findings)
    declared = reader.declarations()
    values = {
        name: declaration["default"]
        for name, declaration in declared.items()
        if declaration.get("default") is not None
    }
    folder = f"targets/{target.name}"
    plain = reader.file(f"{folder}/params.yaml")
    if plain is not None:
        given = _items(plain)
        values |= {n: value for n, value in given if reader.accepts(plain, n, value, declared)}
    secrets: dict[str, Source] = {}
    sealed = reader.file(f"{folder}/params.sops.yaml")
    if sealed is not None:
        given = _items(sealed)
        secrets = {n: sealed for n, value in given if reader.seals(sealed, n, value, declared)}
    values |= {"target": target.name, "environment": target.environment}
    return Parameters(values, secrets, frozenset({*declared, *BUILT_IN}))


def secret_use(value: Any, parameters: Parameters) -> str | None:
    """The secret parameter that a text is a use of, if it is one and nothing else."""
    match = _USE.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match and match[1] in parameters.secrets else None


def substitute(tree: Any, parameters: Parameters, report: Report, path: Path = ()) -> Any:
    """`tree` with every use replaced; a use of a secret is left for whoever makes leaves."""
    if isinstance(tree, str):
        return _text(tree, parameters, report, path) if "${param:" in tree else tree
    if isinstance(tree, dict):
        return {
            key: substitute(child, parameters, report, (*path, key)) for key, child in tree.items()
        }
    if isinstance(tree, list):
        return [
            substitute(child, parameters, report, (*path, index))
            for index, child in enumerate(tree)
        ]
    return tree


def _text(text: str, parameters: Parameters, report: Report, path: Path) -> Any:
    if secret_use(text, parameters):
        return text
    whole = _USE.fullmatch(text)
    if whole is not None:
        return _value(whole, parameters, report, path)

    def within(match: re.Match[str]) -> str:
        name = match[1]
        if name in parameters.secrets:
            message = f'the secret parameter "{name}" cannot stand inside a longer text'
            report(path, "AO326", message, "make the whole value the secret")
            return match[0]
        value = _value(match, parameters, report, path)
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _USE.sub(within, text)


def _value(use: re.Match[str], parameters: Parameters, report: Report, path: Path) -> Any:
    name = use[1]
    if not use[0].endswith("}") or not _NAME.fullmatch(name):
        report(path, "AO327", f"{use[0]} is not a parameter", "write ${param:name}")
    elif name in parameters.values:
        return parameters.values[name]
    elif name in parameters.declared:
        target = parameters.values.get("target", "")
        message = f'the parameter "{name}" has no value for target {target}'
        report(path, "AO322", message, f"give it one in targets/{target}/params.yaml")
    else:
        other = f"declare it in {DECLARATIONS}"
        message = f'there is no parameter "{name}"'
        report(path, "AO321", message, near.hint(name, parameters.declared, other))
    return use[0]


def _items(source: Source) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in source.tree.items() if name != "sops"]


class _Reader:
    """Reads the parameter files and says what is wrong with them. They stop every unit."""

    def __init__(self, snapshot: Snapshot, documents: Documents, findings: Findings) -> None:
        self._snapshot = snapshot
        self._documents = documents
        self._findings = findings

    def file(self, path: str) -> Source | None:
        """The one mapping in a parameter file, or None if there is no such file."""
        file = self._snapshot.files.get(path)
        if file is None or file.mode is not FileMode.FILE:
            return None
        parsed = self._documents.parse(file, self._snapshot.read)
        self._findings.text(file.blob, parsed.findings)
        sources = [Source(path, file.blob, d.index, d.tree) for d in parsed.documents if d.tree]
        if parsed.findings or not sources:
            return None
        if len(sources) > 1 or not isinstance(sources[0].tree, dict):
            self._find(sources[-1], (), "AO324", "expected one mapping of names to values")
            return None
        return sources[0]

    def declarations(self) -> dict[str, dict[str, Any]]:
        """Name → declaration, of those that are sound."""
        source = self.file(DECLARATIONS)
        if source is None:
            return {}
        declared = source.tree.get("parameters")
        if not isinstance(declared, dict) or len(source.tree) > 1:
            self._find(source, (), "AO324", 'expected one field, "parameters", with a mapping')
            return {}
        return {
            name: declaration
            for name, declaration in declared.items()
            if self._declares(source, name, declaration)
        }

    def _declares(self, source: Source, name: str, declaration: Any) -> bool:
        path: Path = ("parameters", name)
        problem = _declaration_problem(name, declaration)
        if problem is None and declaration.get("default") is not None:
            path = (*path, "default")
            problem = _value_problem(declaration["default"], declaration)
        if problem:
            self._find(source, path, "AO324", f'parameter "{name}": {problem}')
        return problem is None

    def accepts(
        self, source: Source, name: str, value: Any, declared: Mapping[str, dict[str, Any]]
    ) -> bool:
        """Whether a plain value may be used."""
        if not self._known(source, name, declared):
            return False
        if declared[name].get("secret") is True:
            self._find(
                source,
                (name,),
                "AO328",
                f'the parameter "{name}" is declared secret but stands in plain text',
                "move it to params.sops.yaml beside this file, and change the secret",
            )
            return False
        problem = _value_problem(value, declared[name])
        if problem:
            self._find(source, (name,), "AO323", f'parameter "{name}": {problem}')
        return problem is None

    def seals(
        self, source: Source, name: str, value: Any, declared: Mapping[str, dict[str, Any]]
    ) -> bool:
        """Whether a secret value may be used."""
        if not self._known(source, name, declared):
            return False
        if declared[name].get("secret") is not True:
            message = f'the parameter "{name}" is encrypted here but not declared secret'
            self._find(source, (name,), "AO328", message, "declare it with secret: true")
            return False
        if source.sops is None or not str(value).startswith("ENC[AES256_GCM,"):
            message = f'the parameter "{name}" is not encrypted'
            self._find(source, (name,), "AO442", message, "encrypt the file with sops")
            return False
        return True

    def _known(self, source: Source, name: str, declared: Mapping[str, Any]) -> bool:
        if name not in declared:
            hint = near.hint(name, declared, f"declare it in {DECLARATIONS}, or remove it")
            message = f'the parameter "{name}" is not declared'
            self._find(source, (name,), "AO325", message, hint, on_key=True)
        return name in declared

    def _find(
        self,
        source: Source,
        path: Path,
        code: str,
        message: str,
        hint: str = "",
        *,
        on_key: bool = False,
    ) -> None:
        self._findings.at(source, path, code, message, unit=None, hint=hint, on_key=on_key)


def _declaration_problem(name: str, declaration: Any) -> str | None:
    """The first thing that is wrong with a declaration."""
    if not isinstance(declaration, dict) or declaration.get("type", "string") not in _TYPES:
        return f"expected a mapping with type: {', '.join(_TYPES)}"
    unknown = sorted(set(declaration) - _FIELDS)
    secret = declaration.get("secret", False)
    problems = {
        "the name is built in": name in BUILT_IN,
        "a name has letters, digits, `_`, `-`, `.` and begins with a letter": (
            not _NAME.fullmatch(name)
        ),
        f"unknown field {', '.join(unknown)}; there are {', '.join(sorted(_FIELDS))}": bool(
            unknown
        ),
        "secret is true or false": not isinstance(secret, bool),
        "a secret has no default: it would stand here in plain text": (
            bool(secret) and declaration.get("default") is not None
        ),
        "enum is a list of the allowed values": not isinstance(declaration.get("enum", []), list),
    }
    first = next((text for text, wrong in problems.items() if wrong), None)
    return first or _pattern_problem(declaration.get("pattern", ""))


def _pattern_problem(pattern: Any) -> str | None:
    """RE2: its time is linear, so that no pattern in a repository can stall a run."""
    import re2

    if not isinstance(pattern, str):
        return "the pattern is text"
    try:
        re2.compile(pattern, _quiet())
    except re2.error:
        return "the pattern is not a regular expression in the syntax of RE2"
    return None


def _quiet() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return options


def _value_problem(value: Any, declaration: Mapping[str, Any]) -> str | None:
    kind = declaration.get("type", "string")
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        quote = "; put it in quotes" if kind == "string" and value is not None else ""
        return f"expected {kind}{quote}"
    enum = declaration.get("enum")
    if enum and value not in enum:
        return f"expected one of {', '.join(map(str, enum))}"
    pattern = declaration.get("pattern")
    if pattern:
        import re2

        if not re2.compile(pattern, _quiet()).search(str(value)):
            return f"expected text that matches {pattern}"
    return None
