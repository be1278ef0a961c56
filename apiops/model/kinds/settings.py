"""Specs of a project's shared settings: variables, IP groups, certificates."""

import ipaddress
from typing import Self

from pydantic import field_validator, model_validator

from apiops.model.kinds.parts import Part, PossibleSecret, about


class EnvironmentValue(Part):
    """A variable's value in one environment."""

    value: PossibleSecret = about("The value; unless `visible`, a secret.", ...)
    visible: bool = about(
        "Whether people may read it. A value that they may not is a secret.", False
    )


class EnvironmentVariableSpec(Part):
    """A value per environment, used as `${NAME}`. It is global, or has a value per environment."""

    description: str = about("What it is for, in words.", "")
    global_: bool = about("One value for all environments.", False, alias="global")
    globalValue: PossibleSecret | None = about(
        "The value, when `global`; unless `globalVisible`, a secret."
    )
    globalVisible: bool = about("Whether people may read the global value.", True)
    values: dict[str, EnvironmentValue] = about("The values, by environment.", {})

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        """Vendor document, 2.13."""
        if self.global_ and (self.globalValue is None or self.values):
            raise ValueError("a global variable needs globalValue and has no values")
        if not self.global_ and (not self.values or self.globalValue is not None):
            raise ValueError("a variable that is not global needs values and has no globalValue")
        return self


class IpGroupSpec(Part):
    """A named set of addresses."""

    description: str = about("What it is for, in words.", "")
    ipList: list[str] = about(
        "Addresses and networks: `203.0.113.7`, `203.0.113.0/24`. The list is complete: what it "
        "does not name is removed.",
        ...,
    )

    @field_validator("ipList")
    @classmethod
    def _addresses(cls, values: list[str]) -> list[str]:
        return [address(value) for value in values]


class EnvironmentCertificate(Part):
    """A certificate in one environment."""

    alias: str = about("Alias in the environment's truststore, unique there.", ..., min_length=1)
    file: str = about("Path of the PEM file, relative to this manifest.", ..., min_length=1)


class CertificateSpec(Part):
    """A public certificate. Private keys do not belong here."""

    description: str = about("What it is for, in words.", "")
    environments: dict[str, EnvironmentCertificate] = about(
        "The certificate, by environment.", ..., min_length=1
    )


def address(value: str) -> str:
    """Vendor variables stay; anything else must be an address or a network."""
    if "${" not in value:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ValueError(f"not an IP address or network: {value!r}") from None
    return value
