"""The one exception tree, and what each error means to a shell.

    ApiopsError                     code, hint, location; exit 1
    ├── UsageError                  wrong flags or settings                         exit 64
    ├── SourceError                 Git: not a repository, unknown revision, …      exit 3
    │   └── SourceUnavailable       Git remote unreachable                          exit 7, retry
    ├── SpecInvalid                 carries the diagnostics                         exit 3
    ├── SecretError                 identity missing, MAC wrong                     exit 6
    ├── PlanRefused                 guard, stale or unapproved plan                 exit 5
    ├── AccessDenied                permission verdict says no                      exit 4
    ├── ManagerError                the Manager refused or is broken                exit 1
    │   ├── ManagerUnavailable      unreachable, locked, lease held                 exit 7, retry
    │   ├── Conflict                somebody else wrote first                       exit 5
    │   └── StoreError              migration needed, other lineage, audit broken   exit 1
    │       └── UnauditedWrite      a write without an audit context                exit 1
    └── PartlyApplied               some changes applied, some failed               exit 8

Library exceptions are translated into these at the one door of their library.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

from apiops.model.diagnostic import Diagnostic, Location


class Exit(IntEnum):
    """Exit codes of the command line (DESIGN: command line)."""

    OK = 0
    FAILED = 1
    CHANGES = 2
    INVALID = 3
    DENIED = 4
    REFUSED = 5
    SECRETS = 6
    UNAVAILABLE = 7
    PARTIAL = 8
    USAGE = 64
    INTERRUPTED = 130


class ApiopsError(Exception):
    """Base of all our errors: a message, a stable code, a hint and, where known, a place."""

    exit_code: ClassVar[Exit] = Exit.FAILED
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, code: str, hint: str = "", location: Location | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.location = location


class UsageError(ApiopsError):
    """Wrong flags, arguments or settings."""

    exit_code = Exit.USAGE


class SourceError(ApiopsError):
    """The Git repository cannot give what was asked for."""

    exit_code = Exit.INVALID


class SourceUnavailable(SourceError):
    """The Git remote does not answer."""

    exit_code = Exit.UNAVAILABLE
    retryable = True


class SpecInvalid(ApiopsError):
    """The specifications do not validate; `diagnostics` says where and why."""

    exit_code = Exit.INVALID

    def __init__(self, message: str, *, code: str, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(message, code=code)
        self.diagnostics = tuple(diagnostics)


class SecretError(ApiopsError):
    """A secret cannot be opened, or its file does not verify."""

    exit_code = Exit.SECRETS


class PlanRefused(ApiopsError):
    """A guard stopped the plan, or the plan is stale, altered or not the approved one."""

    exit_code = Exit.REFUSED


class AccessDenied(ApiopsError):
    """Permission was asked for and denied."""

    exit_code = Exit.DENIED


class ManagerError(ApiopsError):
    """The Manager refused or failed."""


class ManagerUnavailable(ManagerError):
    """The Manager cannot be reached now: network, locked database, lease held by another run."""

    exit_code = Exit.UNAVAILABLE
    retryable = True


class Conflict(ManagerError):
    """Somebody else changed the same thing first (serial, applied revision or fence moved on)."""

    exit_code = Exit.REFUSED


class StoreError(ManagerError):
    """The embedded Manager's database is not usable as it is."""


class UnauditedWrite(StoreError):
    """A write without an audit context was refused, by the framework or by the database."""


class PartlyApplied(ApiopsError):
    """Some projects were applied and some failed; the report says which."""

    exit_code = Exit.PARTIAL
