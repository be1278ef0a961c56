"""Is a document's shape right, and do its fields fit together?

Two stages with one voice. `check` holds a document against the JSON Schema of its kind:
jsonschema_rs says yes or no in microseconds, and only for a no does jsonschema look for the
causes. `meaning` runs the kind's model, for what a schema cannot say, on what `check` passed.
Both give faults with a path; the loader knows the file and the position.
"""

import functools
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from apiops.model.kinds import API_VERSION, KINDS
from apiops.spec import catalog, faults, near
from apiops.spec.faults import Fault

if TYPE_CHECKING:
    from jsonschema_rs import Draft7Validator
    from pydantic import BaseModel

__all__ = ["Fault", "check", "meaning"]


def check(kind: str, document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What is wrong with the shape of a rendered document; nothing if it is right.

    Plaintext in a secret field is not a fault here: the loader finds it by `marks.secret_paths`.
    """
    if kind not in KINDS:
        hint = near.hint(kind, KINDS, "apiops explain kinds")
        return (Fault(("kind",), "AO201", f"unknown kind {kind!r}", hint),)
    if document.get("apiVersion") != API_VERSION:
        message = f"apiVersion must be {API_VERSION}"
        return (Fault(("apiVersion",), "AO202", message, f"write `apiVersion: {API_VERSION}`"),)
    if _validator(kind).is_valid(document):
        return ()
    return faults.report(kind, document)


def meaning(kind: str, document: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Which fields do not fit together, in a document that `check` has passed."""
    from pydantic import ValidationError

    try:
        _model(kind).model_validate(document["spec"])
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return tuple(_misfit(document, fault["loc"], fault["msg"]) for fault in found)
    return ()


def _misfit(document: Mapping[str, Any], place: tuple[str | int, ...], text: str) -> Fault:
    path = ("spec", *place)
    return Fault(
        path, "AO210", text.removeprefix("Value error, "), faults.explained(path, document)
    )


@functools.cache
def _validator(kind: str) -> "Draft7Validator":
    import jsonschema_rs

    return jsonschema_rs.Draft7Validator(catalog.kind(kind))


@functools.cache
def _model(kind: str) -> "type[BaseModel]":
    module, name = KINDS[kind].model.split(":")
    model: type[BaseModel] = getattr(importlib.import_module(module), name)
    return model
