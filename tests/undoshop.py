"""The bank with a secret, and the command line to undo runs on it.

estate = Estate(tmp_path, database)        the bank, applied, on any engine
run = estate.applied(MERT, {FILE: text})   a commit and its apply; the run's id
estate.suspended(); estate.undone(run)     the way back, looked at and taken
"""

from pathlib import Path
from typing import Any

from apiops.age import writing
from apiops.manager import embedded
from apiops.model.audit import AuditContext, Reason, Source
from apiops.model.resource import ResourceId
from tests.people import Person
from tests.shop import AYSE, Done, Shop, a_proxy, the_bank
from tests.sops import to

ORDERS, APP, SECRET = "payments/orders.yaml", "payments/app.yaml", "payments/app.sops.yaml"
CREDENTIAL = ResourceId("Credential", "payments", "app")
PLAIN, NEWER = b"first password", b"second password"


class Estate(Shop):
    """The bank on any engine, with a credential whose password is encrypted in the repository."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self.database = database
        self.key_file = folder / "manager.key"
        self.variables = {
            "APIOPS_MANAGER": database,
            "APIOPS_KEY_FILE": str(self.key_file),
            "SOPS_AGE_KEY": self.identity,
        }
        self.begin({**the_bank(), APP: credential(), SECRET: self.sealed(PLAIN)})

    def sealed(self, password: bytes) -> bytes:
        return writing.encrypt(SECRET, b"password: " + password + b"\n", to(self.recipient)).content

    def open_manager(self) -> embedded.EmbeddedManager:
        return embedded.open_manager(self.database, key_file=self.key_file)

    def applied(self, who: Person, files: dict[str, Any], message: str = "Change") -> str:
        """Commit, apply, and give the run's id."""
        self.commit(who, files, message)
        done = self.run("apply", "--yes", "-o", "json")
        assert 0 == done.code, done.out + done.err
        return str(done.json["report"]["run"])

    def suspended(self) -> None:
        assert 0 == self.by_hand("suspend").code

    def by_hand(self, *command: str, who: Person = AYSE) -> Done:
        by = ("--as", who.name.lower(), "--sign-key", str(self.person_key(who)))
        return self.run(*command, *by, "--reason", "incident 4711")

    def undone(self, run: str, *more: str, who: Person = AYSE) -> Done:
        """Look at the way back, and take it."""
        shown = self.by_hand("undo", run, *more, "--no-input", who=who)
        if "--approve" not in shown.err:
            return shown
        digest = shown.err.rsplit("--approve ", 1)[1][:8]
        return self.by_hand("undo", run, *more, "--approve", digest, who=who)

    def state(self) -> list[tuple[object, ...]]:
        """Everything that the Manager holds."""
        with self.open_manager() as manager:
            return [
                (
                    str(one.id),
                    dict(one.spec),
                    dict(one.labels),
                    one.protected,
                    [(run.environment, run.digest) for run in one.deployments],
                )
                for one in manager.read("", "").resources
            ]

    def password(self) -> bytes:
        """What the Manager opens for an admin."""
        context = AuditContext("ayse", "ayse", Reason("look"), "look", Source.CONSOLE)
        with self.open_manager() as manager:
            found = manager.open_secrets([CREDENTIAL], principal="ayse", context=context)
        return found.values[CREDENTIAL]["/password"].reveal()


def credential(more: str = "") -> str:
    return (
        "apiVersion: apiops/v1\nkind: Credential\nmetadata: {name: app, project: payments}\n"
        "spec:\n  email: app@bank.example\n  fullName: App\n"
        f"  password: {{$secret: 'app.sops.yaml#password'}}\n{more}"
    )


def waiting(timeout: int) -> str:
    return a_proxy("orders").replace("readTimeout: 60", f"readTimeout: {timeout}")
