"""The Helm chart, rendered by Helm itself: valid to a cluster, closed, and refusing nonsense."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy import cluster
from tests.deploy.cluster import Tree

CHART = Path(__file__).parents[2] / "deploy/helm/apiops"
HELM = Path(sys.executable).parent / "helm"
INTERVAL = ("sync.schedule=", "sync.interval=5m")
MANAGER = (
    "manager.enabled=true",
    "manager.tlsSecret=manager-tls",
    "networkPolicy.clients[0].namespaceSelector.matchLabels.team=gateway",
)
OVER_SSH = "sync.repository=ssh://git@git.example/platform/gateway.git"
SETS: dict[str, tuple[str, ...]] = {
    "scheduled": (),
    "going on": INTERVAL,
    "with a Manager": MANAGER,
    "the Manager alone": (*MANAGER, "sync.enabled=false"),
    "pinned, without Git's token": (f"image.digest=sha256:{'ab' * 32}", "secrets.git="),
    "over ssh": (OVER_SSH,),
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


def rendered(*values: str) -> list[Tree]:
    done = helm("template", "prod", values=values)
    assert 0 == done.returncode, done.stderr
    return [tree for tree in yaml.safe_load_all(done.stdout) if tree]


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_what_it_renders_is_valid_and_as_closed_as_restricted_asks_for(
    values: tuple[str, ...],
) -> None:
    trees = rendered(*values)
    cluster.valid(trees)
    assert {"apiops"} == {tree["metadata"]["namespace"] for tree in trees}
    for pod in cluster.pods(trees):
        cluster.closed(pod)
        assert not pod["containers"][0].keys() & {"env", "envFrom"}


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_pods_give_flags_that_the_verbs_have(values: tuple[str, ...]) -> None:
    trees = rendered(*values)
    for pod in cluster.pods(trees):
        given = cluster.given(pod, trees)
        (container,) = pod["containers"]
        if "sync" == container["name"]:
            assert ("interval" in given) == (values == INTERVAL)
            assert ("git_known_hosts" in given) == given["clone"].startswith("ssh://")
        else:
            probes = [
                container[name]["httpGet"]["port"] for name in ("livenessProbe", "readinessProbe")
            ]
            assert [container["ports"][0]["name"]] * 2 == probes


def test_other_settings_make_other_pods() -> None:
    """A pod that goes on reads its settings once: others must begin with others."""

    def marks(*values: str) -> list[str]:
        found = []
        for name in ("prod-sync", "prod-manager"):
            tree = cluster.one(rendered(*INTERVAL, *MANAGER, *values), "Deployment", name)
            found.append(tree["spec"]["template"]["metadata"]["annotations"]["apiops/settings"])
        return found

    assert marks() == marks()
    assert not set(marks()) & set(marks("settings=[targets.production]"))


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
        (OVER_SSH, "secrets.git="),  # without a key
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
