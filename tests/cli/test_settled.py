"""What is settled is not looked at again, and the plan is the same bytes as if it had been.

Each move of a story is planned twice: from what was settled, and from nothing. Whatever people
write, whoever writes it, both must say the same, refusals and denials included.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pygit2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from tests import ledgers
from tests.people import Person, person
from tests.shop import (
    AYSE,
    DENIZ,
    MERT,
    Done,
    Shop,
    a_member,
    a_project,
    a_proxy,
    a_user,
    the_bank,
)

CEM = person("cem")
PART = "that are not settled"
WHOLE = "reading the specifications\n"
Files = Mapping[str, str | None]


def manifest(kind: str, name: str, spec: str, project: str = "payments", more: str = "") -> str:
    head = f"apiVersion: apiops/v1\nkind: {kind}\n"
    return f"{head}metadata: {{name: {name}, project: {project}{more}}}\nspec: {spec}\n"


def office(name: str = "office", block: int = 1, project: str = "payments", more: str = "") -> str:
    return manifest("IpGroup", name, f"{{ipList: [10.0.{block}.0/24]}}", project, more)


def partner(name: str = "partner", project: str = "payments", calls: str = "orders") -> str:
    spec = (
        f"{{email: {name}@shop.example, fullName: Partner, password: '${{PARTNER}}',"
        f" access: [{{name: {calls}}}]}}"
    )
    return manifest("Credential", name, spec, project)


def described(paths: str, document: str = "pay.openapi.yaml") -> str:
    spec = (
        f"{{type: OPEN_API, source: {{file: {document}}}, clientRoute: {{relativePathList:"
        f' [/{paths}]}}, routing: {{addresses: [{{address: "https://${{param:backend}}"}}]}}}}'
    )
    return manifest("ApiProxy", "pay", spec)


def openapi(title: str = "Pay") -> str:
    return f"openapi: 3.0.3\ninfo: {{title: {title}, version: '1'}}\npaths: {{}}\n"


def waiting(seconds: int, name: str = "orders", project: str = "payments") -> str:
    return a_proxy(name, project).replace("readTimeout: 60", f"readTimeout: {seconds}")


PARAMETERS = "parameters: {backend: {type: string, default: pay.bank.example}}\n"
PATCH = (
    "apiVersion: apiops/v1\nkind: ApiProxy\nmetadata: {name: orders, project: payments}\n"
    "spec: {settings: {connection: {connectTimeout: %d}}}\n"
)
BANK = {
    **the_bank(),
    "system/cem.yaml": a_user(CEM),
    "parameters.yaml": PARAMETERS,
    "payments/office.yaml": office(),
    "payments/orders-net.yaml": office("orders", 2),
    "payments/partner.yaml": partner(),
    "payments/pay.yaml": described("pay"),
    "payments/pay.openapi.yaml": openapi(),
    "targets/dev/patches/orders.yaml": PATCH % 11,
}

MOVES: dict[str, tuple[str, Files]] = {
    "change a proxy": ("part", {"payments/orders.yaml": waiting(90)}),
    "change two projects": (
        "part",
        {"payments/orders.yaml": waiting(70), "cards/limits.yaml": waiting(71, "limits", "cards")},
    ),
    "add a proxy": ("part", {"payments/refunds.yaml": a_proxy("refunds")}),
    "add a proxy with a document": (
        "part",
        {
            "payments/new.yaml": described("new", "new.openapi.yaml").replace(
                "name: pay", "name: new"
            ),
            "payments/new.openapi.yaml": openapi("New"),
        },
    ),
    "change a document": ("part", {"payments/pay.openapi.yaml": openapi("Pay more")}),
    "say nothing of resources": ("part", {"README.md": "The bank."}),
    "move a file": ("part", {"payments/office.yaml": None, "payments/nets/office.yaml": office()}),
    "change what a patch changes": ("part", {"payments/orders.yaml": waiting(33)}),
    "use a parameter": ("part", {"payments/pay.yaml": described("pay2")}),
    "change what another names": ("part", {"payments/partner.yaml": partner(calls="pay")}),
    "run nowhere": (
        "part",
        {"payments/orders.yaml": a_proxy("orders").partition("  deployments")[0]},
    ),
    "replace it": ("whole", {"payments/pay.yaml": a_proxy("pay")}),
    "leave one out": ("whole", {"payments/office.yaml": None}),
    "leave out what is named": ("whole", {"payments/orders.yaml": None}),
    "rename": (
        "whole",
        {
            "payments/office.yaml": None,
            "payments/branch.yaml": office("branch", more=", renamedFrom: [office]"),
        },
    ),
    "describe it twice": ("whole", {"payments/again.yaml": office()}),
    "claim the old name of what is there": (
        "whole",
        {"payments/branch.yaml": office("branch", more=", renamedFrom: [office]")},
    ),
    "name what is not there": ("whole", {"payments/partner.yaml": partner(calls="nothing")}),
    "take a name in another project": (
        "whole",
        {"cards/partner.yaml": partner(project="cards", calls="limits")},
    ),
    "a project that is not described": ("whole", {"x/office.yaml": office(project="loans")}),
    "change a parameter": ("whole", {"parameters.yaml": PARAMETERS.replace("pay.", "p.")}),
    "change a patch": ("whole", {"targets/dev/patches/orders.yaml": PATCH % 12}),
    "a patch for nothing": (
        "whole",
        {"targets/dev/patches/x.yaml": (PATCH % 1).replace("orders", "xxx")},
    ),
    "give a right": ("whole", {"cards/mert.yaml": a_member(MERT, "cards", "Project Owner")}),
    "take a right": ("whole", {"payments/mert.yaml": None}),
    "take back what was given": ("part", {"cards/mert.yaml": None}),
    "a key for Cem": ("whole", {"system/cem.yaml": a_user(person("cem2"))}),
    "the old key of Cem": ("part", {"system/cem.yaml": a_user(CEM)}),
    "as it was": ("part", {"payments/orders.yaml": a_proxy("orders")}),
    "a new project": ("whole", {"loans/project.yaml": a_project("loans")}),
    "not YAML": ("whole", {"payments/orders.yaml": "a: [b\n"}),
    "an unknown field": ("whole", {"payments/orders.yaml": a_proxy("orders") + "  colour: red\n"}),
    "a document that nothing refers to": ("whole", {"payments/lost.yaml": "a: 1\n"}),
    "no document any more": ("whole", {"payments/pay.openapi.yaml": None}),
    "a secret in plain text": (
        "whole",
        {"payments/orders.yaml": waiting(60).replace("https://", "https://me:word@")},
    ),
    "other settings": ("whole", {"apiops.toml": the_bank()["apiops.toml"] + "# ours\n"}),
    "an empty repository": ("whole", dict.fromkeys(BANK)),
}
"""What a commit changes, and whether a part of the specifications is enough to plan it."""

PEOPLE = (AYSE, MERT, DENIZ, CEM)


class Bank:
    """A bank that is applied and settled. Each story is a branch of its own."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop(folder)
        self.shop.variables |= {"CI": "true", "XDG_CACHE_HOME": str(folder / "cache")}
        self.base = self.shop.begin(BANK)
        self._branches = 0
        self.settle()

    def settle(self) -> None:
        done = self.shop.run("plan", "--ref", self.base)
        assert "No changes" in done.out, done.out + done.err

    def branch(self, start: str = "") -> str:
        self._branches += 1
        name = f"story{self._branches}"
        repository = pygit2.Repository(str(self.shop.repository))
        repository.references.create(f"refs/heads/{name}", start or self.base)
        return name

    def plan(self, branch: str, *flags: str) -> Done:
        return self.shop.run("plan", "--ref", branch, *flags)

    def plan_all(self, branch: str, *flags: str) -> Done:
        """The same with nothing remembered."""
        with self.forgetting():
            return self.plan(branch, *flags)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Nothing is remembered meanwhile."""
        known = self.shop.variables["XDG_CACHE_HOME"]
        with tempfile.TemporaryDirectory() as empty:
            self.shop.variables["XDG_CACHE_HOME"] = empty
            try:
                yield
            finally:
                self.shop.variables["XDG_CACHE_HOME"] = known

    def applied(self, branch: str, verb: str = "apply") -> tuple[Done, Any]:
        """What applying it says and leaves in the Manager, which then is as before."""
        before = ledgers.kept(self.shop.folder)
        yes = ("--yes",) if verb == "apply" else ()
        try:
            done = self.shop.run(verb, "--ref", branch, *yes, "-o", "json")
            return done, (done.code, reported(done), ledgers.rows(self.shop.folder))
        finally:
            before.back()

    def applied_all(self, branch: str, verb: str = "apply") -> Any:
        """The same with nothing remembered."""
        with self.forgetting():
            return self.applied(branch, verb)[1]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return Bank(tmp_path_factory.mktemp("bank"))


def said(done: Done) -> tuple[int, str]:
    return done.code, done.out


def reported(done: Done) -> Any:
    """What a run says of itself, but for its name and how long it took."""
    return {k: v for k, v in done.json.get("report", {}).items() if k not in ("run", "seconds")}


@pytest.mark.parametrize("move", MOVES)
def test_a_plan_of_what_is_not_settled_says_what_a_whole_one_says(bank: Bank, move: str) -> None:
    expected, files = MOVES[move]
    branch = bank.branch()
    bank.shop.commit(AYSE, present(bank, branch, files), move, branch=branch)
    part = bank.plan(branch, "-o", "json")
    assert said(bank.plan_all(branch, "-o", "json")) == said(part)
    assert said(bank.plan_all(branch)) == said(bank.plan(branch))
    assert ("part" if PART in part.err and WHOLE not in part.err else "whole") == expected


@pytest.mark.parametrize("move", MOVES)
def test_a_part_that_is_applied_leaves_what_the_whole_leaves(bank: Bank, move: str) -> None:
    """The same rows, entries and report; the same refusal, if it is refused."""
    expected, files = MOVES[move]
    branch = bank.branch()
    bank.shop.commit(AYSE, present(bank, branch, files), move, branch=branch)
    done, part = bank.applied(branch)
    assert bank.applied_all(branch) == part
    assert ("part" if PART in done.err and WHOLE not in done.err else "whole") == expected


@pytest.mark.parametrize("file", ["cards/mert.yaml", "cards/cem.yaml", "system/mert.yaml"])
def test_a_right_that_came_and_went_is_judged_as_in_a_whole_plan(bank: Bank, file: str) -> None:
    """Neither end of the range has it; only the commits in between do."""
    branch = bank.branch()
    right = {
        "cards/mert.yaml": a_member(MERT, "cards", "API Developer"),
        "cards/cem.yaml": a_member(CEM, "cards", "API Developer"),
        "system/mert.yaml": a_user(person("mert2")).replace("mert2", "mert"),
    }[file]
    before = BANK.get(file)
    for who, files in (
        (AYSE, {file: right}),
        (MERT, {"cards/limits.yaml": waiting(71, "limits", "cards")}),
        (AYSE, {file: before}),
        (MERT, {"payments/orders.yaml": waiting(72)}),
    ):
        bank.shop.commit(who, files, branch=branch)
    part = bank.plan(branch, "-o", "json")
    assert said(bank.plan_all(branch, "-o", "json")) == said(part)
    assert PART not in part.err


moves = st.lists(
    st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from(PEOPLE), st.booleans()),
    min_size=1,
    max_size=3,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves, moves, st.sampled_from(PEOPLE), st.booleans())
def test_whatever_people_commit_and_merge(
    bank: Bank, ours: list[Any], theirs: list[Any], merger: Person, takes_ours: bool
) -> None:
    """Two branches of random moves, signed or not, and a merge of them that takes one side."""
    branch, other = bank.branch(), bank.branch()
    for story, steps in ((branch, ours), (other, theirs)):
        for move, who, signed in steps:
            files = present(bank, story, MOVES[move][1])
            bank.shop.commit(who, files, move, branch=story, signed=signed)
        assert said(bank.plan_all(story, "-o", "json")) == said(bank.plan(story, "-o", "json"))
    paths = {path for move, _, _ in (*ours, *theirs) for path in MOVES[move][1]}
    files = {}
    for side in (bank.base, other, branch) if takes_ours else (bank.base, branch, other):
        files |= content(bank, side, paths)
    bank.shop.story.merge(merger, other, branch=branch, files=files)
    assert said(bank.plan_all(branch, "-o", "json")) == said(bank.plan(branch, "-o", "json"))
    assert bank.applied_all(branch, "sync") == bank.applied(branch, "sync")[1]


def content(bank: Bank, branch: str, paths: Iterable[str]) -> dict[str, bytes | str | None]:
    """What a branch has at these paths."""
    repository = bank.shop.story.open()
    snapshot = repository.snapshot(repository.resolve(branch))
    there = snapshot.files
    return {path: snapshot.read(there[path].blob) for path in paths if path in there}


def present(bank: Bank, branch: str, files: Files) -> dict[str, str | None]:
    """The move without what it would remove and is not there."""
    repository = bank.shop.story.open()
    there = repository.snapshot(repository.resolve(branch)).files
    return {path: text for path, text in files.items() if text is not None or path in there}


def planned(bank: Bank) -> str:
    """How a change of one proxy is planned now: from a part, or whole."""
    branch = bank.branch()
    bank.shop.commit(MERT, MOVES["change a proxy"][1], branch=branch)
    return "part" if PART in bank.plan(branch).err else "whole"


@pytest.fixture
def own(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def by_hand(bank: Bank) -> None:
    done = bank.shop.run(
        *("manager", "set", "IpGroup/payments/office", "spec.description=Ours"),
        *("--as", "mert", "--sign-key", bank.shop.person_key(MERT), "--reason", "incident 4711"),
    )
    assert 0 == done.code, done.err


def without_secrets(bank: Bank) -> None:
    bank.shop.variables["SOPS_AGE_KEY"] = bank.shop.identity


def another_target(bank: Bank) -> None:
    file = bank.shop.repository / "apiops.toml"
    file.write_text(file.read_text() + 'identities = "keys"\n')


def an_environment_with_freezes(bank: Bank) -> None:
    frozen = (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {type: TEST,"
        ' freezes: [{begins: "2020-01-01T00:00:00Z", ends: "2020-01-02T00:00:00Z", reason: x}]}\n'
    )
    bank.base = bank.shop.commit(AYSE, {"system/dev.yaml": frozen})
    assert 0 == bank.shop.run("apply", "--yes").code
    bank.settle()


def forged(bank: Bank) -> None:
    (file,) = (bank.shop.folder / "cache" / "apiops").glob("settled-*")
    mac, _, body = file.read_bytes().partition(b"\n")
    file.write_bytes(mac + b"\n" + body.replace(b"office", b"0ffice"))


@pytest.mark.parametrize(
    "move", [by_hand, without_secrets, another_target, an_environment_with_freezes, forged]
)
def test_whatever_moves_beside_the_commits_makes_the_next_plan_a_whole_one(
    own: Bank, move: Callable[[Bank], None]
) -> None:
    assert "part" == planned(own)
    move(own)
    assert "whole" == planned(own)


def test_what_is_applied_is_settled_again_by_the_next_plan(own: Bank) -> None:
    own.base = own.shop.commit(MERT, MOVES["add a proxy"][1])
    assert 0 == own.shop.run("apply", "--yes").code
    assert "whole" == planned(own)
    own.settle()
    assert "part" == planned(own)


def test_a_plan_that_prunes_nothing_settles_nothing(own: Bank) -> None:
    own.base = own.shop.commit(MERT, {"payments/office.yaml": None})
    shutil.rmtree(own.shop.folder / "cache")
    assert "No changes" in own.shop.run("plan", "--no-prune").out
    assert "whole" == planned(own)


@contextmanager
def meanwhile(bank: Bank) -> Iterator[None]:
    """Somebody changes a resource in the Manager as soon as it is looked at."""
    done: list[bool] = []

    def move(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not done and "FROM resource" in statement:
            done.append(True)
            by_hand(bank)

    event.listen(Engine, "before_cursor_execute", move)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", move)
    assert [True] == done


def test_a_manager_that_moves_while_the_line_is_walked_makes_it_a_whole_one(own: Bank) -> None:
    branch = own.branch()
    own.shop.commit(MERT, MOVES["change a proxy"][1], branch=branch)
    with meanwhile(own):
        planned = own.plan(branch)
    assert (PART in planned.err, WHOLE in planned.err) == (True, True)
    assert said(own.plan_all(branch)) == said(planned)
    assert "IpGroup" in planned.out


def test_what_moves_under_the_lease_is_set_right_by_the_same_run(own: Bank) -> None:
    own.shop.commit(MERT, MOVES["change a proxy"][1])
    with meanwhile(own):
        done = own.shop.run("apply", "--yes")
    assert (0, True, True) == (done.code, PART in done.err, WHOLE in done.err)
    assert "IpGroup/payments/office" in done.out
    assert "No changes" in own.plan("HEAD").out


def test_a_target_that_nothing_was_applied_for_gets_to_its_first_commit(own: Bank) -> None:
    """All is as it should be there, for another target brought it about."""
    settings = own.shop.repository / "apiops.toml"
    more = settings.read_text().replace("[targets.dev]", "[targets.twin]\nenvironment = 'dev'")
    settings.write_text(settings.read_text() + more)
    own.shop.commit(AYSE, {"targets/twin/patches/orders.yaml": PATCH % 11})
    assert "No changes" in own.plan("main", "--target", "twin").out
    done = own.shop.run("sync", "--ref", "main", "--target", "twin", "-o", "json")
    assert {"cards", "payments", "system"} == done.json["report"]["applied"].keys()


def test_what_one_lineage_settled_is_not_settled_for_another(own: Bank) -> None:
    """HEAD says what the repository's lineage is, and so whose the inventory is."""
    repository = pygit2.Repository(str(own.shop.repository))
    tree = repository[own.base].peel(pygit2.Tree)
    who = pygit2.Signature("Mert", "mert@bank.example")
    repository.create_commit("refs/heads/other", who, who, "Another root", tree.id, [])
    repository.set_head("refs/heads/other")
    part = own.plan(own.base)
    assert said(own.plan_all(own.base)) == said(part)
    assert (5, False) == (part.code, PART in part.err)


def test_a_clone_that_lacks_the_settled_commit_is_read_whole(own: Bank) -> None:
    """The clone of a CI job is made anew; what is remembered is not."""
    shop, branch = own.shop, own.branch()
    shop.commit(MERT, {"README.md": "Never merged."}, branch=branch)
    shutil.rmtree(shop.folder / "cache")
    assert "No changes" in own.plan(branch).out
    shop.commit(MERT, {"payments/orders.yaml": waiting(90)})
    assert PART in own.plan("main").err
    command = ["git", "clone", "-q", "--single-branch", f"file://{shop.repository}", "clone"]
    subprocess.run(command, cwd=shop.folder, check=True)
    shutil.rmtree(shop.repository)
    (shop.folder / "clone").rename(shop.repository)
    part = own.plan("main")
    assert said(own.plan_all("main")) == said(part)
    assert (True, False) == ("1 update" in part.out, PART in part.err)
