"""Commits read from their neighbours are what they are when they are read whole."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from apiops.model.resource import FileMode
from apiops.model.revision import CommitView
from apiops.spec.documents import Documents
from apiops.spec.load import load
from apiops.spec.views import Reader
from tests.snapshots import TEST, commit, snapshot

Files = Mapping[str, str]


def group(name: str, project: str = "payments", value: str = "203.0.113.0/24") -> str:
    return (
        "apiVersion: apiops/v1\nkind: IpGroup\n"
        f'metadata: {{name: {name}, project: {project}}}\nspec: {{ipList: ["{value}"]}}\n'
    )


def proxy(source: str, environments: str = "[]") -> str:
    return (
        "apiVersion: apiops/v1\nkind: ApiProxy\nmetadata: {name: orders, project: payments}\n"
        f"spec: {{type: OPEN_API, source: {{file: {source}}}, deployments: {environments}}}\n"
    )


USER = "apiVersion: apiops/v1\nkind: User\nmetadata: {name: ada}\nspec: {fullName: %s}\n"
PARAMETERS = (
    "parameters:\n  net: {type: string, default: 198.51.100.0/24}\n  other: {}\n"
    "  sealed: {secret: true}\n"
)
CREDENTIAL = (
    "apiVersion: apiops/v1\nkind: Credential\nmetadata: {name: app, project: payments}\n"
    "spec: {username: app, password: %s}\n"
)


def sealed(value: str) -> str:
    """What looks like a sops file to everybody who has no key."""
    return f"sealed: ENC[AES256_GCM,data:{value}]\nsops: {{version: 3.11.0}}\n"


WRITTEN: dict[str, tuple[str, ...]] = {
    "payments/a.yaml": (
        group("a"),
        group("a", value="198.51.100.0/24"),
        group("a", value="${param:net}"),
        group("a", value="${param:missing}"),
        group("b"),
        group("a") + "---\n" + group("b", value="${param:other}"),
        group("a") + "]",
        group("a").replace("ipList", "ipLists"),
        "nothing: here\n",
    ),
    "payments/b.yaml": (group("b"), group("a"), group("a", "cards"), group("b", "${oops}")),
    "payments/orders.yaml": (
        proxy("./orders.json"),
        proxy("./orders.json", "[{environment: test}]"),
        proxy("./orders.json", "[{environment: test}, {environment: production}]"),
        proxy("./b.yaml"),
        proxy("../../out.json"),
    ),
    "payments/orders.json": (
        "{}",
        '{"openapi": "3.0.3"}',
        "version https://git-lfs.github.com/spec/v1",
    ),
    "system/ada.yaml": (USER % "Ada", USER % "Lovelace", USER % "[1]"),
    "parameters.yaml": (PARAMETERS, PARAMETERS.replace("198.51.100", "192.0.2"), "oops: 1\n"),
    "targets/test/params.yaml": ("net: 203.0.113.7/32\n", "other: 203.0.113.9/32\n", "bad: 1\n"),
    "targets/other/params.yaml": ("net: 203.0.113.8/32\n",),
    "targets/test/patches/p.yaml": (
        group("a", value="203.0.113.77/32"),
        group("b", value="${param:net}"),
        group("ghost"),
        "spec: 1\n",
    ),
    "targets/test/patches/c.yaml": (CREDENTIAL % '"${param:sealed}"', CREDENTIAL % "${PASSWORD}"),
    "targets/test/params.sops.yaml": (sealed("one"), sealed("two"), "sealed: plain\n"),
    "payments/app.yaml": (
        CREDENTIAL % '"${param:sealed}"',
        CREDENTIAL % "${PASSWORD}",
        CREDENTIAL % '{$secret: "s.sops.yaml#sealed"}',
        CREDENTIAL % "plain",
    ),
    "payments/s.sops.yaml": (sealed("three"), sealed("four"), "sealed: plain\n"),
    "README.md": ("Hello\n",),
    "disguised.yaml": ('{"kind": "IpGroup"}\n', "{{ template }}\n"),
}

commits = st.dictionaries(
    st.sampled_from(sorted(WRITTEN)), st.integers(0, 9), min_size=1, max_size=4
)
LINKS = {"linked": FileMode.SYMLINK}


def edited(files: Files, edits: Mapping[str, int]) -> dict[str, str]:
    """The files after edits: one of the texts that a path can have, or none."""
    texts = {
        path: (*WRITTEN[path], None)[number % (len(WRITTEN[path]) + 1)]
        for path, number in edits.items()
    }
    return {path: text for path, text in {**files, **texts}.items() if text is not None}


def said(view: CommitView) -> tuple[object, ...]:
    return dict(view.content), dict(view.deployments), dict(view.permissions), dict(view.broken)


@given(st.lists(commits, min_size=1, max_size=6), st.booleans())
def test_a_commit_read_from_a_neighbour_is_the_commit_read_whole(
    history: list[dict[str, int]], link: bool
) -> None:
    documents = Documents()
    reader, files = Reader(TEST, documents), {"linked": "x.yaml"} if link else {}
    near = reader.read(snapshot(files, LINKS))
    for edits in history:
        files = edited(files, edits)
        here = snapshot(files, LINKS)
        near = reader.read(here, near)
        whole = Reader(TEST).read(here)
        assert said(whole.view(commit())) == said(near.view(commit()))


@given(st.lists(commits, min_size=1, max_size=6))
def test_a_view_says_of_every_resource_what_a_load_says(history: list[dict[str, int]]) -> None:
    files: dict[str, str] = {}
    for edits in history:
        files = edited(files, edits)
        here = snapshot(files)
        view = Reader(TEST).read(here).view(commit())
        loaded = load(here, TEST)
        found = loaded.desired.resources
        twice = {one.code for one in loaded.diagnostics} & {"AO302"}
        assert {one.id for one in found} == set(view.content)
        assert twice or {one.id: one.content for one in found} == dict(view.content)
        assert set(view.broken) <= set(loaded.desired.stopped)


def test_two_descriptions_of_one_resource_are_like_neither() -> None:
    one, other = group("a"), group("a", value="198.51.100.0/24")
    views = [
        Reader(TEST).read(snapshot(files)).view(commit())
        for files in ({"a.yaml": one}, {"b.yaml": other}, {"a.yaml": one, "b.yaml": other})
    ]
    (id,) = views[0].content
    assert 3 == len({view.content[id] for view in views})
