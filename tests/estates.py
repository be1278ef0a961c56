"""Generated estates: what a team may keep in a project, as real manifests with real secrets.

    things = draw(estates())                    distinct resources with sound specs
    files = written(things, recipient)          their manifests, sops files and attachments

Every spec is one that `validate` accepts, so that a test never spends its time on refusals.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from apiops.age import writing
from apiops.age.writing import Policy

ENVIRONMENT = "dev"


@dataclass(frozen=True)
class Thing:
    """One resource of project payments; in `spec` a secret is `{"$plain": text}`."""

    kind: str
    name: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    protected: bool = False
    renamed_from: str | list[str] = ""
    project: str = "payments"

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.project}/{self.name}"

    @property
    def folder(self) -> str:
        return f"{self.project}/{self.kind}"


letters = st.characters(exclude_categories=["C", "Zl", "Zp"])
texts = st.text(letters, min_size=1, max_size=10) | st.sampled_from(
    ["on", "1e3", "0o17", "12:30:00", "a: b", "two\nlines\n", " leading", "Ünlü 🔑", "${BACKEND}"]
)
secrets = st.text(letters | st.sampled_from("\n\t"), min_size=1, max_size=12).map(
    lambda text: {"$plain": f"plaintext-{text}"}
)
names = st.sampled_from(["alpha", "beta", "gamma"])
labels = st.dictionaries(st.sampled_from(["team", "tier"]), texts, max_size=1)


def optional(**fields: st.SearchStrategy[Any]) -> dict[str, Any]:
    return {"optional": fields}


ip_groups = st.builds(
    lambda name, spec, labels: Thing("IpGroup", name, spec, labels),
    names,
    st.fixed_dictionaries(
        {"ipList": st.lists(st.sampled_from(["10.0.0.1", "192.0.2.0/24"]), unique=True)},
        **optional(description=texts),
    ),
    labels,
)
credentials = st.builds(
    lambda name, spec, protected: Thing("Credential", name, spec, protected=protected),
    names,
    st.fixed_dictionaries(
        {"password": secrets, "email": st.just("a@bank.example"), "fullName": texts},
        **optional(
            metadata=st.lists(
                st.builds(lambda value: {"key": "tier", "value": value}, texts), max_size=1
            ),
        ),
    ),
    st.booleans(),
)
variables = st.builds(
    lambda name, value: Thing("EnvironmentVariable", name.upper(), {"values": {"dev": value}}),
    names,
    st.builds(lambda text: {"value": text, "visible": True}, texts)
    | st.builds(lambda secret: {"value": secret}, secrets),
)


@st.composite
def proxies(draw: st.DrawFn) -> Thing:
    """A proxy, maybe made from a document somewhere in the repository, maybe running."""
    name = draw(names)
    spec: dict[str, Any] = {
        "type": "REVERSE_PROXY",
        "clientRoute": {"relativePathList": [f"/{name}"]},
        "routing": {"addresses": [{"address": f"https://{name}.bank.example"}]},
    }
    files = {}
    if draw(st.booleans()):
        spec["type"] = "OPEN_API"
        spec["source"] = {"file": draw(st.sampled_from(["api.yaml", "../api.yaml", "/api.yaml"]))}
        title = draw(st.sampled_from(["One", "Two"]))
        files[spec["source"]["file"]] = json.dumps(
            {"openapi": "3.0.3", "info": {"title": title, "version": "1"}, "paths": {}}
        ).encode()
    if draw(st.booleans()):
        spec["description"] = draw(texts)
    if draw(st.booleans()):
        spec["settings"] = {"connection": {"readTimeout": draw(st.integers(1, 300))}}
    if draw(st.booleans()):
        spec["settings"] = {
            "proxyServer": {"proxyHost": "out.bank.example", "proxyPassword": draw(secrets)}
        }
    if draw(st.booleans()):
        spec["deployments"] = [{"environment": ENVIRONMENT}]
    return Thing("ApiProxy", name, spec, draw(labels), files)


def estates(most: int = 5) -> st.SearchStrategy[list[Thing]]:
    """Distinct things; at most one proxy has a document, for they share its places."""
    return st.lists(
        st.one_of(ip_groups, credentials, variables, proxies()),
        max_size=most,
        unique_by=lambda thing: thing.id,
    ).filter(lambda things: sum(bool(one.files) for one in things) <= 1)


def written(things: Iterable[Thing], recipient: str) -> dict[str, bytes]:
    """Path → content: a manifest for each, a sops file with its secrets, the files it names."""
    files: dict[str, bytes] = {}
    for one in things:
        path = f"{one.folder}/{one.name}"
        plain: dict[str, str] = {}
        spec = _emptied(one.spec, f"{one.name}.sops.yaml", plain)
        metadata: dict[str, Any] = {"name": one.name, "project": one.project}
        if one.labels:
            metadata["labels"] = dict(one.labels)
        if one.protected:
            metadata["annotations"] = {"apiops/protected": "true"}
        if one.renamed_from:
            metadata["renamedFrom"] = one.renamed_from
        frame = {"apiVersion": "apiops/v1", "kind": one.kind, "metadata": metadata, "spec": spec}
        # JSON is YAML, and a reader of its own: the exporter's writer is not tested with itself.
        files[f"{path}.yaml"] = _flow(frame)
        if plain:
            sealed = writing.encrypt(f"{path}.sops.yaml", _flow(plain), Policy(((recipient,),)))
            files[f"{path}.sops.yaml"] = sealed.content
        for reference, content in one.files.items():
            files[_place(one.folder, reference)] = content
    return files


def _flow(tree: Mapping[str, Any]) -> bytes:
    """A key to a line, its value as JSON."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in tree.items())
    return "".join(lines).encode()


def _place(folder: str, reference: str) -> str:
    if reference.startswith("/"):
        return reference[1:]
    if reference.startswith("../"):
        return f"{folder.rpartition('/')[0]}/{reference[3:]}"
    return f"{folder}/{reference}"


def _emptied(node: Any, file: str, plain: dict[str, str]) -> Any:
    if isinstance(node, Mapping):
        if "$plain" in node:
            key = f"s{len(plain)}"
            plain[key] = node["$plain"]
            return {"$secret": f"./{file}#{key}"}
        return {key: _emptied(value, file, plain) for key, value in node.items()}
    if isinstance(node, list):
        return [_emptied(item, file, plain) for item in node]
    return node
