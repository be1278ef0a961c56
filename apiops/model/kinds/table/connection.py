"""Kind for connections; what a type needs is data, a schema per type."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import Home, Kind, Payload, Reference

KINDS: Final = (
    Kind(
        name="Connection",
        model="apiops.model.kinds.connection:ConnectionSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.CONNECTIONS,
        wave=6,
        summary="How the gateway reaches a log sink, broker, database or mail server.",
        renames=True,
        immutable=("type",),
        folds_case=True,
        payloads=(Payload("connections"),),
        references=(Reference("certificateName", "Certificate", bound=True, marked=True),),
    ),
)
