"""Kinds for the clients of the gateway: who they are, what they may call, how often."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import (
    LOGIN,
    Home,
    Kind,
    Only,
    Reference,
    SecretField,
    Steps,
    Switch,
)

KINDS: Final = (
    Kind(
        name="CredentialOrganization",
        model="apiops.model.kinds.credential:CredentialOrganizationSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.IDENTITY,
        wave=7,
        summary="An organisation that clients belong to; its name is its code.",
        secrets=(
            SecretField(
                "metadata.*.value", switch=Switch("secret", secret_when=True, default=False)
            ),
        ),
        references=(Reference("parentOrganizationCode", "CredentialOrganization"),),
        keyed={"metadata": "key"},
    ),
    Kind(
        name="Credential",
        model="apiops.model.kinds.credential:CredentialSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.IDENTITY,
        wave=12,
        summary="A client of the gateway: its password, and the proxies it may call.",
        secrets=(
            SecretField("password"),
            SecretField(
                "metadata.*.value", switch=Switch("secret", secret_when=True, default=False)
            ),
        ),
        references=(
            Reference("assignments.certificate", "Certificate", bound=True),
            Reference("assignments.keystore", "Keystore", bound=True),
            Reference("assignments.truststore", "Keystore", bound=True),
            Reference("assignments.secretKey", "Key", bound=True),
            Reference("assignments.privateKey", "Key", bound=True),
            Reference("assignments.publicKey", "Key", bound=True),
            Reference("assignments.jwkValidation", "Jwk", bound=True),
            Reference("assignments.jwkEncryption", "Jwk", bound=True),
            Reference("access.*.name", "ApiProxy", only=Only("type", "API_PROXY", default=True)),
            Reference("access.*.name", "ApiProxyGroup", only=Only("type", "API_PROXY_GROUP")),
        ),
        keyed={"roleNameList": "", "ipList": "", "metadata": "key", "access": "name+type"},
        names=LOGIN,
        unique=True,
        write_only=("assignments", "token", "access.*.expireTime"),
    ),
    Kind(
        name="Rlcl",
        model="apiops.model.kinds.ratelimit:RlclSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.IDENTITY,
        wave=13,
        summary="A rate limit control list: how often which clients may call which endpoints.",
        references=(
            Reference("credentials.*", "Credential"),
            Reference("endpoints.*.apiProxyName", "ApiProxy"),
        ),
        keyed={
            "credentials": "",
            "targetAudienceRuleList": "operator+value",
            "endpoints": "apiProxyName+endpointName+endpointHTTPMethod+targetIdentityValue",
        },
    ),
    Kind(
        name="Subscription",
        model="apiops.model.kinds.subscription:SubscriptionSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.IDENTITY,
        wave=13,
        summary="A client's request to call a proxy, and what became of it.",
        references=(
            Reference("credential", "Credential"),
            Reference("target.name", "ApiProxy", only=Only("type", "API_PROXY", default=True)),
            Reference("target.name", "ApiProxyGroup", only=Only("type", "API_PROXY_GROUP")),
        ),
        immutable=("credential", "target"),
        beyond=True,
        steps=Steps(
            "state",
            {
                "REQUESTED": ("APPROVED", "REJECTED"),
                "APPROVED": ("REVOKED",),
                "REJECTED": ("REQUESTED",),
                "REVOKED": ("REQUESTED",),
            },
            beside=("reason", "expireTime"),
        ),
    ),
)
