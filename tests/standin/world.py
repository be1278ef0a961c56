"""What the stand-in holds: projects, environments, users with tokens, and everything inside."""

import copy
import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]


@dataclass
class User:
    """The owner of a token: its memberships and roles are the token's (§1.2)."""

    name: str
    admin: bool = False
    rights: set[tuple[str, str]] | None = None
    expired: bool = False
    until: datetime | None = None

    def sees(self, project: str | None) -> bool:
        return self.rights is None or any(project == there for there, _ in self.rights)

    def may(self, project: str | None, right: str) -> bool:
        """`rights` are (project, CATEGORY.ACTION); None is everything."""
        return self.rights is None or project is None or (project, right) in self.rights


@dataclass
class Proxy:
    """An API proxy as the Manager stores it: one row of everything (§2.5)."""

    id: str
    name: str
    kind: str
    creation: str
    description: str | None
    client_route: Json
    routing: Json
    soap_to_rest: bool = False
    metadata: Json = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    routings: dict[str, Json] = field(default_factory=dict)
    endpoints: list[Json] = field(default_factory=list)
    policies: dict[tuple[str, str, str], list[Json]] = field(default_factory=dict)
    traffic: dict[str, Json] = field(default_factory=dict)
    deployed: dict[str, Json] = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    text: str = ""
    parses: int = 0

    def touch(self) -> None:
        """§2.5.6: what is saved and not deployed asks for a redeploy wherever it runs."""
        for record in self.deployed.values():
            record["redeployRequired"] = record["deployed"]


@dataclass
class Project:
    """A project and what it owns, by name in the order of creation."""

    id: str
    name: str
    description: str = ""
    path: str = ""
    proxies: dict[str, Proxy] = field(default_factory=dict)
    credentials: dict[str, Json] = field(default_factory=dict)
    connections: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    ip_groups: dict[str, Json] = field(default_factory=dict)
    certificates: dict[str, Json] = field(default_factory=dict)
    providers: dict[str, Json] = field(default_factory=dict)
    more: dict[str, dict[str, Json]] = field(default_factory=dict)
    shared: dict[str, list[Json]] = field(default_factory=dict)


class World:
    """The state, behind one lock: the Manager has no concurrency control (§1.9), Python needs it."""

    def __init__(self, *quirks: str) -> None:
        self.quirks = set(quirks)
        self.projects: dict[str, Project] = {}
        self.environments: dict[str, Json] = {}
        self.users: dict[str, User] = {}
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.refusing: set[tuple[str, str]] = set()
        self.documents: dict[str, str] = {}
        self.presets: dict[str, dict[str, Json]] = {}
        self.geolocation: Json = {"enabled": False, "mmdbFileUploaded": False}
        self.gateway: Json = {
            "defaultConnectTimeoutSeconds": 10, "defaultStreamTimeoutSeconds": 120, "defaultRetryCount": 0,
            "maxAiRequestBodyBytes": 10485760, "maxAiBinaryRequestBodyBytes": 26214400,
            "maxAiBinaryResponseBodyBytes": 26214400, "maxToolTurns": 5,
        }  # fmt: skip
        self.expires_after: int | None = None
        self.ahead = timedelta()
        """By how much its clock is ahead of everybody else's."""
        self.violations: list[str] = []
        self.lock = threading.RLock()
        self._made = 0

    def copy(self) -> "World":
        """The same state in a world of its own, which was asked nothing yet."""
        own = ("lock", "requests", "bodies")
        other = World(*self.quirks)
        with self.lock:
            state = {name: value for name, value in vars(self).items() if name not in own}
            vars(other).update(copy.deepcopy(state))
        return other

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def id(self) -> str:
        """24 hex digits (§1.7)."""
        self._made += 1
        return hashlib.sha256(str(self._made).encode()).hexdigest()[:24]

    def add_project(self, name: str, description: str = "", path: str = "") -> Project:
        return self.projects.setdefault(name, Project(self.id(), name, description, path))

    def add_environment(self, name: str, kind: str = "TEST") -> None:
        self.environments[name] = {
            "id": self.id(), "name": name, "description": "", "type": kind,
            "accessUrl": f"https://{name}.gateway.example", "status": "PUBLISHED",
        }  # fmt: skip

    def add_user(self, token: str, **more: Any) -> User:
        self.users[token] = User(more.pop("name", "robot"), **more)
        return self.users[token]

    def deploys(self, proxy: str, environment: str) -> bool:
        """Whether the workers take it: `refusing` makes one environment fail (§1.5)."""
        return (proxy, environment) not in self.refusing

    def result(self, outcomes: dict[str, bool]) -> Json:
        """deploymentResult in one of its four shapes (1.10 #10)."""
        good = all(outcomes.values())
        if "deployment-results" in self.quirks:
            rows = [
                {"environmentName": e, "success": ok, "message": _said(ok)}
                for e, ok in outcomes.items()
            ]
            return {"success": good, "deploymentResults": rows}
        if "environment-results" in self.quirks:
            rows = [
                {"environmentName": e, "success": ok, "message": _said(ok)}
                for e, ok in outcomes.items()
            ]
            return {"success": good, "message": _said(good), "environmentResults": rows}
        if "deployed-lists" in self.quirks:
            return {
                "deployed": good,
                "deployedEnvironments": [e for e, ok in outcomes.items() if ok],
                "failedEnvironments": [e for e, ok in outcomes.items() if not ok],
            }
        pods = [
            {"success": ok, "envName": e, "podName": f"worker-{e}", "podIp": "127.0.0.1",
             "detail": _said(ok), "responseTime": 12, "detailList": []}
            for e, ok in outcomes.items()
        ]  # fmt: skip
        return {"success": good, "responseTime": 12, "detailList": pods}


def _said(ok: bool) -> str:
    return "deployed" if ok else "Connection refused"
