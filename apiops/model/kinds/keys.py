"""Specs of keys, keystores and JSON Web Keys. What is private in them is always a secret."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.parts import Part, SecretText, about

Milliseconds = Annotated[int, Field(ge=0)]


class EnvironmentKey(Part):
    """A key in one environment."""

    alias: str | None = about("Alias in the environment.")
    content: SecretText | None = about(
        "The key: base64 of its bytes (SECRET_KEY) or PEM (PRIVATE_KEY)."
    )
    file: str | None = about(
        "Path of the PEM file, relative to this manifest (PUBLIC_KEY).", min_length=1
    )


class KeySpec(Part):
    """A key for encrypting, signing and verifying."""

    description: str = about("What it is for, in words.", "")
    keyType: Literal["SECRET_KEY", "PRIVATE_KEY", "PUBLIC_KEY"] = about(
        "Symmetric, or which half of a pair. It cannot change later.", ...
    )
    algorithm: Literal["AES", "DES", "DESede", "RSA"] | None = about(
        "Algorithm (SECRET_KEY; the others say it themselves)."
    )
    environments: dict[str, EnvironmentKey] = about("The key, by environment.", ..., min_length=1)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        """Vendor document, 2.12."""
        secret = self.keyType == "SECRET_KEY"
        if secret != (self.algorithm is not None):
            raise ValueError(
                f"a key of type {self.keyType} {'needs an' if secret else 'has no'} algorithm"
            )
        wanted, other = "content", "file"
        if self.keyType == "PUBLIC_KEY":
            wanted, other = other, wanted
        for name, key in self.environments.items():
            if getattr(key, wanted) is None or getattr(key, other) is not None:
                raise ValueError(
                    f"a key of type {self.keyType} needs {wanted}, not {other}: {name}"
                )
        return self


class EnvironmentKeystore(Part):
    """A keystore in one environment."""

    keyStoreType: Literal["JKS", "PKCS12"] = about("Format of the file.", ...)
    alias: str = about("Alias of the entry to use.", ..., min_length=1)
    file: SecretText = about(
        "Base64 of the file (`base64 -w0 client.p12`), as a secret. An age file given by "
        "`$secretFile` must hold the base64 too.",
        ...,
    )
    password: SecretText = about("Password of the file.", ...)


class KeystoreSpec(Part):
    """A private key with its certificates, for TLS and signatures."""

    description: str = about("What it is for, in words.", "")
    environments: dict[str, EnvironmentKeystore] = about(
        "The keystore, by environment.", ..., min_length=1
    )


class JwkSource(Part):
    """Where the key comes from."""

    type: Literal["URL", "COPY_PASTE", "CERTIFICATE", "PUBLIC_KEY", "PRIVATE_KEY", "KEYSTORE"] = (
        about("What it is taken from.", ...)
    )
    url: str | None = about("Address of the key or key set (URL).")
    urlOptionConnectTimeout: Milliseconds = about("How long connecting may take, in ms.", 5000)
    urlOptionReadTimeout: Milliseconds = about("How long reading may take, in ms.", 10000)
    urlOptionSizeLimit: Annotated[int, Field(ge=1)] = about("Largest answer, in bytes.", 1048576)
    kid: str | None = about("Id of the key (URL, COPY_PASTE).")
    jwkStr: SecretText | None = about("The key as JSON (COPY_PASTE).")
    certificateName: str | None = about("Certificate, by name (CERTIFICATE).")
    keyName: str | None = about("Key, by name (PUBLIC_KEY, PRIVATE_KEY).")
    keyStoreName: str | None = about("Keystore, by name (KEYSTORE).")
    aliasName: str | None = about("Entry of the keystore (KEYSTORE).")
    environmentName: str | None = about("Environment whose certificate, key or keystore it is.")
    useType: Literal["SIGNATURE", "ENCRYPTION"] | None = about("What the key is for.")
    algorithm: str | None = about("Algorithm, as JOSE names it: RS256, RSA-OAEP-256.")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        """Vendor document, 2.12: what is needed follows from the type."""
        derived = ("environmentName", "useType", "algorithm")
        needed = {
            "URL": ("url",),
            "COPY_PASTE": ("jwkStr",),
            "CERTIFICATE": ("certificateName", *derived),
            "PUBLIC_KEY": ("keyName", *derived),
            "PRIVATE_KEY": ("keyName", *derived),
            "KEYSTORE": ("keyStoreName", "aliasName", *derived),
        }
        missing = [name for name in needed[self.type] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a source of type {self.type} needs {', '.join(missing)}")
        return self


class _Generated(Part):
    keyUseType: Literal["SIGNATURE", "ENCRYPTION"] | None = about("What the key is for.")
    algorithm: str | None = about("Algorithm, as the Manager names it: RSA256, ES256.")
    keyIdType: Literal["TIMESTAMP", "SHA256", "SHA1", "ISO_DATE", "NONE"] | None = about(
        "How the id of the key is made."
    )
    notBeforeTime: str | None = about("From when it counts, ISO 8601 in UTC.")
    expirationTime: str | None = about("Until when it counts, ISO 8601 in UTC.")


class GeneratedBySize(_Generated):
    """An RSA or symmetric key to be made."""

    keySize: Annotated[int, Field(ge=1)] | None = about("Size, in bits.")


class GeneratedByCurve(_Generated):
    """An elliptic key to be made."""

    curveType: str | None = about("Curve: P256, Ed25519.")


class JwkGenerate(Part):
    """A key that the Manager makes. Nobody else ever sees it."""

    type: Literal["RSA", "EC", "OCT", "OKP"] = about("Kind of key.", ...)
    kid: str | None = about("Id of the key.")
    rsa: GeneratedBySize | None = about("Details (RSA).")
    ec: GeneratedByCurve | None = about("Details (EC).")
    oct: GeneratedBySize | None = about("Details (OCT).")
    okp: GeneratedByCurve | None = about("Details (OKP).")
    generation: Annotated[int, Field(ge=1)] = about(
        "Count it up to have a new key made: the old one is deleted.", 1
    )

    @model_validator(mode="after")
    def _details_fit(self) -> Self:
        given = {name for name in ("rsa", "ec", "oct", "okp") if getattr(self, name) is not None}
        if given != {self.type.lower()}:
            raise ValueError(f"a key of type {self.type} needs {self.type.lower()}, and only that")
        return self


class JwkSpec(Part):
    """A JSON Web Key. Its material cannot change: another source makes another key."""

    description: str = about("What it is for, in words.", "")
    source: JwkSource | None = about("Where it comes from. Either this or `generate`.")
    generate: JwkGenerate | None = about("How it is made. Either this or `source`.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.source is None) == (self.generate is None):
            raise ValueError("give exactly one of source and generate")
        return self
