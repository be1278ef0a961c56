"""Environment variables (vendor document, 2.13): hidden values are null in every read, and null
keeps them.
"""

from typing import Final

from apiops.model.resource import JsonObject, LiveResource
from apiops.web.envelope import Told
from apiops.web.vendor import named, shapes
from apiops.web.vendor.named import Named
from apiops.web.vendor.shapes import Body

_NAMELESS: Final = "environmentName value can not be empty!"


def _shows(one: LiveResource) -> Body:
    """EnvironmentVariableDTO."""
    spec = shapes.plain(one)
    values = spec.pop("values", None) or {}
    return {
        **spec,
        "projectName": one.id.project,
        "environmentValueList": [
            {"visible": False, **value, "environmentName": name} for name, value in values.items()
        ],
    }


def _takes(body: Body, before: JsonObject) -> JsonObject:
    """The list as a mapping. A value that is null is kept, a visible one too (2.13)."""
    spec = shapes.spec(body, before)
    rows = shapes.rows(spec.pop("environmentValueList", None), _NAMELESS)
    if rows:
        spec["values"] = dict(_value(row, before) for row in rows)
    return spec


def _value(row: Body, before: JsonObject) -> tuple[str, Body]:
    name = row.get("environmentName")
    if not isinstance(name, str) or not name:
        raise Told(_NAMELESS)
    was = (before.get("values") or {}).get(name) or {}
    rest = {key: value for key, value in row.items() if key != "environmentName"}
    return name, rest if rest.get("value") is not None else {**rest, "value": was.get("value")}


VARIABLE: Final = Named(
    "EnvironmentVariable",
    "environmentVariables",
    "Environment variable",
    absent="Environment variable ({}) is not found!",
    exists="Environment variable (name: {}) already exists!",
    nameless="Environment variable name can not be empty!",
    shows=_shows,
    takes=_takes,
)

routes, serve = named.family(VARIABLE)
