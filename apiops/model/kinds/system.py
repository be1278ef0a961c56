"""Specs of the System tier's places: environments and projects."""

from typing import Literal

from apiops.model.kinds.parts import BasePath, Part, about


class EnvironmentSpec(Part):
    """A place where proxies run. `name` is what deployments, variables and grants refer to."""

    description: str = about("What it is for, in words.", "")
    type: Literal["PRODUCTION", "SANDBOX", "TEST"] = about(
        "What it is used for; people and guards are more careful with PRODUCTION.", ...
    )
    accessUrl: str | None = about("Base URL under which its proxies are reached.")


class ProjectSpec(Part):
    """The unit of ownership. Resources name it in `metadata.project`."""

    description: str = about("What it is for, in words.", "")
    relativePath: BasePath | None = about(
        "Path put before the routes of all its proxies, when `enableRelativePath` is true."
    )
    enableRelativePath: bool = about("Put `relativePath` before the routes.", False)
    tags: list[str] = about("Words to find it by.", [])
