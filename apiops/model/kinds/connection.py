"""Spec of connections: the fields that all types share. The rest is data, a schema per type."""

from typing import Annotated

from pydantic import ConfigDict, WithJsonSchema

from apiops.model.kinds.parts import Part, about

ConnectionType = Annotated[str, WithJsonSchema({"x-apiops-types": "connections"})]


class ConnectionSpec(Part):
    """How the gateway reaches another system. The other fields depend on `type`."""

    model_config = ConfigDict(extra="allow")

    type: ConnectionType = about("What it connects to. It cannot change later.", ...)
    description: str = about("What it is for, in words.", "")
    deployToWorker: bool = about("Push it to the workers.", True)
    enabled: bool = about("Whether it is in use.", True)
