"""Spec of groups of proxies."""

from typing import Self

from pydantic import model_validator

from apiops.model.kinds.parts import ClientRoute, Part, about
from apiops.model.kinds.proxy import Deployment


class ApiProxyGroupSpec(Part):
    """Proxies under one route."""

    description: str = about("What it is for, in words.", "")
    clientRoute: ClientRoute = about("Which requests reach the group.", ...)
    members: list[str] = about("The proxies, by name.", [])
    deployments: list[Deployment] = about("Where the group runs, its members with it.", [])

    @model_validator(mode="after")
    def _each_place_once(self) -> Self:
        places = [deployment.environment for deployment in self.deployments]
        if len(set(places)) < len(places):
            raise ValueError("the same deployment is written twice")
        return self
