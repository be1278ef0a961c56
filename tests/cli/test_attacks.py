"""People without the right try to get content applied: every way that we could think of.

Real repositories, real signatures, the real line. `cem` has a key, an account and no role anywhere.
What other files hold of this list: merges and laundering (`test_histories_merges`), rights that move
(`test_histories_rights`), plans that show nothing (`test_histories_silent`), limited rights
(`test_histories_environments`), forges (`test_access`), signatures (`security/test_signatures`).
"""

import unicodedata
from pathlib import Path

import pygit2
import pyrage
import pytest
from pygit2.enums import FileMode, ObjectType

from apiops.git.signing import sign
from tests.histories import CEM, ORDERS, SELIN, Tale, approves, orders
from tests.people import person
from tests.shop import AYSE, DENIZ, MERT, Shop, a_member, a_user

OF_ORDERS = "update ApiProxy/payments/orders"
SECRET = """\
apiVersion: apiops/v1
kind: Credential
metadata: {name: partner, project: payments}
spec:
  email: partner@shop.example
  fullName: Partner
  password: %s
"""


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return Tale(tmp_path)


def stays(tale: Tale, bad: str, change: str = OF_ORDERS) -> None:
    """The change is laid to the bad commit, and nothing of it is applied, run after run."""
    assert bad in tale.judged(change).guilty
    for _ in range(2):
        assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


# --- what a manifest is made from


def test_a_secret_in_a_file_of_its_own_belongs_to_who_refers_to_it(tale: Tale) -> None:
    tale.variables = {"SOPS_AGE_KEY": tale.identity}
    text = SECRET % "{$secretFile: partner.age}"
    files = {"payments/partner.yaml": text, "payments/partner.age": encrypted(tale, "one")}
    tale.commit(MERT, files)
    tale.settle()
    bad = tale.commit(CEM, {"payments/partner.age": encrypted(tale, "two")})
    judged = tale.judged("update Credential/payments/partner")
    assert ((bad,), ("cem",)) == (judged.guilty, judged.principals)
    assert 4 == tale.sync().code


def encrypted(tale: Tale, value: str) -> bytes:
    return pyrage.encrypt(value.encode(), [pyrage.x25519.Recipient.from_str(tale.recipient)])


def test_a_secret_that_only_its_cipher_moved_is_its_makers_too(tale: Tale) -> None:
    """The plaintext is the same, so a plan with the key shows nothing."""
    tale.variables = {"SOPS_AGE_KEY": tale.identity}
    text = SECRET % "{$secretFile: partner.age}"
    tale.commit(
        MERT, {"payments/partner.yaml": text, "payments/partner.age": encrypted(tale, "one")}
    )
    tale.settle()
    bad = tale.commit(CEM, {"payments/partner.age": encrypted(tale, "one")})
    assert (bad,) == tale.judged("update Credential/payments/partner").guilty


def test_a_link_in_place_of_an_input_stops_the_run(tale: Tale) -> None:
    for path in ("targets/dev/params.yaml", "targets/dev/patches/x.yaml", "parameters.yaml"):
        bad = linked(tale, path, ORDERS)
        assert 3 == tale.run("plan", "--ref", bad).code
        assert 3 == tale.run("sync", "--ref", bad).code
    assert 60 == tale.live()["payments/orders"]


def test_a_submodule_in_place_of_a_folder_stops_the_run(tale: Tale) -> None:
    bad = linked(tale, "payments/more", tale.base, FileMode.COMMIT)
    assert 3 == tale.run("sync", "--ref", bad).code


def linked(tale: Tale, path: str, to: str, mode: FileMode = FileMode.LINK) -> str:
    """A commit by cem on main with a link (or a submodule) at `path`."""
    git = pygit2.Repository(str(tale.repository))
    tip = git.revparse_single("main").peel(pygit2.Commit)
    index = pygit2.Index()
    index.read_tree(tip.tree)
    id = pygit2.Oid(hex=to) if mode == FileMode.COMMIT else git.create_blob(to.encode())
    index.add(pygit2.IndexEntry(path, id, mode))
    who = f"Cem <{CEM.email}> 1767600000 +0000"
    tree = index.write_tree(git)
    text = f"tree {tree}\nparent {tip.id}\nauthor {who}\ncommitter {who}\n\nLink\n"
    return str(git.create_commit_with_signature(text, sign(text.encode(), CEM.key)))


def test_an_anchor_does_not_reach_into_the_next_document(tale: Tale) -> None:
    text = orders(60).replace("readTimeout: 60", "readTimeout: &wait 60")
    other = orders(60).replace("name: orders", "name: more").replace("60}", "*wait}")
    bad = tale.commit(CEM, {ORDERS: f"{text}---\n{other}"})
    assert 3 == tale.run("sync").code
    tale.commit(MERT, {ORDERS: orders(70)})
    assert bad not in tale.judged().guilty, "what nobody can read is mended by whom it belongs to"


@pytest.mark.parametrize(
    "text",
    [orders(90).replace("\n", "\r\n"), "\ufeff" + orders(90), "--- # first\n" + orders(90)],
    ids=["line ends", "byte order mark", "marker"],
)
def test_the_form_of_a_file_hides_no_change(tale: Tale, text: str) -> None:
    stays(tale, tale.commit(CEM, {ORDERS: text}))


def test_a_second_document_in_anothers_file_is_its_own_change(tale: Tale) -> None:
    made = tale.commit(DENIZ, {ORDERS: orders(60) + "---\n" + orders(60).replace("orders", "mine")})
    assert (made,) == tale.judged("create ApiProxy/payments/mine").guilty


# --- names


def test_a_name_in_another_case_is_the_same_user(tale: Tale) -> None:
    """Users log in whatever the case, so a second spelling would be the same person again."""
    text = a_user(CEM, "sysAdmin").replace("name: cem", "name: MERT")
    bad = tale.commit(CEM, {"system/mert2.yaml": text})
    assert 3 == tale.run("plan").code
    tale.commit(CEM, {"system/mert.yaml": None})
    assert 4 == tale.sync().code
    assert bad in {commit for judged in tale.plan().values() for commit in judged.guilty}


@pytest.mark.parametrize("name", ["оrders", "ord\u200bers", unicodedata.normalize("NFD", "ödeme")])
def test_a_name_that_only_looks_like_another_is_refused(tale: Tale, name: str) -> None:
    text = orders(60).replace("name: orders", f'name: "{name}"')
    tale.commit(CEM, {"payments/twin.yaml": text})
    assert 3 == tale.run("plan").code


def test_taking_over_a_name_needs_the_right_on_both(tale: Tale) -> None:
    text = orders(60).replace("name: orders,", "name: invoices, renamedFrom: orders,")
    bad = tale.commit(CEM, {ORDERS: text})
    judged = tale.judged("update ApiProxy/payments/invoices")
    assert {bad} == set(judged.guilty)
    assert 4 == tale.sync().code
    assert "payments/orders" in tale.live()


# --- rights


@pytest.mark.parametrize(
    "files",
    [
        {"payments/cem.yaml": a_member(CEM, "payments", "Project Owner")},
        {"payments/mert.yaml": a_member(MERT, "payments", "Project Owner").replace("user: mert", "user: cem")},
        {"system/cem.yaml": a_user(CEM, "sysAdmin, sysProjectManager")},
        {"system/mert.yaml": a_user(MERT).replace(MERT.public_line, CEM.public_line)},
        {
            "payments/team.yaml": "apiVersion: apiops/v1\nkind: Team\n"
            "metadata: {name: ops, project: payments}\n"
            "spec: {members: [{user: cem, roles: [Project Owner]}]}\n",
            "payments/ops.yaml": "apiVersion: apiops/v1\nkind: Membership\n"
            "metadata: {name: ops, project: payments}\nspec: {team: ops}\n",
        },
        {
            "payments/role.yaml": "apiVersion: apiops/v1\nkind: Role\n"
            "metadata: {name: All, project: payments}\n"
            "spec: {permissions: [{category: API_MANAGEMENT, actions: [MANAGE]}]}\n",
            "payments/cem.yaml": a_member(CEM, "payments", "All"),
        },
    ],
    ids=["member", "anothers membership", "system roles", "anothers key", "team", "role"],
)  # fmt: skip
def test_no_right_is_taken(tale: Tale, files: dict[str, str]) -> None:
    """However the right is written, the commit that writes it needs the right to do so."""
    tale.commit(CEM, files)
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    stays(tale, bad)


def test_a_right_in_one_project_is_none_in_another(tale: Tale) -> None:
    tale.commit(DENIZ, {"payments/deniz.yaml": a_member(DENIZ, "payments", "Project Owner")})
    bad = tale.commit(DENIZ, {ORDERS: orders(90)})
    stays(tale, bad)


def test_the_system_tier_going_first_does_not_carry_a_projects_commit(tale: Tale) -> None:
    """Both are in one range: the grant is applied in this run, and helps from the next one on."""
    tale.commit(AYSE, {"system/cem.yaml": a_user(CEM, "sysProjectManager")})
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    assert (bad,) == tale.judged().guilty
    assert 4 == tale.sync().code
    assert 60 == tale.live()["payments/orders"]


# --- words


def test_an_approval_counts_for_the_name_that_it_says_alone(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    for word in ("ApiProxy/payments/order", "ApiProxy/payments/orders2", "ApiProxy/payments/*"):
        tale.commit(MERT, {}, approves(word))
    tale.commit(MERT, {}, "Say\n\napiops-approve: ApiProxy/payments/orders\n\nand more text")
    tale.commit(MERT, {}, "Say\n\n  apiops-approve: ApiProxy/payments/orders")
    stays(tale, bad)


def test_an_approval_that_somebody_else_signed_is_nobodys(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    tale.commit(CEM, {}, approves("ApiProxy/payments/orders"), claims=MERT)
    tale.commit(MERT, {}, approves("ApiProxy/payments/orders"), signed=False)
    stays(tale, bad)


def test_a_signature_is_not_carried_over_to_another_commit(tale: Tale) -> None:
    """Mert's signed commit with its tree exchanged: the signature is his, and no longer fits."""
    git = pygit2.Repository(str(tale.repository))
    good = tale.commit(MERT, {ORDERS: orders(70)})
    evil = tale.commit(CEM, {ORDERS: orders(90)}, branch="evil", parents=[tale.base])
    trees = [str(git[id].peel(pygit2.Commit).tree_id).encode() for id in (good, evil)]
    raw = git.odb.read(pygit2.Oid(hex=good))[1].replace(*trees)
    bad = str(git.odb.write(ObjectType.COMMIT, raw))
    tale.reset(bad)
    assert ("AO503",) == tale.judged().codes
    stays(tale, bad)


# --- another repository


def test_a_second_repository_does_not_take_over_what_a_first_one_has(tmp_path: Path) -> None:
    """Even with somebody who holds every right: who owns a resource is said by the inventory."""
    tale = Tale(tmp_path / "first")
    other = Shop(tmp_path / "second")
    target = f'[targets.dev]\nmanager = "sqlite:///{tale.folder}/dev.db"\n'
    first = other.commit(MERT, {"apiops.toml": target, ORDERS: orders(99)}, "Claim it")
    begin = ("--introduction", first, "--approver", "mert", "--yes")
    assert 5 == other.run("apply", "--yes").code
    assert 5 == other.run("apply", *begin).code
    assert 60 == tale.live()["payments/orders"]
    assert {} == tale.plan()


def test_a_second_repository_deletes_nothing_of_the_first(tmp_path: Path) -> None:
    tale = Tale(tmp_path / "first")
    other = Shop(tmp_path / "second")
    target = f'[targets.dev]\nmanager = "sqlite:///{tale.folder}/dev.db"\n'
    mine = orders(60).replace("orders", "mine")
    first = other.commit(MERT, {"apiops.toml": target, "payments/mine.yaml": mine}, "Begin")
    before = tale.resources()
    done = other.run("apply", "--introduction", first, "--approver", "mert", "--yes")
    assert 3 == done.code or before < tale.resources(), done.err
    assert before <= tale.resources()


def test_the_pages_of_an_unrelated_root_are_not_the_banks(tale: Tale) -> None:
    root = tale.commit(CEM, {ORDERS: orders(90)}, "Root", branch="alien", parents=[])
    assert 0 != tale.run("sync", "--ref", root).code
    assert 60 == tale.live()["payments/orders"]


def test_a_stranger_is_told_from_a_namesake_by_the_key(tale: Tale) -> None:
    namesake = person("mert-the-other")
    bad = tale.commit(namesake, {ORDERS: orders(90)}, claims=MERT)
    assert ("AO502",) == tale.judged().codes
    stays(tale, bad)


def test_what_waits_is_not_freed_by_others_going_on(tale: Tale) -> None:
    bad = tale.commit(CEM, {ORDERS: orders(90)})
    for timeout in (70, 75):
        tale.commit(SELIN, {ORDERS: orders(timeout)})
        assert 4 == tale.sync().code
    stays(tale, bad)
