"""Specs of vector databases and of the knowledge bases in them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.models import AuthScheme
from apiops.model.kinds.parts import Part, SecretText, about

Milliseconds = Annotated[int, Field(ge=0)]


class Pool(Part):
    """Connections that are kept open (jdbc)."""

    minimumIdle: Annotated[int, Field(ge=0)] | None = about("Idle connections that are kept.")
    maximumPoolSize: Annotated[int, Field(ge=1)] | None = about("Most connections.")
    connectionTimeoutMs: Milliseconds | None = about("How long to wait for one, in milliseconds.")
    idleTimeoutMs: Milliseconds | None = about("Idle time after which one is closed, in ms.")
    maxLifetimeMs: Milliseconds | None = about("Age at which one is closed, in milliseconds.")


class Transport(Part):
    """How the database is reached. Which fields count follows from `family`."""

    family: Literal["jdbc", "http", "redis"] = about("Protocol.", ...)
    jdbcUrl: str | None = about("JDBC URL (jdbc).")
    pool: Pool | None = about("Connections that are kept open (jdbc).")
    endpoint: str | None = about("Base URL (http).")
    apiVersion: str | None = about("Version of its API (http).")
    authScheme: AuthScheme | None = about("How the gateway authenticates (http).")
    authHeaderName: str | None = about("Header of the key (http).")
    apiKey: SecretText | None = about("Key (http).")
    apiSecret: SecretText | None = about("Second half of the key (http).")
    regionCode: str | None = about("Region (http).")
    uri: str | None = about("URI (redis).")
    username: str | None = about("User name (jdbc, redis).")
    password: SecretText | None = about("Password (jdbc, redis).")
    connectTimeoutMs: Milliseconds | None = about("How long connecting may take, in milliseconds.")
    requestTimeoutMs: Milliseconds | None = about("How long a request may take, in milliseconds.")

    @model_validator(mode="after")
    def _fits_its_family(self) -> Self:
        """Vendor document, 2.17."""
        fields = {
            "jdbc": {"jdbcUrl", "pool", "username", "password"},
            "redis": {"uri", "username", "password"},
            "http": {
                "endpoint", "apiVersion", "authScheme", "authHeaderName", "apiKey", "apiSecret",
                "regionCode",
            },
        }  # fmt: skip
        address = {"jdbc": "jdbcUrl", "http": "endpoint", "redis": "uri"}[self.family]
        if getattr(self, address) is None:
            raise ValueError(f"a transport of family {self.family} needs {address}")
        common = {"family", "connectTimeoutMs", "requestTimeoutMs"}
        strange = sorted(self.model_fields_set - fields[self.family] - common)
        if strange:
            raise ValueError(f"a transport of family {self.family} has no {strange[0]}")
        return self


class VectorDbSpec(Part):
    """A database of vectors."""

    description: str = about("What it is for, in words.", "")
    enabled: bool = about("Whether it is in use.", True)
    dbType: Literal[
        "PGVECTOR", "QDRANT", "WEAVIATE", "MILVUS", "CHROMA", "PINECONE", "REDIS", "OTHER"
    ] = about("Which product it is. It cannot change later.", ...)
    defaultCollectionName: str | None = about("Collection that is used unless another is named.")
    embeddingDimension: Annotated[int, Field(ge=1)] | None = about("Length of the vectors.")
    distanceMetric: Literal["COSINE", "EUCLIDEAN", "DOT_PRODUCT"] | None = about(
        "How the distance of two vectors is measured."
    )
    maxBatchSize: Annotated[int, Field(ge=1)] | None = about("Most vectors in one write.")
    transport: Transport = about("How it is reached.", ...)


class Document(Part):
    """A document to look things up in."""

    file: str = about(
        "Path of the document, relative to this manifest and inside the repository; its content "
        "says whether it is uploaded again.",
        ...,
        min_length=1,
    )


class KnowledgeBaseSpec(Part):
    """Documents in a vector database. Other places, pieces or models mean indexing all anew."""

    description: str = about("What it is for, in words.", "")
    vectorDbRef: str = about("Vector database, by name.", ...)
    embeddingProviderRef: str = about("Provider of embeddings, by name.", ...)
    embeddingModelId: str | None = about("Model of embeddings.")
    collectionName: str | None = about("Collection in the database.")
    chunkSize: Annotated[int, Field(ge=1)] = about("Length of a piece.", 1000)
    chunkOverlap: Annotated[int, Field(ge=0)] = about("How much of it the next repeats.", 200)
    reindexOnChange: bool = about("Index everything again when the fields above change.", True)
    documents: list[Document] = about("The documents; what is not named is removed.", [])

    @model_validator(mode="after")
    def _overlaps_less_than_it_holds(self) -> Self:
        if self.chunkOverlap >= self.chunkSize:
            raise ValueError("chunkOverlap must be less than chunkSize")
        return self
