"""The versions of the libraries that decide how a run behaves."""

from importlib import metadata
from typing import Final

LIBRARIES: Final = (
    "pygit2",
    "pyrage",
    "cryptography",
    "pydantic",
    "jsonschema",
    "jsonschema-rs",
    "ryaml",
    "SQLAlchemy",
    "alembic",
    "psycopg",
    "pysequoia",
)


def libraries() -> dict[str, str]:
    """Distribution name → installed version (`-`: not installed), without importing any."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"
