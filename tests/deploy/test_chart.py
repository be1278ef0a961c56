"""The Helm chart, rendered by Helm itself: valid to a cluster, closed, and refusing nonsense."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from apiops.cli import serve
from tests.deploy.test_cluster import VERSIONS, accepted

CHART = Path(__file__).parents[2] / "deploy/helm/apiops"
HELM = Path(sys.executable).parent / "helm"
INTERVAL = ("sync.schedule=", "sync.interval=5m")
MANAGER = (
    "manager.enabled=true",
    "manager.tlsSecret=manager-tls",
    "networkPolicy.clients[0].namespaceSelector.matchLabels.team=gateway",
)
SETS: dict[str, tuple[str, ...]] = {
    "scheduled": (),
    "going on": INTERVAL,
    "with a Manager": MANAGER,
    "the Manager alone": (*MANAGER, "sync.enabled=false"),
    "pinned, without Git's token": (f"image.digest=sha256:{'ab' * 32}", "secrets.git="),
    "over a Manager elsewhere": (
        "networkPolicy.managers[0].to.ipBlock.cidr=192.0.2.20/32",
        "networkPolicy.managers[0].port=443",
        "networkPolicy.database=null",
    ),
}


def helm(*words: str, values: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    given = [word for value in values for word in ("--set", value)]
    command = [str(HELM), words[0], *words[1:], str(CHART), "--namespace", "apiops", *given]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def rendered(*values: str) -> list[dict[str, Any]]:
    done = helm("template", "prod", values=values)
    assert 0 == done.returncode, done.stderr
    return [tree for tree in yaml.safe_load_all(done.stdout) if tree]


def pods(trees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for tree in trees:
        if tree["kind"] == "CronJob":
            found.append(tree["spec"]["jobTemplate"]["spec"]["template"]["spec"])
        if tree["kind"] == "Deployment":
            found.append(tree["spec"]["template"]["spec"])
    return found


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_what_it_renders_is_valid_and_as_closed_as_restricted_asks_for(
    values: tuple[str, ...],
) -> None:
    trees = rendered(*values)
    for tree in trees:
        for version in VERSIONS:
            kubernetes_validate.validate(tree, version, strict=True)
        assert "apiops" == tree["metadata"]["namespace"]
    for pod in pods(trees):
        (container,) = pod["containers"]
        assert (True, 65532) == tuple(
            pod["securityContext"][n] for n in ("runAsNonRoot", "runAsUser")
        )
        assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
        assert not pod["automountServiceAccountToken"]
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert ["ALL"] == security["capabilities"]["drop"]
        assert "memory" in container["resources"]["limits"]
        assert not container.keys() & {"env", "envFrom"}
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert volumes == {mount["name"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_pods_give_flags_that_the_verbs_have(values: tuple[str, ...]) -> None:
    for pod in pods(rendered(*values)):
        (container,) = pod["containers"]
        words = container["args"]
        if words[0] == "sync":
            given = accepted(words)
            assert ("interval" in given) == (values == INTERVAL)
        else:
            assert ["manager", "serve"] == words[:2]
            given = accepted(["serve", *words[2:]], serve.command)
            probes = [
                container[name]["httpGet"]["port"] for name in ("livenessProbe", "readinessProbe")
            ]
            assert [container["ports"][0]["name"]] * 2 == probes
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        files = [value for name, value in given.items() if name in FILES]
        assert all(any(str(file).startswith(mount) for mount in mounts) for file in files)


FILES = {"config", "directory", "git_token_file", "tls_cert", "tls_key", "repositories"}


def test_nothing_comes_in_and_only_who_is_named_is_gone_to() -> None:
    (policy,) = (tree["spec"] for tree in rendered() if tree["kind"] == "NetworkPolicy")
    assert [] == policy["ingress"]
    assert [53, 53, 443, 5432] == [p["port"] for rule in policy["egress"] for p in rule["ports"]]
    assert all(rule["to"] for rule in policy["egress"])
    (open_,) = (
        tree["spec"]
        for tree in rendered(*MANAGER)
        if tree["kind"] == "NetworkPolicy" and "component" in str(tree["spec"]["podSelector"])
    )
    assert ["Ingress"] == open_["policyTypes"]
    assert [{"namespaceSelector": {"matchLabels": {"team": "gateway"}}}] == open_["ingress"][0][
        "from"
    ]


def test_the_settings_reach_the_pod_as_they_were_given(tmp_path: Path) -> None:
    from apiops.wiring import settings

    (data,) = (tree["data"] for tree in rendered() if tree["kind"] == "ConfigMap")
    file = tmp_path / "apiops.toml"
    file.write_text(data["apiops.toml"])
    assert settings.read(file).target("production").manager.startswith("postgresql://")


@pytest.mark.parametrize(
    "values",
    [
        ("sync.interval=5m",),  # and the schedule stands as well
        ("sync.schedule=",),
        ("manager.enabled=true",),  # it would show tokens to the network
        ("manager.port=443",),
        ("image.tag=",),
        ("image.digest=sha256:abc",),
        ("sync.repository=git@git.example:gateway.git",),
        ("sync.repository=http://git.example/gateway.git",),
        ("sync.flags[0]=rm -rf",),
        ("networkPolicy.git[0].to.ipBlock.cidr=0.0.0.0/0", "networkPolicy.git[0].port=443"),
        ("networkPolicy.git[0].port=443", "networkPolicy.git[0].to=null"),
        ("secret.git=x",),
        ("settings=",),
        ("secrets.git=UPPER",),
    ],
    ids=shlex.join,
)
def test_values_that_make_no_sense_are_refused(values: tuple[str, ...]) -> None:
    done = helm("template", "prod", values=values)
    assert 0 != done.returncode
    assert "values don't meet the specifications of the schema" in done.stderr


def test_helm_finds_nothing_to_say() -> None:
    done = helm("lint", "--strict")
    assert 0 == done.returncode, done.stdout
