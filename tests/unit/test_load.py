"""Loading a snapshot: which files count, what stops what, what content digests depend on."""

from pathlib import Path

import pytest
import yaml

from apiops.age.identities import gather
from apiops.age.keyring import AgeKeyring
from apiops.model.diagnostic import Severity
from apiops.model.resource import FileMode, ResourceId, Target
from apiops.model.secret import leaf_of
from apiops.spec.documents import Documents
from apiops.spec.load import Loaded, load
from apiops.spec.views import Reader
from tests.snapshots import TEST, commit, snapshot

PRODUCTION = Target("production", "production")
TOKEN = "ENC[AES256_GCM,data:c2VjcmV0,iv:aXY=,tag:dGFn,type:str]"
OTHER_TOKEN = TOKEN.replace("c2Vj", "b3Ro")
SOPS = "sops: {age: [], version: 3.11.0}\n"


def manifest(kind: str, name: str, spec: str, project: str | None = "payments") -> str:
    owner = f", project: {project}" if project else ""
    return f"apiVersion: apiops/v1\nkind: {kind}\nmetadata: {{name: {name}{owner}}}\nspec: {spec}\n"


def offices(name: str = "offices", project: str = "payments") -> str:
    return manifest("IpGroup", name, "{ipList: [203.0.113.0/24]}", project)


def partner(password: str) -> str:
    return manifest(
        "Credential", "partner", f"{{email: a@b.example, fullName: A, password: {password}}}"
    )


ORDERS = manifest(
    "ApiProxy",
    "orders",
    "{type: OPEN_API, source: {file: orders.json}, clientRoute: {relativePathList: [/orders]},"
    ' routing: {addresses: [{address: "https://${param:environment}.example", weight: 1}]},'
    " deployments: [{environment: test}, {environment: production}]}",
)
REPOSITORY = {
    "orders.yaml": ORDERS,
    "orders.json": "{}",
    "partner.yaml": partner("{$secret: secrets.sops.yaml#partner}"),
    "secrets.sops.yaml": f"partner: {TOKEN}\n{SOPS}",
    "ada.yaml": manifest("User", "ada", "{fullName: Ada}", None),
}
PROXY = ResourceId("ApiProxy", "payments", "orders")
CREDENTIAL = ResourceId("Credential", "payments", "partner")


def loaded(files: dict[str, str], target: Target = TEST) -> Loaded:
    return load(snapshot(files), target)


def contents(files: dict[str, str], target: Target = TEST) -> dict[ResourceId, str]:
    found = loaded(files, target)
    assert () == found.diagnostics
    return {resource.id: resource.content for resource in found.desired.resources}


@pytest.mark.parametrize(
    ("path", "mode", "code"),
    [
        ("more.yaml", FileMode.SYMLINK, "AO120"),
        ("more", FileMode.SYMLINK, "AO120"),
        ("more", FileMode.SUBMODULE, "AO121"),
        ("targets/test/params.yaml", FileMode.SYMLINK, "AO120"),
        ("targets/test/patches/p.yaml", FileMode.SYMLINK, "AO120"),
    ],
)
def test_what_is_no_file_but_might_hide_manifests_stops_everything(
    path: str, mode: FileMode, code: str
) -> None:
    files = snapshot({"a.yaml": offices(), path: "elsewhere"}, {path: mode})
    found = load(files, TEST)

    assert [(code, path)] == [(one.code, str(one.location)) for one in found.diagnostics]
    assert {"*": code, "payments": code, "system": code} == found.desired.stopped
    assert found.desired.stops("a project that only the Manager knows")
    seen = Reader(TEST).read(files).view(commit())
    assert seen.is_broken("a project that only the Manager knows")


def test_a_git_lfs_pointer_in_place_of_a_manifest_stops_everything() -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"

    found = loaded({"a.yaml": pointer, "b.yaml": offices()})

    assert ["AO122"] == [one.code for one in found.diagnostics]
    assert "*" in found.desired.stopped


def test_links_beside_manifests_and_hidden_folders_are_nobodys_business() -> None:
    files = {"a.yaml": offices(), "CLAUDE.md": "README.md", ".github/x.yaml": "a: [", "x.txt": "["}

    found = load(snapshot(files, {"CLAUDE.md": FileMode.SYMLINK}), TEST)

    assert () == found.diagnostics


def test_a_template_of_another_tool_is_worth_a_warning_and_stops_nothing() -> None:
    found = loaded({"a.yaml": offices(), "chart/values.yaml": "a: {{ .Values.a }}\n"})

    assert {Severity.WARNING} == {one.severity for one in found.diagnostics}
    assert {} == found.desired.stopped


def test_a_manifest_cannot_be_made_to_disappear_by_referring_to_it() -> None:
    attack = ORDERS.replace("orders.json", "victim.yaml")

    found = loaded({"orders.yaml": attack, "victim.yaml": offices("victim", "cards")})

    assert ResourceId("IpGroup", "cards", "victim") in {r.id for r in found.desired.resources}


def test_an_error_stops_its_own_unit_and_no_other() -> None:
    broken = manifest("IpGroup", "b", "{ipLst: []}", "cards")

    found = loaded({"a.yaml": offices(), "b.yaml": broken})

    assert {"cards": "AO203"} == found.desired.stopped
    assert [ResourceId("IpGroup", "payments", "offices")] == [r.id for r in found.desired.resources]


def test_a_resource_knows_its_files_by_pointer_and_digest() -> None:
    proxy = next(r for r in loaded(REPOSITORY).desired.resources if r.id == PROXY)

    assert ["/source/file"] == list(proxy.files)
    assert (
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        == (proxy.spec["source"]["fileDigest"])
    )


@pytest.mark.parametrize(
    ("path", "content", "changed"),
    [
        ("orders.json", '{"paths": {}}', PROXY),
        ("secrets.sops.yaml", f"partner: {OTHER_TOKEN}\n{SOPS}", CREDENTIAL),
        (
            "targets/test/patches/p.yaml",
            manifest("ApiProxy", "orders", "{description: Patched}"),
            PROXY,
        ),
    ],
)
def test_content_changes_with_every_input_and_with_nothing_else(
    path: str, content: str, changed: ResourceId
) -> None:
    before, after = contents(REPOSITORY), contents({**REPOSITORY, path: content})

    assert {changed} == {id for id in before if before[id] != after[id]}


def test_content_does_not_change_when_a_file_moves_or_a_secret_file_gains_another_key() -> None:
    moved = {f"deep/{path}": content for path, content in REPOSITORY.items()}
    moved["deep/secrets.sops.yaml"] = f"more: {OTHER_TOKEN}\npartner: {TOKEN}\n{SOPS}"

    assert contents(REPOSITORY) == contents(moved)


def test_shared_documents_give_what_a_fresh_load_gives() -> None:
    steps = [
        REPOSITORY,
        {**REPOSITORY, "orders.json": "[]"},
        {**REPOSITORY, "secrets.sops.yaml": f"partner: {OTHER_TOKEN}\n{SOPS}"},
        {**REPOSITORY, "targets/test/patches/p.yaml": manifest("ApiProxy", "orders", "{x: 1}")},
        {path: content for path, content in REPOSITORY.items() if path != "orders.json"},
        {**REPOSITORY, "partner.yaml": partner("hunter2")},
        REPOSITORY,
    ]
    shared = Documents()

    for files in steps:
        for target in (TEST, PRODUCTION):
            kept = load(snapshot(files), target, shared)
            assert load(snapshot(files), target) == kept


def test_parameters_differ_by_target() -> None:
    addresses = {
        target.name: resource.spec["routing"]["addresses"][0]["address"]
        for target in (TEST, PRODUCTION)
        for resource in loaded(REPOSITORY, target).desired.resources
        if resource.id == PROXY
    }

    assert {
        "test": "https://test.example",
        "production": "https://production.example",
    } == addresses


def test_a_patched_field_is_found_in_the_patch_and_the_others_in_the_manifest() -> None:
    patch = manifest("ApiProxy", "orders", "{description: Patched}")
    found = loaded({**REPOSITORY, "targets/test/patches/p.yaml": patch})

    assert "targets/test/patches/p.yaml:4:21" == str(found.locate(PROXY, ("spec", "description")))
    assert "orders.yaml:4:14" == str(found.locate(PROXY, ("spec", "type")))
    assert "orders.yaml:1:1" == str(found.locate(PROXY, ()))
    assert found.locate(ResourceId("ApiProxy", "payments", "none"), ()) is None


def test_a_secret_is_a_leaf_that_says_where_the_ciphertext_lies_and_whose_keys_seal_it() -> None:
    variable = manifest(
        "EnvironmentVariable",
        "DB",
        f"{{values: {{production: {{value: '{TOKEN}', visible: false}}}}}}",
    )
    second = f"a: 1\n---\n{variable}{SOPS}"
    found = loaded({"v.yaml": second.replace("a: 1", offices())})

    node = found.desired.resources[0].spec["values"]["production"]["value"]
    leaf = leaf_of(node)

    assert leaf is not None
    assert ("production", "v.yaml", "1:spec/values/production/value") == (
        leaf.environment,
        leaf.file,
        leaf.pointer,
    )


def test_no_diagnostic_repeats_a_plaintext_secret() -> None:
    found = loaded({"partner.yaml": partner("hunter2")})

    assert ["AO435"] == [one.code for one in found.diagnostics]
    assert "hunter2" not in str(found.diagnostics)


def test_a_view_has_contents_deployments_permissions_and_what_is_broken() -> None:
    files = {**REPOSITORY, "bad.yaml": manifest("IpGroup", "b", "{}", "cards")}
    seen = Reader(TEST).read(snapshot(files)).view(commit())

    assert {PROXY: ("test", "production")} == seen.deployments
    assert {ResourceId("User", None, "ada"): {"fullName": "Ada"}} == seen.permissions
    assert {"cards": "AO204"} == seen.broken
    assert contents(REPOSITORY) == seen.content


def test_a_leaf_opens_with_a_key_of_the_file_it_refers_to() -> None:
    fixtures = Path(__file__).parents[3] / "shared" / "fixtures" / "sops"
    name = "multidoc.yaml"
    content = (fixtures / "generated" / name).read_text()
    files = {"partner.yaml": partner(f"{{$secret: {name}#1:c}}"), name: content}
    identities = gather({"SOPS_AGE_KEY_FILE": str(fixtures / "keys" / "gen-alice.txt")})
    clear = list(yaml.safe_load_all((fixtures / "generated/plain" / name).read_text()))

    found = loaded(files)
    leaf = leaf_of(found.desired.resources[0].spec["password"])

    assert () == found.diagnostics
    assert leaf is not None
    assert "1:c" == leaf.pointer
    assert str(clear[1]["c"]).encode() == (
        AgeKeyring(identities).open(leaf, content.encode()).reveal()
    )
