"""What lies in deploy/: valid to a cluster, as closed as it can be, and calling flags that exist."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from apiops.cli import serve, sync

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "deploy/kubernetes"
UNITS = ROOT / "deploy/systemd"
CONTAINERFILE = (ROOT / "deploy/container/Containerfile").read_text()
VERSIONS = ("1.30", "1.34")


def manifests() -> Iterator[dict[str, Any]]:
    listed = yaml.safe_load((CLUSTER / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {file.name for file in CLUSTER.iterdir()}
    for name in listed:
        yield from yaml.safe_load_all((CLUSTER / name).read_text())


def one(kind: str) -> dict[str, Any]:
    (found,) = (tree for tree in manifests() if tree["kind"] == kind)
    return found


POD: dict[str, Any] = one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


def accepted(words: list[str], verb: click.Command = sync.command) -> dict[str, Any]:
    """The flags of an `apiops sync`, as click reads them; a flag that is none is an error."""
    assert verb.name == words[0]
    with click.Context(verb, ignore_unknown_options=False) as context:
        given, rest, _ = verb.make_parser(context).parse_args(words[1:])
    assert [] == rest
    return given


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str) -> None:
    for tree in manifests():
        kubernetes_validate.validate(tree, version, strict=True)


def test_everything_lies_in_the_namespace_that_is_restricted() -> None:
    namespace = one("Namespace")
    assert "restricted" in namespace["metadata"]["labels"].values()
    others = {tree["metadata"].get("namespace") for tree in manifests() if tree is not namespace}
    assert {namespace["metadata"]["name"], None} >= others


def test_the_pod_is_what_restricted_asks_for_and_more() -> None:
    pod, container = POD["securityContext"], CONTAINER["securityContext"]
    assert (True, {"type": "RuntimeDefault"}) == (pod["runAsNonRoot"], pod["seccompProfile"])
    assert {"drop": ["ALL"]} == container["capabilities"]
    assert container["readOnlyRootFilesystem"]
    assert not container["allowPrivilegeEscalation"]
    assert not POD["automountServiceAccountToken"]
    assert not one("ServiceAccount")["automountServiceAccountToken"]
    assert "memory" in CONTAINER["resources"]["limits"]


def test_secrets_are_files_and_no_environment() -> None:
    assert not CONTAINER.keys() & {"env", "envFrom"}
    mounted = {mount["name"]: mount for mount in CONTAINER["volumeMounts"]}
    secret = [volume["name"] for volume in POD["volumes"] if "secret" in volume]
    assert 3 == len(secret)
    assert all(mounted[name]["readOnly"] for name in secret)


def test_two_runs_never_overlap_and_none_is_tried_blindly_again() -> None:
    spec = one("CronJob")["spec"]
    assert "Forbid" == spec["concurrencyPolicy"]
    assert 0 == spec["jobTemplate"]["spec"]["backoffLimit"]


def test_nothing_comes_in_and_only_names_git_and_the_database_go_out() -> None:
    policy = one("NetworkPolicy")["spec"]
    assert [] == policy["ingress"]
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert {53, 443, 5432} == ports
    assert all(rule["to"] for rule in policy["egress"])


def test_the_job_gives_flags_that_sync_has() -> None:
    given = accepted(CONTAINER["args"])
    mounts = [mount["mountPath"] for mount in CONTAINER["volumeMounts"]]
    files = (given["git_token_file"], given["config"], given["directory"])
    assert all(any(str(file).startswith(mount) for mount in mounts) for file in files)


def test_the_settings_of_the_job_are_settings(tmp_path: Path) -> None:
    from apiops.wiring import settings

    file = tmp_path / "apiops.toml"
    file.write_text(one("ConfigMap")["data"]["apiops.toml"])
    target = settings.read(file).target("production")
    assert target.manager.startswith("postgresql://")
    assert target.key_file is not None


class TestTheUnits:
    def test_they_give_flags_that_the_verbs_have(self) -> None:
        given = accepted(started("sync"))
        assert {"interval", "metrics_file", "git_token_file"} <= given.keys()
        words = started("manager")
        assert "manager" == words[0]
        given = accepted(words[1:], serve.command)
        assert {"listen", "tls_cert", "tls_key", "repositories"} <= given.keys()

    @pytest.mark.parametrize("name", ["sync", "manager"])
    def test_they_may_do_little(self, name: str) -> None:
        text = (UNITS / f"apiops-{name}.service").read_text()
        for line in (
            "DynamicUser=yes",
            "ProtectSystem=strict",
            "NoNewPrivileges=yes",
            "MemoryDenyWriteExecute=yes",
        ):
            assert f"\n{line}\n" in text
        assert "Environment" not in text, "secrets are credentials"


def started(name: str) -> list[str]:
    """The words after apiops that a unit starts it with."""
    lines = (UNITS / f"apiops-{name}.service").read_text().splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    return shlex.split(start.removeprefix("ExecStart="))[1:]


class TestTheImage:
    def test_it_runs_as_nobody_in_particular_and_needs_no_shell(self) -> None:
        assert "\nUSER 65532:65532\n" in CONTAINERFILE
        assert '\nENTRYPOINT ["/opt/apiops/bin/apiops"]\n' in CONTAINERFILE

    def test_it_is_built_from_the_bundle_alone_and_by_hash(self) -> None:
        installs = [line for line in CONTAINERFILE.splitlines() if "pip install" in line]
        assert 2 == len(installs)
        assert all("--no-index" in line for line in installs)
        assert "--require-hashes" in installs[0]
        for word in ("curl", "wget", "http://", "https://", "apt-get"):
            assert word not in CONTAINERFILE
