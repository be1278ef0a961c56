"""Kinds for a project's shared settings."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import (
    VARIABLE_NAME,
    Home,
    Kind,
    Reference,
    SecretField,
    Switch,
)

KINDS: Final = (
    Kind(
        name="EnvironmentVariable",
        model="apiops.model.kinds.settings:EnvironmentVariableSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.GLOBAL_SETTINGS,
        wave=4,
        summary="A value per environment, used as `${NAME}` in most fields; the home of secrets.",
        secrets=(
            SecretField(
                "globalValue", switch=Switch("globalVisible", secret_when=False, default=True)
            ),
            SecretField(
                "values.*.value",
                environment=1,
                switch=Switch("visible", secret_when=False, default=False),
            ),
        ),
        references=(Reference("values", "Environment", system=True, key=True),),
        names=VARIABLE_NAME,
        unique=True,
    ),
    Kind(
        name="IpGroup",
        model="apiops.model.kinds.settings:IpGroupSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.GLOBAL_SETTINGS,
        wave=4,
        summary="A named set of IP addresses and networks, for allow and deny policies.",
        keyed={"ipList": ""},
    ),
)
