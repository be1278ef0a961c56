"""What kustomize renders of deploy/kubernetes: valid to a cluster, closed, and the sync it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from apiops.git import sshfiles
from apiops.wiring import settings
from tests.deploy import cluster
from tests.deploy.cluster import Tree

HERE = Path(__file__).parents[2] / "deploy/kubernetes"
KUBECTL = Path(sys.executable).parent / "kubectl"
OVERLAY = HERE / "overlays/production"
INTERVAL, THROUGH = "components/interval", "components/through-manager"
NAMES = "kube-system kube-dns: 53"
BUILDS: dict[str, tuple[str, ...]] = {
    "scheduled": ("base",),
    "going on": ("base", INTERVAL),
    "with a Manager": ("base", "manager"),
    "through the Manager": ("base", "manager", THROUGH),
    "going on, through the Manager": ("base", "manager", INTERVAL, THROUGH),
}


def build(folder: Path) -> list[Tree]:
    """What kustomize makes of a folder, by the real one: kubectl carries it."""
    done = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, timeout=60, check=False
    )
    assert ("", 0) == (done.stderr, done.returncode)
    return [tree for tree in yaml.safe_load_all(done.stdout) if tree]


def together(folder: Path, parts: tuple[str, ...]) -> list[Tree]:
    """An overlay of these parts and nothing else."""
    paths = {part: os.path.relpath(HERE / part, folder) for part in parts}
    written = {
        "namespace": "gateway",
        "resources": [path for part, path in paths.items() if "components" not in part],
        "components": [path for part, path in paths.items() if "components" in part],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(written))
    return build(folder)


@pytest.fixture(scope="module")
def production() -> list[Tree]:
    return build(OVERLAY)


@pytest.mark.parametrize("parts", BUILDS.values(), ids=BUILDS)
def test_what_it_renders_is_valid_and_as_closed_as_restricted_asks_for(
    tmp_path: Path, parts: tuple[str, ...]
) -> None:
    trees = together(tmp_path, parts)
    cluster.valid(trees)
    assert {"gateway"} == {tree["metadata"]["namespace"] for tree in trees}
    pods = cluster.pods(trees)
    assert 1 + ("manager" in parts) == len(pods)
    for pod in pods:
        cluster.closed(pod)
    assert not cluster.one(trees, "ServiceAccount")["automountServiceAccountToken"]


@pytest.mark.parametrize("parts", BUILDS.values(), ids=BUILDS)
def test_the_pods_give_flags_that_the_verbs_have(tmp_path: Path, parts: tuple[str, ...]) -> None:
    trees = together(tmp_path, parts)
    for pod in cluster.pods(trees):
        given = cluster.given(pod, trees)
        assert "production" == given["target"]
        if "repositories" in given:
            assert "0.0.0.0:8443" == given["listen"]
        else:
            assert (INTERVAL in parts) is ("interval" in given)
            assert ("origin", "origin/main") == (given["fetch"], given["ref"])


def test_the_sync_that_goes_on_is_the_pod_of_the_scheduled_one(tmp_path: Path) -> None:
    for name in ("once", "on"):
        (tmp_path / name).mkdir()
    (once,) = cluster.pods(together(tmp_path / "once", ("base",)))
    (on,) = cluster.pods(together(tmp_path / "on", ("base", INTERVAL)))
    assert "Never" == once.pop("restartPolicy")
    assert [{"name": "APIOPS_INTERVAL", "value": "5m"}] == on["containers"][0].pop("env")
    assert once == on


def test_two_runs_never_overlap_and_none_is_tried_blindly_again() -> None:
    spec = cluster.one(build(HERE / "base"), "CronJob")["spec"]
    assert ("Forbid", 0) == (spec["concurrencyPolicy"], spec["jobTemplate"]["spec"]["backoffLimit"])


def test_two_pods_of_a_deployment_never_overlap(production: list[Tree]) -> None:
    for name in ("apiops-sync", "apiops-manager"):
        spec = cluster.one(production, "Deployment", name)["spec"]
        assert (1, {"type": "Recreate"}) == (spec["replicas"], spec["strategy"])
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


@pytest.mark.parametrize("folder", ["base", "manager", "overlays/production"])
def test_the_settings_are_settings(tmp_path: Path, folder: str) -> None:
    found = [
        tree["data"]["apiops.toml"]
        for tree in build(HERE / folder)
        if "apiops.toml" in tree.get("data", {})
    ]
    assert found
    for text in found:
        (tmp_path / "apiops.toml").write_text(text)
        target = settings.read(tmp_path / "apiops.toml").target("production")
        known = (target.key_file or target.token_file, target.manager.partition(":")[0])
        assert known[0] is not None
        assert known[1] in ("https", "postgresql")


class TestWhoReachesWhom:
    def test_the_scheduled_sync_reaches_git_and_the_database_and_nobody_it(self) -> None:
        trees = build(HERE / "base")
        assert ["192.0.2.10/32: 443", NAMES, "postgres: 5432"] == cluster.reach(trees, "sync")
        assert [] == cluster.reach(trees, "sync", "ingress")

    def test_whatever_is_not_allowed_is_refused(self, production: list[Tree]) -> None:
        spec = cluster.one(production, "NetworkPolicy", "apiops")["spec"]
        assert {"app.kubernetes.io/name": "apiops"} == spec["podSelector"]["matchLabels"]
        assert (["Ingress", "Egress"], []) == (spec["policyTypes"], spec["ingress"])

    def test_through_the_manager_the_sync_has_no_way_to_the_database(
        self, production: list[Tree]
    ) -> None:
        git, manager = "10.20.0.10/32: 22", "manager apiops: https"
        assert [git, NAMES, manager] == cluster.reach(production, "sync")
        database = "10.20.0.20/32, 10.20.0.21/32: 5432"
        assert [database, NAMES] == cluster.reach(production, "manager")

    def test_only_the_sync_and_the_runners_reach_the_manager(self, production: list[Tree]) -> None:
        callers = "sync apiops, ci-runners: https"
        assert [callers] == cluster.reach(production, "manager", "ingress")
        assert [] == cluster.reach(production, "sync", "ingress")


class TestTheOverlay:
    def test_it_is_valid_closed_and_in_one_restricted_namespace(
        self, production: list[Tree]
    ) -> None:
        cluster.valid(production)
        for pod in cluster.pods(production):
            cluster.closed(pod)
        namespace = cluster.one(production, "Namespace")["metadata"]
        assert {"pod-security.kubernetes.io/enforce": "restricted"} == namespace["labels"]
        others = {tree["metadata"].get("namespace") for tree in production} - {None}
        assert {namespace["name"]} == others

    def test_what_runs_is_named_by_its_digest(self, production: list[Tree]) -> None:
        images = {pod["containers"][0]["image"] for pod in cluster.pods(production)}
        (image,) = images
        assert image.startswith("registry.bank.example/platform/apiops@sha256:")

    def test_the_sync_clones_over_ssh_from_the_server_that_is_pinned(
        self, production: list[Tree]
    ) -> None:
        given = cluster.given(sync(production), production)
        assert given["clone"].startswith("ssh://git@git.bank.example/")
        assert "2m" == given["interval"]
        data = cluster.one(production, "ConfigMap", "apiops-settings")["data"]
        folder, _, name = given["git_known_hosts"].rpartition("/")
        assert "/etc/apiops" == folder
        hosts = sshfiles.checked_hosts(data[name])
        assert ["git.bank.example ssh-ed25519"] == [
            line.rpartition(" ")[0] for line in hosts.splitlines()
        ]

    def test_the_sync_holds_a_token_and_the_manager_the_keys(self, production: list[Tree]) -> None:
        assert {"apiops-git", "apiops-manager-token"} == secrets(sync(production))
        manager = cluster.one(production, "Deployment", "apiops-manager")
        keys = {"apiops-wrapping-key", "apiops-age", "apiops-database", "apiops-manager-tls"}
        assert keys == secrets(manager["spec"]["template"]["spec"])

    def test_no_secret_is_made_here(self, production: list[Tree]) -> None:
        assert "Secret" not in {tree["kind"] for tree in production}

    def test_the_service_leads_to_the_port_that_is_asked_whether_it_is_ready(
        self, production: list[Tree]
    ) -> None:
        service = cluster.one(production, "Service")["spec"]
        template = cluster.one(production, "Deployment", "apiops-manager")["spec"]["template"]
        assert service["selector"] == template["metadata"]["labels"]
        (container,) = template["spec"]["containers"]
        asked = [container[n]["httpGet"]["port"] for n in ("livenessProbe", "readinessProbe")]
        assert [container["ports"][0]["name"]] * 2 == asked
        assert container["ports"][0]["name"] == service["ports"][0]["targetPort"]


def sync(trees: list[Tree]) -> Tree:
    pod: Tree = cluster.one(trees, "Deployment", "apiops-sync")["spec"]["template"]["spec"]
    return pod


def secrets(pod: Tree) -> set[str]:
    return {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
