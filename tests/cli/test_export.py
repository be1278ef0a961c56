"""What the Manager holds becomes a repository again: on both engines, with the whole example."""

from pathlib import Path

import pytest
import yaml

from apiops.age import identities
from apiops.manager import embedded
from apiops.model.audit import AuditEntry, AuditQuery
from tests.golden.test_example import KEYS, REPO, Bank, person
from tests.people import GitStory
from tests.shop import AYSE, DENIZ, MERT, Done, Shop, run
from tests.sops import Holder, sops_decrypts

KEY_FILE = {"SOPS_AGE_KEY_FILE": str(KEYS / "age/production.txt")}
PRODUCTION = next(iter(identities.gather(KEY_FILE).keys))
MERTS = ("--as", "mert", "--sign-key", str(KEYS / "people/mert"), "--reason", "adopt")
ELIF = ("--as", "elif", "--sign-key", str(KEYS / "people/elif"), "--reason", "adopt")
NEW_OWNERS = ("--encrypt-to", PRODUCTION.public)


class Gateway(Bank):
    """The example, applied to a Manager on any engine."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self.folder = folder
        self.database = database
        self.begin()
        assert 0 == self.begun("apply", "--yes").code

    def run(self, *arguments: str, at: Path | None = None) -> Done:
        return run(
            *arguments,
            cwd=at or self.repository,
            APIOPS_TARGET="production",
            APIOPS_MANAGER=self.database,
            APIOPS_KEY_FILE=str(self.folder / "manager.key"),
            SOPS_AGE_KEY_FILE=str(KEYS / "age/production.txt"),
        )

    def export(self, *arguments: str, into: str = "export") -> Done:
        return self.run("export", "--into", str(self.folder / into), *arguments)

    def exported(self, into: str = "export") -> dict[str, bytes]:
        root = self.folder / into
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def moved(self) -> dict[str, bytes]:
        """What is exported, with the settings that a repository of its own needs."""
        return {**self.exported(), "apiops.toml": (REPO / "apiops.toml").read_bytes()}

    def entries(self, action: str) -> list[AuditEntry]:
        with embedded.open_manager(self.database, key_file=self.folder / "manager.key") as manager:
            return list(manager.entries(AuditQuery(action=action, limit=0)))


@pytest.fixture
def gateway(tmp_path: Path, database: str) -> Gateway:
    return Gateway(tmp_path, database)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    return shop


def changes(done: Done) -> list[dict[str, object]]:
    found: list[dict[str, object]] = done.json["plan"]["changes"]
    return found


def test_an_exported_gateway_plans_to_nothing_in_its_own_repository(gateway: Gateway) -> None:
    everything = ("--as", "ayse", "--sign-key", str(KEYS / "people/ayse"), "--reason", "move")
    assert 0 == gateway.export(*NEW_OWNERS, *everything).code
    old = [path.relative_to(REPO).as_posix() for path in REPO.rglob("*.yaml")]
    gone = {path: None for path in old if not path.startswith(".")}
    GitStory(gateway.repository).commit(
        person("ayse"), {**gone, **gateway.exported()}, "Begin again from the gateway"
    )
    assert () == tuple(gateway.run("validate", "-o", "json").json["diagnostics"])
    plan = gateway.run("plan", "-o", "json")
    assert (0, []) == (plan.code, changes(plan)), plan.err


def test_another_repository_adopts_nothing_of_it_without_being_told(gateway: Gateway) -> None:
    """What is exported belongs to the repository that applied it, until somebody says so."""
    everything = ("--as", "ayse", "--sign-key", str(KEYS / "people/ayse"), "--reason", "move")
    assert 0 == gateway.export(*NEW_OWNERS, *everything).code
    other = gateway.folder / "other"
    first = GitStory(other).commit(person("ayse"), gateway.moved(), "Take over")
    begun = ("--introduction", first, "--approver", "ayse")
    refused = gateway.run("apply", "--yes", *begun, at=other)
    assert (5, True) == (refused.code, "AO605" in refused.err)
    plan = gateway.run("plan", "-o", "json", "--allow", "adopt", *begun, at=other)
    assert {("update", True, ())} == {
        (one["action"], one["adopts"], tuple(one["fields"])) for one in changes(plan)
    }
    taken = gateway.run("apply", "--yes", "--allow", "adopt", *begun, at=other)
    assert 0 == taken.code, taken.out + taken.err
    assert "No changes." in gateway.run("plan", at=other).out


def test_sops_itself_opens_what_was_exported_and_the_log_names_every_secret(
    gateway: Gateway,
) -> None:
    assert 0 == gateway.export("--project", "payments", *NEW_OWNERS, *MERTS).code
    sealed = [path for path in gateway.exported() if path.endswith(".sops.yaml")]
    owner = Holder(PRODUCTION.public, str(PRODUCTION.key))
    plain = [
        yaml.safe_load(sops_decrypts(gateway.folder / "export" / path, owner)) for path in sealed
    ]
    assert sealed
    written = b"".join(gateway.exported().values())
    for values in plain:
        for value in values.values():
            assert value.encode() not in written
    entries = gateway.entries("open")
    assert sum(map(len, plain)) == len(entries)
    assert {("mert", "opened", "adopt")} == {
        (entry.principal, entry.outcome, entry.reason.text) for entry in entries
    }


def test_without_secrets_there_are_holes_that_validate_explains(gateway: Gateway) -> None:
    done = gateway.export("--kind", "Credential", "--name", "partner-a")
    assert (0, []) == (done.code, gateway.entries("open"))
    assert "hole: Credential/payments/partner-a needs password in " in done.err
    other = gateway.folder / "other"
    GitStory(other).commit(person("ayse"), gateway.moved(), "With a hole")
    told = gateway.run("validate", at=other)
    assert 3 == told.code
    assert "AO310" in told.out
    assert "apiops secrets encrypt" in told.out


def test_who_may_not_take_secrets_out_gets_holes_and_an_entry(gateway: Gateway) -> None:
    """Elif develops in payments, for dev and test; the secrets of production are not hers."""
    done = gateway.export("--project", "payments", "--kind", "Credential", *NEW_OWNERS, *ELIF)
    assert 4 == done.code
    assert "hole: Credential/payments/partner-a needs password in " in done.err
    assert not [path for path in gateway.exported() if ".sops." in path]
    entries = gateway.entries("open")
    assert {("elif", "denied")} == {(entry.principal, entry.outcome) for entry in entries}


def test_a_key_that_is_not_theirs_proves_nobody(gateway: Gateway) -> None:
    claimed = ("--as", "ayse", "--sign-key", str(KEYS / "people/elif"), "--reason", "adopt")
    done = gateway.export(*NEW_OWNERS, *claimed)
    assert (4, True) == (done.code, "AO502" in done.err)
    assert {} == gateway.exported()
    assert [] == gateway.entries("open")


def test_who_they_say_they_are_sees_what_they_may_see(shop: Shop) -> None:
    key = shop.person_key(DENIZ)
    done = shop.run("export", "--as", "deniz", "--sign-key", key)
    assert 0 == done.code
    kinds = [(one["kind"], one["metadata"].get("project")) for one in yaml.safe_load_all(done.out)]
    assert {("ApiProxy", "cards"), ("Membership", "cards")} == set(kinds)


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("--project", "cards"), {"cards", "deniz", "limits"}),
        (("--project", "system", "--kind", "User"), {"ayse", "deniz", "mert"}),
        (("--kind", "ApiProxy"), {"limits", "orders"}),
        (("--kind", "ApiProxy", "--kind", "Project"), {"cards", "limits", "orders", "payments"}),
        (("--kind", "ApiProxy", "--name", "orders"), {"orders"}),
    ],
)
def test_a_selection_narrows(shop: Shop, flags: tuple[str, ...], names: set[str]) -> None:
    done = shop.run("export", *flags)
    assert names == {one["metadata"]["name"] for one in yaml.safe_load_all(done.out)}


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--kind", "ApiProxie"), 64, 'did you mean "ApiProxy"?'),
        (("--name", "nothing"), 64, "AO909"),
        (("--encrypt-to", PRODUCTION.public), 64, "--as NAME --sign-key FILE"),
        (("--as", "ayse"), 64, "--sign-key"),
    ],
)
def test_flags_that_make_no_sense_are_told(
    shop: Shop, flags: tuple[str, ...], code: int, told: str
) -> None:
    done = shop.run("export", *flags)
    assert (code, True, "") == (done.code, told in done.err, done.out)


def test_secrets_are_not_for_stdout(shop: Shop) -> None:
    who = ("--as", "ayse", "--sign-key", shop.person_key(AYSE), "--reason", "look")
    done = shop.run("export", *NEW_OWNERS, *who)
    assert (64, True) == (done.code, "--into" in done.err)


def test_a_second_export_writes_nothing_and_what_is_not_ours_is_never_replaced(shop: Shop) -> None:
    assert 0 == shop.run("export", "--into", "out").code
    again = shop.run("export", "--into", "out")
    assert (0, "") == (again.code, again.out)
    mine = shop.repository / "out/projects/payments/api-proxies/orders.yaml"
    other = shop.repository / "out/projects/cards/api-proxies/limits.yaml"
    mine.write_text("mine\n")
    other.unlink()
    refused = shop.run("export", "--into", "out")
    assert (64, True) == (refused.code, "AO912" in refused.err)
    assert ("mine\n", False) == (mine.read_text(), other.exists())
    assert 0 == shop.run("export", "--into", "out", "--overwrite").code
    assert "kind: ApiProxy" in mine.read_text()
    assert other.exists()


@pytest.mark.parametrize("link", ["out/projects", "out/projects/cards/project.yaml"])
def test_nothing_is_written_through_a_link(shop: Shop, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    at = shop.repository / link
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(elsewhere / "file" if link.endswith(".yaml") else elsewhere)
    done = shop.run("export", "--into", "out", "--overwrite")
    assert (64, True) == (done.code, "AO912" in done.err)
    assert [] == list(elsewhere.iterdir())


def test_a_live_version_that_is_newer_than_the_running_one_is_told(shop: Shop) -> None:
    signed = ("--as", "mert", "--sign-key", shop.person_key(MERT), "--reason", "incident 4711")
    change = "spec.settings.connection.readTimeout=90"
    assert 0 == shop.run("manager", "set", "ApiProxy/payments/orders", change, *signed).code
    done = shop.run("export", "--name", "orders")
    assert "readTimeout: 90" in done.out
    assert "ApiProxy/payments/orders runs in dev with older content" in done.err
