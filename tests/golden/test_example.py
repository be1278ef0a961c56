"""The example repository: it loads everywhere, means what its README says, and looks as it did."""

import functools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from apiops.access import decide, grants
from apiops.age import editing, identities
from apiops.errors import SecretError
from apiops.git.signing import SigningKey
from apiops.model.access import Category, Scope, Tier, Verb
from apiops.model.kinds import KINDS
from apiops.model.resource import Target
from apiops.spec import load
from apiops.spec.load import Loaded
from tests.people import GitStory, Person
from tests.process import child
from tests.shop import Done, run
from tests.snapshots import directory
from tests.sops import Holder, sops_decrypts

ROOT = Path(__file__).parents[2]
REPO = ROOT / "examples/repo"
KEYS = ROOT / "examples/keys"
GOLDEN = Path(__file__).parent / "example"
TARGETS = ("dev", "test", "production")
PEOPLE = sorted(file.stem for file in (KEYS / "people").glob("*.pub"))
SEALED = sorted(
    path.relative_to(REPO).as_posix()
    for path in REPO.rglob("*.yaml")
    if "ENC[AES256_GCM" in path.read_text(encoding="utf-8")
)
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@cache
def loaded(target: str) -> Loaded:
    return load.load(directory(REPO), Target(target, target))


def specs(kind: str) -> Iterator[tuple[str, Any]]:
    for resource in loaded("production").desired.resources:
        if resource.id.kind == kind:
            yield resource.id.name, resource.spec


@pytest.mark.parametrize("target", TARGETS)
def test_it_loads_for_every_target_without_a_finding(target: str) -> None:
    assert () == loaded(target).diagnostics
    assert {} == loaded(target).desired.stopped


def test_it_shows_every_kind_of_resource_and_most_ways_to_make_a_proxy() -> None:
    resources = loaded("production").desired.resources
    assert set(KINDS) == {resource.id.kind for resource in resources}
    assert {"OPEN_API", "REVERSE_PROXY", "WSDL", "EMPTY_API", "AI", "MCP"} == {
        spec["type"] for _, spec in specs("ApiProxy")
    }
    assert 60 <= len(resources) <= 100


# --- keys and secrets


@cache
def identity(target: str) -> identities.Identities:
    return identities.gather({"SOPS_AGE_KEY_FILE": str(KEYS / f"age/{target}.txt")})


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", SEALED)
def test_a_targets_own_secrets_open_with_its_own_key_alone(path: str, target: str) -> None:
    file = REPO / path
    if path.startswith("targets/") and not path.startswith(f"targets/{target}/"):
        with pytest.raises(SecretError) as refused:
            editing.decrypt(path, file.read_bytes(), identity(target))
        assert "AO402" == refused.value.code
    else:
        assert b"ENC[" not in editing.decrypt(path, file.read_bytes(), identity(target))


@pytest.mark.parametrize("path", SEALED)
def test_sops_itself_opens_what_is_sealed(path: str) -> None:
    key = next(iter(identity(path.split("/")[1] if "targets/" in path else "dev").keys))
    holder = Holder(key.public, str(key.key))
    assert b"ENC[" not in sops_decrypts(REPO / path, holder)


@pytest.mark.parametrize("name", PEOPLE)
def test_each_person_signs_with_the_key_that_their_user_lists(name: str) -> None:
    public = (KEYS / f"people/{name}.pub").read_text(encoding="utf-8").strip()
    listed = {user: [key["key"] for key in spec["keys"]] for user, spec in specs("User")}
    assert set(PEOPLE) == set(listed)
    assert [public] == listed[name]
    assert public.startswith(person(name).key.public_line())


def test_every_key_says_that_it_protects_nothing() -> None:
    for file in (path for path in KEYS.rglob("*") if path.is_file()):
        assert re.search("protects? nothing", file.read_text(encoding="utf-8").lower()), file


# --- what a reader sees


def manifests() -> list[Path]:
    return [
        path
        for path in sorted(REPO.rglob("*.yaml"))
        if "\napiVersion: " in path.read_text(encoding="utf-8") and "targets" not in path.parts
    ]


@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.relative_to(REPO).as_posix())
def test_an_editor_finds_the_schema_of_each_manifest(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    modeline = MODELINE.match(text)
    assert modeline is not None
    schema = (path.parent / modeline[1]).resolve()
    assert ROOT / "schemas" == schema.parent
    assert {schema.stem} == set(re.findall(r"^kind: (\S+)$", text, re.MULTILINE))
    assert schema.exists()


def pointers(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node["$ref"],) if "$ref" in node else ()
        node = list(node.values())
    for inner in node if isinstance(node, list) else ():
        yield from pointers(inner)


@pytest.mark.parametrize("name", [n for n, s in specs("ApiProxy") if s["type"] == "OPEN_API"])
def test_a_proxy_and_its_openapi_document_speak_of_the_same_endpoints(name: str) -> None:
    (document,) = REPO.rglob(f"{name}.openapi.yaml")
    tree = yaml.safe_load(document.read_text(encoding="utf-8"))
    spec = dict(specs("ApiProxy"))[name]
    routes = {(path, verb.upper()) for path, verbs in tree["paths"].items() for verb in verbs}
    steps = [*(spec.get("policies") or {}).get("request", ())]
    named = [(step["at"]["endpoint"], step["at"]["httpMethod"]) for step in steps if "at" in step]
    named += [(point["name"], point["httpMethod"]) for point in spec.get("endpoints", ())]
    assert routes >= set(named)
    for pointer in pointers(tree):
        functools.reduce(dict.__getitem__, pointer.removeprefix("#/").split("/"), tree)
    (route, *_) = spec["clientRoute"]["relativePathList"]
    assert tree["servers"][0]["url"].endswith(route)


def test_certificates_are_real_and_say_that_they_are_for_tests() -> None:
    for file in REPO.rglob("*.pem"):
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        assert "TEST ONLY" in certificate.subject.rfc4514_string()
        assert b"PRIVATE KEY" not in file.read_bytes()


def test_no_host_is_named_that_could_exist() -> None:
    hosts = re.compile(r"(?:https?://|@|//@)([A-Za-z0-9.-]+\.[a-z]+)")
    outside = {"schemas.xmlsoap.org", "www.w3.org"}
    for path in (path for path in REPO.rglob("*") if path.suffix in (".yaml", ".toml", ".wsdl")):
        found = set(hosts.findall(path.read_text(encoding="utf-8"))) - outside
        assert {True} >= {host.endswith(".example") for host in found}, (path, found)


def test_the_lines_that_the_demo_edits_are_there_once() -> None:
    text = (REPO / "projects/payments/proxies/orders.yaml").read_text(encoding="utf-8")
    assert 1 == text.count("messageCountForInterval: 100")
    assert 1 == text.count("readTimeout: 60")


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ("dev", {"ayse", "elif", "mert", "zeynep"}),
        ("test", {"ayse", "elif", "mert", "zeynep"}),
        ("production", {"ayse", "mert", "zeynep"}),
    ],
)
def test_developers_deploy_to_dev_and_test_and_leads_and_release_to_production(
    environment: str, who: set[str]
) -> None:
    resources = loaded("production").desired.resources
    held = grants.build((resource.id, resource.spec) for resource in resources)
    scope = Scope(Tier.TEAM, "payments", environment)
    assert () == held.faults
    assert who == set(decide.who(held, Verb.DEPLOY_UNDEPLOY, Category.API_MANAGEMENT, scope))


# --- golden


@cache
def person(name: str) -> Person:
    key = SigningKey.load((KEYS / f"people/{name}").read_bytes())
    return Person(name.title(), f"{name}@bank.example", key)


class Bank:
    """The example as a repository with one signed commit, and a Manager for production."""

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "repo"
        files = {
            path.relative_to(REPO).as_posix(): path.read_bytes()
            for path in sorted(REPO.rglob("*"))
            if path.is_file()
        }
        self.story = GitStory(self.repository)
        self.first = self.story.commit(person("ayse"), files, "Describe the bank")

    def run(self, *arguments: str) -> Done:
        return run(
            *arguments,
            cwd=self.repository,
            APIOPS_TARGET="production",
            SOPS_AGE_KEY_FILE=str(KEYS / "age/production.txt"),
        )

    def begin(self) -> None:
        key = str(KEYS / "people/ayse.pub")
        assert 0 == self.run("manager", "init", "--admin", "ayse", "--admin-key", key).code

    def begun(self, verb: str, *flags: str) -> Done:
        return self.run(verb, "--introduction", self.first, "--approver", "ayse", *flags)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def as_golden(name: str, shown: str, *, update: bool) -> tuple[str, str]:
    path = GOLDEN / name
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    return path.read_text(encoding="utf-8"), shown


def without_ids(text: str, first: str) -> str:
    """The text without what differs from run to run: commit, and digest of the plan."""
    text = text.replace(first, "<commit>").replace(first[:7], "<commit>")
    digest = re.search(r"--approve ([0-9a-f]{8,})", text)
    return text.replace(digest[1], "<digest>") if digest else text


def test_validating_it_looks_as_it_did(bank: Bank, update_golden: bool) -> None:
    done = bank.run("validate")
    before, now = as_golden("validate.txt", done.out, update=update_golden)
    assert (0, before) == (done.code, now)


@pytest.mark.parametrize(("format", "name"), [("text", "plan.txt"), ("markdown", "plan.md")])
def test_the_first_plan_for_production_looks_as_it_did(
    bank: Bank, format: str, name: str, update_golden: bool
) -> None:
    bank.begin()
    done = bank.begun("plan", "-o", format)
    shown = without_ids(done.out, bank.first)
    before, now = as_golden(name, shown, update=update_golden)
    assert (0, before) == (done.code, now), done.err


def test_after_the_first_apply_nothing_is_left_to_do(bank: Bank) -> None:
    bank.begin()
    assert 0 == bank.begun("apply", "--yes").code
    assert "No changes." in bank.run("plan").out


def test_the_picture_in_the_readme_is_what_a_terminal_of_100_columns_shows(bank: Bank) -> None:
    bank.begin()
    assert 0 == bank.begun("apply", "--yes").code
    orders = "projects/payments/proxies/orders.yaml"
    text = (REPO / orders).read_text(encoding="utf-8")
    raised = text.replace("messageCountForInterval: 100", "messageCountForInterval: 250")
    bank.story.commit(person("mert"), {orders: raised}, "Raise the order limit for the season")
    done = child(
        *("plan", "--target", "production"),
        cwd=bank.repository,
        SOPS_AGE_KEY_FILE=str(KEYS / "age/production.txt"),
        FORCE_COLOR="1",
        NO_COLOR="1",
        COLUMNS="100",
    )
    picture = (ROOT / "README.md").read_text(encoding="utf-8").split("```text\n")[1]
    varying = re.compile(r"\b[0-9a-f]{7,8}\b|\d+(?= unchanged)")
    assert varying.sub("…", picture.split("```")[0]) == varying.sub("…", done.out), done.err


@pytest.mark.parametrize(
    ("resource", "assignment"),
    [
        ("ApiProxy/payments/orders", "spec.settings.connection.readTimeout=90"),
        ("Certificate/cards/card-scheme", "spec.description=Renewed in spring"),
        ("Credential/payments/partner-b", "spec.enabled=false"),
        ("Connection/payments/incident-hook", "spec.timeout=9"),
    ],
)
def test_what_zeynep_changes_by_hand_is_drift_until_the_next_sync(
    bank: Bank, resource: str, assignment: str
) -> None:
    bank.begin()
    assert 0 == bank.begun("apply", "--yes").code
    signed = ("--as", "zeynep", "--sign-key", str(KEYS / "people/zeynep"))
    done = bank.run("manager", "set", resource, assignment, *signed, "--reason", "incident 4711")
    assert 0 == done.code, done.err
    assert resource in bank.run("drift").out
    assert 0 == bank.run("sync").code
    assert "No changes." in bank.run("plan").out
