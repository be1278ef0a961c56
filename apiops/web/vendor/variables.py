"""Environment variables (vendor document, 2.13)."""

from typing import Any, Final

from fastapi import Response

from apiops.model.resource import LiveResource
from apiops.web import envelope
from apiops.web.vendor import door, shapes
from apiops.web.vendor.door import Call, Name

_NO_VARIABLE: Final = "Environment variable ({}) is not found!"

routes, serve = door.family()


@serve("GET", "/projects/{project}/environmentVariables/", "Variables")
def variables(call: Call, project: Name) -> Response:
    """All of the project; hidden values are null."""
    return envelope.found(_shape(one) for one in call.every("EnvironmentVariable", project))


@serve("GET", "/projects/{project}/environmentVariables/{name}/", "A variable")
def variable(call: Call, project: Name, name: Name) -> Response:
    """One, in a list of one; hidden values are null."""
    return envelope.found([_shape(call.look("EnvironmentVariable", project, name, _NO_VARIABLE))])


def _shape(one: LiveResource) -> dict[str, Any]:
    """EnvironmentVariableDTO as it is read: hidden values are null."""
    spec = shapes.plain(one)
    values = spec.pop("values", None) or {}
    return {
        **spec,
        "projectName": one.id.project,
        "environmentValueList": [
            {"visible": False, **value, "environmentName": name} for name, value in values.items()
        ],
    }
