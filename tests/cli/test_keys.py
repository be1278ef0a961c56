"""The Manager's keys through the command line, and every place that a wrapping key can come from."""

import signal
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from apiops.age import identities
from apiops.errors import Exit
from apiops.manager import providers
from apiops.model.plan import Action
from apiops.model.resource import ResourceId
from tests import postgres, process
from tests.managers import House, a_context, a_write, secret_resource, settle, write_batch
from tests.people import person
from tests.shop import run

SECRETS = 250


class Safe:
    """A Manager with secrets, a folder with settings, and commands as ayse, its admin."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        folder.mkdir()
        self.variables: dict[str, str] = {}
        self.set(f'key-file = "{house.key_file}"')
        for name in ("ayse", "mert"):
            key = folder / name
            key.write_bytes(person(name).key.private_bytes())
            key.chmod(0o600)
        keys = {"keys": [{"key": person("mert").public_line}]}
        mert = ResourceId("User", None, "mert")
        house.manager.change(mert, keys, principal="ayse", context=a_context())

    def set(self, line: str) -> None:
        url = make_url(self.house.url).render_as_string(hide_password=False)
        (self.folder / "apiops.toml").write_text(f'[targets.t]\nmanager = "{url}"\n{line}\n')

    def run(self, *words: str | Path, code: int = 0):
        done = run("manager", *words, cwd=self.folder, **self.variables)
        assert code == done.code, done.err
        return done

    def keys(self, *words: str | Path, by: str = "ayse", code: int = 0):
        proof = ("--as", by, "--sign-key", by, "--reason", "yearly")
        return self.run("keys", *words, *proof, code=code)

    def listed(self):
        found = self.run("keys", "list", "-o", "json").json["keys"]["keys"]
        return {(one["purpose"], one["kid"]): one for one in found}


@pytest.fixture
def safe(house, tmp_path):
    settle(house.manager)
    made = [secret_resource(house.manager, f"s{n}", f"app{n}") for n in range(3)]
    writes = [a_write(Action.CREATE, one, secrets=plain) for one, plain in made]
    write_batch(house.manager, *writes, base=1, number=2)
    return Safe(house, tmp_path / "safe")


@pytest.fixture
def quick(tmp_path):
    with House(f"sqlite:///{tmp_path / 'manager.db'}", tmp_path / "manager.key") as house:
        settle(house.manager)
        yield Safe(house, tmp_path / "safe")


PRODUCTION = ("--environment", "production")


def test_keys_are_listed_with_what_they_seal_and_never_shown(safe):
    shown = safe.run("keys", "list").out
    assert "production" in shown
    assert "apf1" not in shown + str(safe.listed())
    assert 3 == safe.listed()["seal", "v1"]["values"]


def test_a_rotation_leaves_nothing_under_the_old_key_which_is_then_retired(safe):
    safe.keys("rotate", *PRODUCTION)
    listed = safe.listed()
    assert ("retiring", 0) == (listed["seal", "v1"]["state"], listed["seal", "v1"]["values"])
    assert ("active", 3) == (listed["seal", "v2"]["state"], listed["seal", "v2"]["values"])
    assert "AO733" in safe.keys("retire", "v2", *PRODUCTION, code=6).err
    safe.keys("retire", "v1", *PRODUCTION)
    assert "retired" == safe.listed()["seal", "v1"]["state"]


def test_signing_keys_overlap_and_a_stolen_one_ends_at_once(quick):
    quick.keys("rotate", "--purpose", "sign")
    quick.keys("rotate", "--purpose", "sign", "--prepare")
    states = sorted(
        one["state"] for (purpose, _), one in quick.listed().items() if purpose == "sign"
    )
    assert ["active", "pending"] == states
    quick.keys("rotate", "--purpose", "sign")
    (old,) = (kid for (_, kid), one in quick.listed().items() if one["state"] == "retiring")
    assert "AO733" in quick.keys("retire", old, "--purpose", "sign", code=6).err
    quick.keys("retire", old, "--purpose", "sign", "--compromised")
    assert "retired" == quick.listed()["sign", old]["state"]


def test_keys_are_the_system_tiers(safe):
    assert Exit.DENIED == safe.keys("rotate", *PRODUCTION, by="mert", code=4).code
    stolen = ("--as", "ayse", "--sign-key", "mert", "--reason", "x")
    assert "AO502" in safe.run("keys", "rotate", *PRODUCTION, *stolen, code=4).err
    assert (
        "AO910"
        in safe.run(
            *("keys", "rotate", *PRODUCTION, "--as", "ayse", "--sign-key", "ayse", "--reason", " "),
            code=64,
        ).err
    )
    assert {"v1"} == {kid for purpose, kid in safe.listed() if purpose == "seal"}


def test_a_misspelled_environment_has_no_keys(safe):
    assert "AO732" in safe.keys("rotate", "--environment", "prod", code=6).err


def test_an_interrupted_rotation_goes_on_and_makes_no_third_key(quick):
    made = [secret_resource(quick.house.manager, f"s{n}", f"app{n}") for n in range(SECRETS)]
    writes = [a_write(Action.CREATE, one, secrets=plain) for one, plain in made]
    write_batch(quick.house.manager, *writes, base=1, number=2)
    words = ("keys", "rotate", *PRODUCTION, "--as", "ayse", "--sign-key", "ayse", "--reason", "y")
    with subprocess.Popen(
        process.command("manager", *words), cwd=quick.folder, env=process.environment()
    ) as rotating:
        while len(quick.house.manager.keys.versions()) < 3 and rotating.poll() is None:
            pass
        rotating.send_signal(signal.SIGKILL)
    quick.keys("rotate", *PRODUCTION)
    listed = quick.listed()
    assert 0 == sum(
        one["values"] for (_, kid), one in listed.items() if kid == "v1" and one["values"]
    )
    assert SECRETS == sum(one["values"] or 0 for one in listed.values())
    assert quick.house.manager.verify().first_bad is None


# ── where the wrapping key comes from ─────────────────────────────────────────────────────────


@pytest.fixture
def age(tmp_path, quick):
    """An age identity at hand, as a pipeline has it."""
    text, public = identities.generate()
    (tmp_path / "identity").write_text(text)
    quick.variables["SOPS_AGE_KEY_FILE"] = str(tmp_path / "identity")
    return public


def rewrapped(safe, setting, *more):
    """Go over to another wrapping key, and see that the former opens nothing."""
    safe.keys("rewrap", setting, *more)
    assert "AO723" in safe.run("keys", "list", code=6).err
    safe.set(f'wrapping-key = "{setting}"')
    assert safe.listed()


def test_a_wrapping_key_for_age_recipients(quick, age):
    text, spare = identities.generate()
    rewrapped(quick, "age:manager.key.age", "--recipient", spare)
    content = (quick.folder / "manager.key.age").read_text()
    assert content.startswith("-----BEGIN AGE ENCRYPTED FILE-----")
    assert 0o600 == (quick.folder / "manager.key.age").stat().st_mode & 0o777
    (quick.folder / "spare").write_text(text)
    quick.variables["SOPS_AGE_KEY_FILE"] = str(quick.folder / "spare")
    assert quick.listed()  # the recipient that was added opens it as well
    (quick.folder / "spare").write_text(identities.generate()[0])
    assert "AO402" in quick.run("keys", "list", code=6).err
    del quick.variables["SOPS_AGE_KEY_FILE"]
    assert "AO401" in quick.run("keys", "list", code=6).err


def test_a_wrapping_key_from_a_passphrase(quick):
    file = quick.folder / "words"
    file.write_text("too short\n")
    file.chmod(0o600)
    assert "AO723" in quick.keys("rewrap", "passphrase:words", code=6).err
    file.write_text("correct horse battery staple galvanic\n")
    rewrapped(quick, "passphrase:words")
    file.write_text("correct horse battery staple galvanic?\n")
    assert "AO723" in quick.run("keys", "list", code=6).err
    file.chmod(0o644)
    assert "AO722" in quick.run("keys", "list", code=6).err


PLUGIN = """
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from apiops.errors import SecretError

class Token:
    def __init__(self, lineage, *, label):
        self.kid = label
        self._cipher = AESGCM(bytes(31) + label[-1:].encode())

    def wrap(self, key, bound):
        return bytes(12) + self._cipher.encrypt(bytes(12), key, bound)

    def unwrap(self, wrapped, bound):
        try:
            return self._cipher.decrypt(wrapped[:12], wrapped[12:], bound)
        except InvalidTag:
            raise SecretError("the token refuses", code="AO724") from None
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed package with a plugin, as pip leaves it."""
    site = tmp_path / "site"
    (site / "token-1.dist-info").mkdir(parents=True)
    (site / "token_plugin.py").write_text(PLUGIN)
    (site / "token-1.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: token\nVersion: 1\n"
    )
    (site / "token-1.dist-info/entry_points.txt").write_text(
        f"[{providers.GROUP}]\ntoken = token_plugin:Token\n"
    )
    monkeypatch.syspath_prepend(str(site))  # as if it were installed; it goes with the test


def test_a_wrapping_key_in_a_device_that_a_package_offers(quick, plugin):
    rewrapped(quick, "plugin:token?label=kek-1")
    assert {"kek-1"} == {one["wrapper"] for one in quick.listed().values()}
    quick.set('wrapping-key = "plugin:token?label=kek-2"')
    assert "AO723" in quick.run("keys", "list", code=6).err


@pytest.mark.parametrize("name", ["nothing", "os:system", "../x", ""])
def test_only_an_installed_plugin_is_loaded(quick, plugin, name):
    quick.set(f'wrapping-key = "plugin:{name}"')
    found = quick.run("keys", "list", code=6 if name else 64)
    assert ("token" in found.err) if name else ("AO908" in found.err)


@pytest.mark.parametrize("setting", ["x", "file", "vault:x", "age:"])
def test_a_setting_that_names_no_wrapping_key_is_refused(quick, setting):
    quick.set(f'wrapping-key = "{setting}"')
    assert "AO908" in quick.run("keys", "list", code=64).err


def test_a_manager_begins_with_any_of_them(quick, age):
    folder = quick.folder
    (folder / "words").write_text("correct horse battery staple galvanic\n")
    (folder / "words").chmod(0o600)
    (folder / "ayse.pub").write_text(person("ayse").public_line)
    for number, setting in enumerate(("age:new.age", "passphrase:words", "file:new.key")):
        (folder / "apiops.toml").write_text(
            f'[targets.t]\nmanager = "sqlite:///m{number}.db"\nwrapping-key = "{setting}"\n'
        )
        quick.run("init", "--admin", "ayse", "--admin-key", "ayse.pub")
        assert {("digest", "v1")} == set(quick.listed())


# ── two roles on PostgreSQL ───────────────────────────────────────────────────────────────────


def test_the_manager_runs_as_a_role_that_owns_nothing(postgres_url, tmp_path):
    role = f"apiops_app_{postgres_url.query['options'][-12:]}"
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "ayse.pub").write_text(person("ayse").public_line)
    app = postgres_url.set(username=role).render_as_string(hide_password=False)
    owner = postgres_url.render_as_string(hide_password=False)
    (folder / "apiops.toml").write_text(f'[targets.t]\nmanager = "{app}"\nkey-file = "key"\n')
    with postgres.connect(postgres_url) as connection, postgres.role(connection, role):
        words = ("manager", "init", "--admin", "ayse", "--admin-key", "ayse.pub")
        done = run(*words, "--owner-url", owner, cwd=folder)
        assert 0 == done.code, done.err
        assert 0 == run("manager", "migrate", "--owner-url", owner, cwd=folder).code
        assert 0 == run("audit", "verify", cwd=folder).code
        owned = "SELECT count(*) FROM pg_tables WHERE tableowner = %s"
        assert (0,) == connection.execute(owned, (role,)).fetchone()
        assert 64 == run("manager", "migrate", "--app-role", role, cwd=folder).code
        both = ("--owner-url", owner, "--app-role", "postgres")
        assert 64 == run("manager", "migrate", *both, cwd=folder).code
