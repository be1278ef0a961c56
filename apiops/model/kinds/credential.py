"""Specs of clients of the gateway, of what they carry and may call, and of organisations."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from apiops.model.kinds.parts import Email, Part, PossibleSecret, SecretText, about
from apiops.model.kinds.settings import address

TimeUnit = Literal[
    "MILLI_SECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS", "WEEKS", "MONTHS", "YEARS", "SECOND"
]


class Metadata(Part):
    """A fact about a client or an organisation."""

    key: str = about("Name of the fact.", ...)
    value: PossibleSecret | None = about("The fact; a secret when `secret` is true.")
    secret: bool = about("Whether nobody may read it.", False)
    includeInJwt: bool = about("Put it into the client's tokens.", False)
    includeInTokenResponse: bool = about("Put it into the answer to a token request.", False)
    jwtClaimName: str | None = about("Claim that holds it in a token.")


class CredentialOrganizationSpec(Part):
    """An organisation of clients; `metadata.name` is its code."""

    nameDefault: str | None = about("Name to show.", min_length=1)
    nameSecondary: str | None = about("Name to show in the second language.", min_length=1)
    parentOrganizationCode: str | None = about("The organisation above, by its code.")
    metadata: list[Metadata] = about("Facts about the organisation.", [])


class Assignments(Part):
    """Keys and certificates of the client, by name."""

    certificate: str | None = about("Certificate.")
    keystore: str | None = about("Keystore.")
    truststore: str | None = about("Truststore.")
    secretKey: str | None = about("Secret key.")
    privateKey: str | None = about("Private key.")
    publicKey: str | None = about("Public key.")
    jwkValidation: str | None = about("JSON Web Key for signatures.")
    jwkEncryption: str | None = about("JSON Web Key for encryption.")


class TokenSettings(Part):
    """Tokens of this client, where a policy does not set them itself."""

    grantType: str = about("OAuth 2 grant: PASSWORD, CLIENT_CREDENTIALS.", "PASSWORD")
    tokenNeverExpires: bool = about("Tokens are valid for ever.", True)
    tokenExpiresInAmount: Annotated[int, Field(ge=1)] | None = about("How long a token is valid.")
    tokenExpiresInUnit: TimeUnit | None = about("Unit of the token's life.")
    refreshTokenAllowed: bool = about("Hand out refresh tokens too.", False)
    refreshTokenCount: Annotated[int, Field(ge=0)] | None = about(
        "How often a token can be refreshed."
    )
    refreshTokenExpiresInAmount: Annotated[int, Field(ge=1)] | None = about(
        "How long a refresh token is valid."
    )
    refreshTokenExpiresInUnit: TimeUnit | None = about("Unit of the refresh token's life.")
    allowUrlParameters: bool = about(
        "Accept token requests whose parameters are in the URL.", False
    )
    jwtSignatureAlgorithm: str = about("Algorithm that signs tokens.", "RS256")
    deletePrevious: bool = about("A new token makes earlier ones invalid.", False)

    @model_validator(mode="after")
    def _expires(self) -> Self:
        amount, unit = self.tokenExpiresInAmount, self.tokenExpiresInUnit
        if not self.tokenNeverExpires and (amount is None or unit is None):
            raise ValueError(
                "tokenNeverExpires: false needs tokenExpiresInAmount and tokenExpiresInUnit"
            )
        return self


class Access(Part):
    """A proxy or a group of proxies that the client may call."""

    name: str = about("The proxy or group, by name.", ...)
    type: Literal["API_PROXY", "API_PROXY_GROUP"] = about("Which of the two.", "API_PROXY")
    expireTime: str | None = about("When it ends, ISO 8601 in UTC (absent: never).")


class CredentialSpec(Part):
    """A client of the gateway; `metadata.name` is its user name, unique over all projects."""

    description: str = about("What it is for, in words.", "")
    email: Email = about("E-mail address of its owner.", ...)
    fullName: str = about("Name of its owner.", ...)
    password: SecretText = about("Password.", ...)
    roleNameList: list[str] = about("Roles of the client at the gateway.", [])
    enabled: bool = about("Whether it may call anything.", True)
    ipList: list[str] = about("Addresses and networks it may call from (empty: all).", [])
    expireDate: str | None = about("When it ends, ISO 8601 in UTC (absent: never).")
    metadata: list[Metadata] = about("Facts about the client.", [])
    assignments: Assignments | None = about("Keys and certificates of the client.")
    token: TokenSettings | None = about("Tokens of this client.")
    access: list[Access] = about("What the client may call.", [])

    @field_validator("ipList")
    @classmethod
    def _addresses(cls, values: list[str]) -> list[str]:
        return [address(value) for value in values]
