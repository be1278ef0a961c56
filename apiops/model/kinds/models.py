"""Specs of the catalogue of models: vendors that the Manager does not know, and their models."""

from typing import Annotated, Literal

from pydantic import Field

from apiops.model.kinds.parts import Part, about

AuthScheme = Literal["BEARER", "API_KEY_HEADER", "BASIC", "AWS_SIGV4", "OAUTH2", "NONE", "CUSTOM"]
Modality = Literal["TEXT", "VISION", "AUDIO", "EMBEDDING", "RERANK", "MULTIMODAL", "IMAGE"]
Price = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class LlmProviderDefinitionSpec(Part):
    """A model vendor. `metadata.name` is its code; the Manager's built-in ones are not here."""

    displayName: str | None = about("Name to show.")
    defaultEndpoint: str | None = about("Base URL of its API.")
    defaultApiVersion: str | None = about("Version of its API.")
    defaultAuthScheme: AuthScheme | None = about("How the gateway authenticates.")
    defaultAuthHeaderName: str | None = about("Header of the key (API_KEY_HEADER, CUSTOM).")
    iconUrl: str | None = about("Icon to show.")
    docsUrl: str | None = about("Where it is documented.")


class ModelFacts(Part):
    """What is known of a model."""

    displayName: str | None = about("Name to show.")
    contextWindow: Count | None = about("Size of the context, in tokens.")
    maxOutputTokens: Count | None = about("Longest answer, in tokens.")
    pricePerMillionInput: Price | None = about("Price of a million input tokens, in USD.")
    pricePerMillionOutput: Price | None = about("Price of a million output tokens, in USD.")
    pricePerMillionCached: Price | None = about("Price of a million cached tokens, in USD.")
    pricePerImage: Price | None = about("Price of an image, in USD.")
    pricePerAudioMinute: Price | None = about("Price of a minute of audio, in USD.")
    pricePerCharacterTts: Price | None = about("Price of a spoken character, in USD.")
    capabilities: list[str] = about("What the model can do, in the provider's words.", [])
    modality: Modality | None = about("What goes in and comes out.")
    isDeprecated: bool = about("Whether the provider has announced its end.", False)
    deprecatedAt: str | None = about("When that was announced, ISO 8601.")
    sunsetAt: str | None = about("When it ends, ISO 8601.")


class LlmModelSpec(ModelFacts):
    """A model in the catalogue; `metadata.name` is `provider/model`."""

    providerDefinition: str | None = about(
        "The definition of the vendor, by name, where it is one of this project's."
    )
