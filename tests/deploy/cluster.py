"""What a cluster is given, whoever rendered it: its pods, how closed they are, what they call.

for pod in cluster.pods(trees):
    cluster.closed(pod)                  asserts what Pod Security calls restricted, and more
    given = cluster.given(pod, trees)    the flags, from arguments and variables
cluster.reach(trees, "sync")             to whom the network policies let a component's pods go
"""

from collections.abc import Iterator
from typing import Any

import click
import kubernetes_validate

from apiops.cli import serve, sync

Tree = dict[str, Any]
VERSIONS = ("1.30", "1.34")
FILES = {
    "config",
    "directory",
    "git_token_file",
    "git_ssh_key",
    "git_known_hosts",
    "tls_cert",
    "tls_key",
    "repositories",
}
"""Flags that name a file or folder, which must lie in something that is mounted."""


def valid(trees: list[Tree]) -> None:
    """Assert that each is what its schema asks for, and stands there once."""
    for tree in trees:
        for version in VERSIONS:
            kubernetes_validate.validate(tree, version, strict=True)
    names = [(tree["kind"], tree["metadata"]["name"]) for tree in trees]
    assert len(names) == len(set(names))


def one(trees: list[Tree], kind: str, name: str | None = None) -> Tree:
    """The only one of a kind, or the one of a name; the hash of a generated one does not count."""
    (found,) = (
        tree
        for tree in trees
        if kind == tree["kind"]
        and (name is None or name == tree["metadata"]["name"] or name == _bare(tree))
    )
    return found


def _bare(tree: Tree) -> str:
    name: str = tree["metadata"]["name"]
    return name.rpartition("-")[0] if tree["kind"] == "ConfigMap" else name


def pods(trees: list[Tree]) -> list[Tree]:
    """What each CronJob and Deployment runs."""
    templates = {
        "CronJob": lambda spec: spec["jobTemplate"]["spec"]["template"]["spec"],
        "Deployment": lambda spec: spec["template"]["spec"],
    }
    return [templates[tree["kind"]](tree["spec"]) for tree in trees if tree["kind"] in templates]


def closed(pod: Tree) -> None:
    """Assert that it is nobody in particular, writes to volumes alone and tells no secret."""
    (container,) = pod["containers"]
    who = pod["securityContext"]
    assert (True, 65532, 65532) == tuple(who[n] for n in ("runAsNonRoot", "runAsUser", "fsGroup"))
    assert {"type": "RuntimeDefault"} == who["seccompProfile"]
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"], "a variable APIOPS_… of a Service would be read as a flag"
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert {"drop": ["ALL"]} == security["capabilities"]
    assert "memory" in container["resources"]["limits"]
    assert all(["configMapRef"] == list(source) for source in container.get("envFrom", []))
    assert all("valueFrom" not in variable for variable in container.get("env", []))
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    for volume in pod["volumes"]:
        if "secret" in volume:
            assert mounts[volume["name"]]["readOnly"]
            assert 0o440 == volume["secret"]["defaultMode"]


def given(pod: Tree, trees: list[Tree]) -> dict[str, Any]:
    """The flags that a pod starts its verb with; one that the verb has not is an error."""
    (container,) = pod["containers"]
    words = container["args"]
    verb, rest = (serve, words[2:]) if words[:2] == ["manager", "serve"] else (sync, words[1:])
    assert words[0] in ("sync", "manager")
    flags = accepted([str(verb.command.name), *rest], verb.command)
    known = {str(flag.envvar): str(flag.name) for flag in verb.command.params}
    for name, value in _variables(container, trees):
        assert name in known, f"{name} is no variable of a flag of this verb"
        flags.setdefault(known[name], value)
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    files = [value for name, value in flags.items() if name in FILES]
    assert all(any(str(file).startswith(f"{mount}/") for mount in mounts) for file in files)
    return flags


def _variables(container: Tree, trees: list[Tree]) -> Iterator[tuple[str, str]]:
    for variable in container.get("env", []):
        yield variable["name"], variable["value"]
    for source in container.get("envFrom", []):
        name = source["configMapRef"]["name"]
        (data,) = (tree["data"] for tree in trees if name == tree["metadata"]["name"])
        yield from data.items()


def accepted(words: list[str], verb: click.Command = sync.command) -> dict[str, Any]:
    """The flags of an `apiops sync`, as click reads them; a flag that is none is an error."""
    assert verb.name == words[0]
    with click.Context(verb, ignore_unknown_options=False) as context:
        flags, rest, _ = verb.make_parser(context).parse_args(words[1:])
    assert [] == rest
    return flags


def reach(trees: list[Tree], component: str, way: str = "egress") -> list[str]:
    """Whom pods of a component may call (or, with `ingress`, who may call them), and where."""
    labels = {"app.kubernetes.io/name": "apiops", "app.kubernetes.io/component": component}
    said = []
    for policy in (tree["spec"] for tree in trees if tree["kind"] == "NetworkPolicy"):
        if policy["podSelector"]["matchLabels"].items() <= labels.items():
            said += [_rule(rule, way) for rule in policy.get(way, [])]
    return sorted(said)


def _rule(rule: Tree, way: str) -> str:
    peers = rule["to" if way == "egress" else "from"]
    assert peers, "no peer is everybody"
    assert rule["ports"], "no port is every port"
    ports = sorted({str(port["port"]) for port in rule["ports"]})
    return f"{', '.join(map(_peer, peers))}: {', '.join(ports)}"


def _peer(peer: Tree) -> str:
    block = peer.get("ipBlock", {}).get("cidr")
    return block or " ".join(
        value for selector in peer.values() for _, value in sorted(selector["matchLabels"].items())
    )
