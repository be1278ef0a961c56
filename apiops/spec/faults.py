"""From a schema that does not fit to words that help: one fault per cause, in plain English.

Only documents that have something to report come here. Values are repeated only where the field
is a choice: anywhere else the value might be a secret in the wrong place.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from apiops.spec import catalog, marks, near
from apiops.spec.publish import PARAMETER, SCALARS

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where in the document, the code, what, and what to do next.

    `on_key`: the position to show is that of the last key of `path`, not of its value.
    """

    path: Path
    code: str
    message: str
    hint: str = ""
    on_key: bool = False


@dataclass(frozen=True, slots=True)
class _Misfit:
    """What jsonschema found: the place, the keyword and what it wants, the schema and the value."""

    path: Path
    keyword: str
    wanted: Any
    schema: Mapping[str, Any]
    value: Any


_LISTED: Final = 12
"""How many allowed values a message lists."""

_ARTICLES: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    **SCALARS,
    "null": "null",
}


def report(kind: str, document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The faults of a document that its schema refused, by path."""
    found: dict[tuple[Path, str], Fault] = {}
    for misfit in _flat(_validator(kind).iter_errors(document)):
        for fault in _faults(document, misfit):
            cause = fault.message if fault.on_key else ""
            found.setdefault((fault.path, cause), fault)
    return tuple(sorted(found.values(), key=lambda fault: [str(step) for step in fault.path]))


def explained(path: Path, document: Mapping[str, Any]) -> str:
    """The command that explains the field at `path` of a document."""
    return f"apiops explain {topic(path, document)}"


def topic(path: Path, document: Mapping[str, Any]) -> str:
    """What `apiops explain` calls the field at `path` of a document.

    Inside a payload the topic begins with its type: `policy-script.scriptBody`.
    """
    start, rest = str(document["kind"]), path
    spec = document.get("spec")
    payloads = marks.payloads(start, spec) if isinstance(spec, Mapping) else ()
    for prefix, family, type_, _tree in payloads:
        inside = path[len(prefix) + 1 :]
        if path != ("spec", *prefix, *inside) or type_ not in catalog.types(family) or not inside:
            continue
        if inside[0] in catalog.payload(family, type_)["properties"]:
            start, rest = type_, inside
    return ".".join([start, *(step for step in rest if isinstance(step, str))])


def _flat(errors: "Iterable[ValidationError]") -> Iterator[_Misfit]:
    """Errors without the alternatives that only widen a field (see `publish`): the first counts."""
    for error in errors:
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        if error.validator == "anyOf" and "x-apiops-secret" not in schema:
            context = error.context or ()
            yield from _flat(part for part in context if part.relative_schema_path[0] == 0)
        else:
            keyword = str(error.validator)
            path = tuple(error.absolute_path)
            yield _Misfit(path, keyword, error.validator_value, schema, error.instance)


def _faults(document: Mapping[str, Any], misfit: _Misfit) -> Iterator[Fault]:
    if misfit.schema.get("x-apiops-secret") is True and isinstance(misfit.value, str):
        return
    if misfit.keyword == "additionalProperties":
        yield from _unknown(document, misfit)
    elif misfit.keyword == "required":
        yield from _missing(document, misfit)
    else:
        code, message = _WORDS.get(misfit.keyword, _strange)(misfit)
        yield Fault(misfit.path, code, message, _hint(document, misfit))


def _hint(document: Mapping[str, Any], misfit: _Misfit) -> str:
    otherwise = explained(misfit.path, document)
    if misfit.keyword == "enum" and isinstance(misfit.value, str):
        return near.hint(misfit.value, misfit.wanted, otherwise)
    return otherwise


def _unknown(document: Mapping[str, Any], misfit: _Misfit) -> Iterator[Fault]:
    known = misfit.schema.get("properties", {})
    for name in misfit.value:
        if name not in known:
            message = f"unknown field {name!r} in {_place(misfit.path)}"
            hint = near.hint(name, known, explained(misfit.path, document))
            yield Fault((*misfit.path, name), "AO203", message, hint, on_key=True)


def _missing(document: Mapping[str, Any], misfit: _Misfit) -> Iterator[Fault]:
    """Not what an unknown field beside it was meant to be: that is one cause, reported there."""
    known = misfit.schema.get("properties", misfit.value)
    misspelt = {near.nearest(name, known) for name in misfit.value if name not in known}
    for name in misfit.wanted:
        if name not in misfit.value and name not in misspelt:
            message = f"field {name!r} is missing in {_place(misfit.path)}"
            hint = explained((*misfit.path, name), document)
            yield Fault(misfit.path, "AO204", message, hint, on_key=True)


def _wrong_type(misfit: _Misfit) -> tuple[str, str]:
    expected = misfit.wanted
    types = [expected] if isinstance(expected, str) else list(expected)
    if misfit.schema.get("pattern") == PARAMETER and "string" in types:
        types.remove("string")
    wanted = " or ".join(_ARTICLES[type_] for type_ in types)
    message = f"{_place(misfit.path)} must be {wanted}, not {_kind_of(misfit.value)}"
    if "string" in types and isinstance(misfit.value, bool | int | float):
        message += "; put it in quotes"
    return "AO205", message


def _pattern(misfit: _Misfit) -> tuple[str, str]:
    if misfit.wanted == PARAMETER:
        types = [type_ for type_ in misfit.schema["type"] if type_ not in {"string", "null"}]
        return "AO205", f"{_place(misfit.path)} must be {_ARTICLES[types[0]]}, not a text"
    if misfit.path in {("metadata", "name"), ("metadata", "renamedFrom")}:
        return "AO212", f"{_place(misfit.path)}: {misfit.value!r} is not allowed as a name"
    words = misfit.schema.get("patternErrorMessage", f"must have the form {misfit.wanted}")
    return "AO207", f"{_place(misfit.path)} {words}"


def _choice(misfit: _Misfit) -> tuple[str, str]:
    allowed = [misfit.wanted] if misfit.keyword == "const" else misfit.wanted
    if not isinstance(misfit.value, str):
        text = "a text in quotes" if isinstance(misfit.value, bool | int | float) else "a text"
        return "AO205", f"{_place(misfit.path)} must be {text}: {_listed(allowed)}"
    message = f"{_place(misfit.path)} cannot be {misfit.value[:60]!r}"
    return "AO206", message if near.nearest(
        misfit.value, allowed
    ) else f"{message}: {_listed(allowed)}"


def _range(misfit: _Misfit) -> tuple[str, str]:
    bound = "at least" if misfit.keyword == "minimum" else "at most"
    return "AO208", f"{_place(misfit.path)} must be {bound} {misfit.wanted}"


def _length(misfit: _Misfit) -> tuple[str, str]:
    bound = "at least" if misfit.keyword.startswith("min") else "at most"
    return "AO207", f"{_place(misfit.path)} must have {bound} {misfit.wanted} characters"


def _size(misfit: _Misfit) -> tuple[str, str]:
    bound = "at least" if misfit.keyword.startswith("min") else "at most"
    return "AO209", f"{_place(misfit.path)} must have {bound} {misfit.wanted} entries"


def _not_secret(misfit: _Misfit) -> tuple[str, str]:
    return (
        "AO211",
        f"{_place(misfit.path)} must be a secret: ${{NAME}} or {{$secret: file.sops.yaml#key}}",
    )


def _strange(misfit: _Misfit) -> tuple[str, str]:
    return "AO205", f"{_place(misfit.path)} does not fit the schema ({misfit.keyword})"


_WORDS: Final[dict[str, Callable[[_Misfit], tuple[str, str]]]] = {
    "type": _wrong_type,
    "pattern": _pattern,
    "enum": _choice,
    "const": _choice,
    "minimum": _range,
    "maximum": _range,
    "minLength": _length,
    "maxLength": _length,
    "minItems": _size,
    "maxItems": _size,
    "minProperties": _size,
    "anyOf": _not_secret,
}


def _place(path: Path) -> str:
    """`spec.policies.request[0].type`; `the document` at the top."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the document"


def _listed(values: list[Any]) -> str:
    """As many of the allowed values as fit a line."""
    shown = [str(value) for value in values[:_LISTED]]
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(shown) + more


def _kind_of(value: Any) -> str:
    if value is None:
        return "null (nothing)"
    if isinstance(value, bool):
        return "true or false"
    for type_, words in ((str, "a text"), (int | float, "a number"), (Mapping, "a mapping")):
        if isinstance(value, type_):
            return words
    return "a list"


@functools.cache
def _validator(kind: str) -> Any:
    """The jsonschema validator, with patterns as jsonschema_rs and editors read them."""
    from jsonschema import Draft7Validator, validators

    extend: Any = validators.extend
    return extend(Draft7Validator, {"pattern": _ecma_pattern})(catalog.kind(kind))


def _ecma_pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Any
) -> "Iterator[ValidationError]":
    r"""Python's `$` also stands before a last line break; ECMA's does not, so `\Z` is meant."""
    from jsonschema import ValidationError

    if isinstance(instance, str) and not _ecma(pattern).search(instance):
        yield ValidationError("the text does not have the form")


@functools.cache
def _ecma(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"(?<!\\)\$(?=$|\))", r"\\Z", pattern))
