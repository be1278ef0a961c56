"""Kinds of the System tier: places, and what there is once per Manager."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import SINGLE, Home, Kind

KINDS: Final = (
    Kind(
        name="Environment",
        model="apiops.model.kinds.system:EnvironmentSpec",
        home=Home.SYSTEM,
        tier=Tier.SYSTEM,
        category=Category.GLOBAL_SETTINGS,
        wave=0,
        summary="A place where proxies run: test, production. Its keys seal its secrets.",
        by_hand=True,
    ),
    Kind(
        name="Project",
        model="apiops.model.kinds.system:ProjectSpec",
        home=Home.SYSTEM,
        tier=Tier.SYSTEM,
        category=Category.PROJECT_MANAGEMENT,
        wave=0,
        summary="The unit of ownership: the resources of one team of owners; they name it.",
        by_hand=True,
        keyed={"tags": ""},
    ),
    Kind(
        name="AiGatewaySettings",
        model="apiops.model.kinds.system:AiGatewaySettingsSpec",
        home=Home.SYSTEM,
        tier=Tier.SYSTEM,
        category=Category.AI_DEVELOPMENT,
        wave=4,
        summary="What AI proxies do where they say nothing: timeouts, sizes, budgets. One for all.",
        merges=("",),
        names=SINGLE,
    ),
    Kind(
        name="Geolocation",
        model="apiops.model.kinds.system:GeolocationSpec",
        home=Home.SYSTEM,
        tier=Tier.SYSTEM,
        category=Category.GLOBAL_SETTINGS,
        wave=4,
        summary="Whether the gateway looks up countries of addresses, and in which database.",
        files=("file",),
        names=SINGLE,
        write_only=("file",),
    ),
)
