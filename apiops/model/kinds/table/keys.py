"""Kinds for certificates and keys."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import Home, Kind, Reference, SecretField

KINDS: Final = (
    Kind(
        name="Certificate",
        model="apiops.model.kinds.settings:CertificateSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.SECRETS,
        wave=5,
        summary="A public certificate, one PEM file per environment.",
        anew=("environments",),
        references=(Reference("environments", "Environment", system=True, key=True),),
        files=("environments.*.file",),
        write_only=("environments.*.file",),
    ),
    Kind(
        name="Key",
        model="apiops.model.kinds.keys:KeySpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.SECRETS,
        wave=5,
        summary="A secret key, or one half of a key pair, per environment.",
        renames=True,
        secrets=(SecretField("environments.*.content", environment=1),),
        references=(Reference("environments", "Environment", system=True, key=True),),
        immutable=("keyType",),
        files=("environments.*.file",),
        write_only=("environments.*.file",),
    ),
    Kind(
        name="Keystore",
        model="apiops.model.kinds.keys:KeystoreSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.SECRETS,
        wave=5,
        summary="A Java or PKCS 12 keystore with its password, per environment.",
        renames=True,
        secrets=(
            SecretField("environments.*.file", environment=1),
            SecretField("environments.*.password", environment=1),
        ),
        references=(Reference("environments", "Environment", system=True, key=True),),
    ),
    Kind(
        name="Jwk",
        model="apiops.model.kinds.keys:JwkSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.SECRETS,
        wave=6,
        summary="A JSON Web Key: taken from a certificate, key, keystore or URL, or generated.",
        renames=True,
        secrets=(SecretField("source.jwkStr"),),
        references=(
            Reference("source.environmentName", "Environment", system=True),
            Reference("source.certificateName", "Certificate"),
            Reference("source.keyName", "Key"),
            Reference("source.keyStoreName", "Keystore"),
        ),
        immutable=("source", "generate"),
        write_only=("source", "generate"),
    ),
)
