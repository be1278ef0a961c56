"""A ledger in a Git ref: for runners that have a clone and no database."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from apiops.age import identities
from apiops.age.envelope import Envelope
from apiops.errors import Conflict, SecretError
from apiops.git import author, ledgerref
from apiops.git.author import Draft
from apiops.git.ledgerref import Access
from apiops.wiring import gitledger
from tests.gitserver import GitServer
from tests.people import GitStory, person, signing_key
from tests.process import child
from tests.remote.bank import PROXY, VendorShop, manifest, the_vendor_bank
from tests.servers import certificates
from tests.shop import AYSE, MERT, a_member, a_user, run

SETTINGS = """
[targets.dev]
manager = "%s"
ledger = "git:origin"
ledger-recipients = "%s"
ledger-signers = "../signers"
key-file = "../ledger.key"
"""
REF = "refs/apiops/dev"


class GitShop(VendorShop):
    """A bank whose runners share nothing but a bare repository and a key."""

    def __init__(self, folder: Path, *quirks: str) -> None:
        super().__init__(folder, *quirks)
        self.bare = folder / "bare.git"
        self.more_recipients: tuple[str, ...] = ()
        self.runs_as("runner")
        self.allow("runner", "second")
        self.variables["SOPS_AGE_KEY"] = self.identity
        author.init(self.bare, bare=True)
        pygit2.Repository(str(self.repository)).remotes.create("origin", str(self.bare))

    def runs_as(self, name: str) -> None:
        """Whose key the runner signs with from here on."""
        self.variables["APIOPS_SIGNING_KEY"] = signing_key(name).private_bytes().decode()

    def allow(self, *names: str) -> None:
        """Whose states of the ledger are believed."""
        lines = (f"{name}@bank.example {signing_key(name).public_line()}\n" for name in names)
        (self.folder / "signers").write_text("".join(lines))

    def settings(self, url: str) -> str:
        return SETTINGS % (url, ", ".join((self.recipient, *self.more_recipients)))

    def ledger(self) -> list[str]:
        """The messages of the ledger's commits, newest first."""
        repository = pygit2.Repository(str(self.bare))
        tip = repository.references[REF].target
        return [commit.message for commit in repository.walk(tip)]

    def another_runner(self) -> Path:
        """A second clone, as it was some time ago."""
        other = self.folder / "other"
        shutil.copytree(self.repository, other)
        return other


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[GitShop]:
    with GitShop(tmp_path) as shop:
        shop.begin()
        shop.world.requests.clear()
        yield shop


def a_change(bank: GitShop) -> None:
    changed = PROXY.replace("readTimeout: 60", "readTimeout: 30")
    bank.commit(MERT, {"payments/orders.yaml": manifest("ApiProxy", "orders", changed)})


def test_after_a_first_apply_any_runner_plans_to_nothing(bank: GitShop) -> None:
    other = bank.another_runner()
    pygit2.Repository(str(other)).references.delete(REF)

    for folder in (bank.repository, other):
        planned = run("plan", "-o", "json", cwd=folder, **bank.variables)
        assert [] == planned.json["plan"]["changes"], planned.err


def test_the_ledger_says_what_is_intended_before_it_happens(bank: GitShop) -> None:
    a_change(bank)
    assert 0 == bank.run("apply", "--yes").code

    give_back, deploy, update, hold = bank.ledger()[:4]
    assert give_back.startswith("Give back the lease")
    for wave in (update, deploy):
        assert wave.startswith("Intend 1 changes of payments")
    assert hold.startswith("Hold the lease")


def test_a_plan_and_a_look_at_the_log_write_nothing(bank: GitShop) -> None:
    before = bank.ledger()

    bank.run("plan")
    assert 0 == bank.run("audit", "verify").code
    assert before == bank.ledger()


def test_what_one_runner_began_another_ends(bank: GitShop) -> None:
    a_change(bank)
    other = bank.another_runner()
    bank.world.expires_after = 1
    assert 8 == bank.run("apply", "--yes").code
    bank.world.expires_after = None
    bank.world.users[bank.standin.token].expired = False

    assert 0 == run("apply", "--yes", cwd=other, **bank.variables).code
    planned = bank.run("plan", "-o", "json")
    assert [] == planned.json["plan"]["changes"]


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    with GitShop(tmp_path) as shop:
        shop.commit(MERT, {"apiops.toml": shop.settings(shop.standin.url)})

        assert "AO708" in shop.run("plan").err


def test_a_second_ledger_is_not_made(bank: GitShop) -> None:
    assert "AO717" in bank.manager().err


@pytest.mark.parametrize("remote", ["", "origin"])
def test_of_two_who_began_from_the_same_state_one_is_refused(tmp_path: Path, remote: str) -> None:
    story = GitStory(tmp_path / "repo")
    story.commit(MERT, {"README": "a"})
    author.init(tmp_path / "bare.git", bare=True)
    pygit2.Repository(str(story.path)).remotes.create("origin", str(tmp_path / "bare.git"))
    key = signing_key("runner")
    access = Access(name=remote, key=key, trusted=frozenset({key.fingerprint}))
    first = ledgerref.open(story.path, REF, access)
    second = ledgerref.open(story.path, REF, access)

    first.keep({"a": b"one"}, "first")
    with pytest.raises(Conflict, match="has moved"):
        second.keep({"a": b"two"}, "second")

    assert {"a": b"one"} == ledgerref.open(story.path, REF, access).files()
    first.keep({"a": None, "b": b"three"}, "again")
    second.refresh()
    assert {"a": b"one", "b": b"three"} == second.files()


# --- who signed it


def put(bank: GitShop, files: dict[str, bytes], key: str | None, message: str) -> None:
    """Somebody with the right to push puts a state on top."""
    repository = pygit2.Repository(str(bank.bare))
    tip = repository.references[REF].peel(pygit2.Commit)
    tree = repository.TreeBuilder(tip.tree)
    for name, content in files.items():
        tree.insert(name, repository.create_blob(content), 0o100644)
    draft = Draft(message, ("Eve", "eve@bank.example"), signing_key(key) if key else None)
    made = draft.write(repository, tree.write(), [str(tip.id)])
    repository.references[REF].set_target(made)


BOUND = f"Ledger: {REF}"


FORGED = (
    (None, f"Forged\n\n{BOUND}", "unsigned"),
    ("eve", f"Forged\n\n{BOUND}", "who may not"),
    ("second", "Forged\n\nLedger: refs/apiops/test", "another ledger"),
    ("second", "Forged", "another ledger"),
)


def test_a_state_that_nobody_vouches_for_is_refused(bank: GitShop) -> None:
    a_change(bank)
    here, there = (pygit2.Repository(str(path)) for path in (bank.repository, bank.bare))
    good = there.references[REF].target
    for key, message, why in FORGED:
        put(bank, {}, key, message)
        for command in (("plan",), ("apply", "--yes")):
            done = bank.run(*command)
            assert (1, True, True) == (done.code, "AO757" in done.err, why in done.err), done.err
        there.references[REF].set_target(good)
        here.references[REF].set_target(good)

    raw = there.read(good)[1].replace(b"Give back", b"Give away")
    there.references[REF].set_target(there.odb.write(ObjectType.COMMIT, raw))
    here.references.delete(REF)
    assert "AO757" in bank.run("audit", "list").err
    assert [] == [method for method, _ in bank.world.requests if method != "GET"]


def test_a_state_that_another_runner_signed_is_read(bank: GitShop) -> None:
    bank.runs_as("second")
    a_change(bank)
    assert 0 == bank.run("apply", "--yes").code
    bank.runs_as("runner")
    assert 0 == bank.run("plan").code

    bank.allow("runner")
    assert "AO757" in bank.run("plan").err


def test_who_is_not_listed_locks_nobody_out(bank: GitShop) -> None:
    """Their state would be read by themselves alone."""
    a_change(bank)
    before = bank.ledger()
    bank.runs_as("stranger")

    assert 0 == bank.run("plan").code
    done = bank.run("apply", "--yes")
    assert (1, True) == (done.code, "AO757" in done.err), done.err
    assert "list its public half there" in done.err
    assert before == bank.ledger()
    assert [] == [one for one in bank.world.requests if one[0] != "GET"]

    bank.runs_as("runner")
    assert 0 == bank.run("apply", "--yes").code


def test_an_older_state_is_refused_where_a_newer_one_was_seen(bank: GitShop) -> None:
    repository = pygit2.Repository(str(bank.bare))
    tip = repository.references[REF].peel(pygit2.Commit)
    repository.references[REF].set_target(tip.parents[0].id)
    assert "AO758" in bank.run("plan").err
    assert "AO758" in bank.run("plan").err

    repository.references.delete(REF)
    assert "AO758" in bank.run("plan").err
    pygit2.Repository(str(bank.repository)).remotes["origin"].push([f"{REF}:{REF}"])
    assert 0 == bank.run("plan").code


def test_without_a_key_it_can_be_read_and_nothing_is_sent(bank: GitShop) -> None:
    del bank.variables["APIOPS_SIGNING_KEY"]
    a_change(bank)
    assert 0 == bank.run("plan").code

    done = bank.run("apply", "--yes")
    assert (64, True) == (done.code, "signing-key" in done.err)
    assert [] == [method for method, _ in bank.world.requests if method != "GET"]


# --- what it shows


def blobs(bank: GitShop) -> dict[str, list[str]]:
    """The ids of each file of the ledger's states, newest state first."""
    repository = pygit2.Repository(str(bank.bare))
    seen: dict[str, list[str]] = {}
    for commit in repository.walk(repository.references[REF].target):
        for entry in commit.tree:
            seen.setdefault(entry.name or "", []).append(str(entry.id))
    return seen


def test_nothing_in_it_can_be_read_without_an_identity(bank: GitShop) -> None:
    repository = pygit2.Repository(str(bank.bare))
    for id in {id for ids in blobs(bank).values() for id in ids}:
        content = repository[id].peel(pygit2.Blob).data
        assert content.startswith((b"age-encryption.org/v1\n", b'[{"recipient":"age1'))
    raw = b"".join(repository[c.id].peel(pygit2.Commit).read_raw() for c in
                   repository.walk(repository.references[REF].target))  # fmt: skip
    for word in (b"orders", b"partner", b"offices", b"hmac", b"mert"):
        assert word not in raw

    seen = blobs(bank)  # and a push has what changed, no more
    assert 1 == len(set(seen.pop(gitledger.HEADER)))
    assert sum(len(set(ids)) for ids in seen.values()) < sum(map(len, seen.values()))

    del bank.variables["SOPS_AGE_KEY"]
    assert "AO401" in bank.run("plan").err
    bank.variables["SOPS_AGE_KEY"] = identities.generate()[0]
    assert "AO402" in bank.run("plan").err


def test_another_recipient_reads_it_after_the_next_write(bank: GitShop) -> None:
    identity, recipient = identities.generate(post_quantum=True)
    bank.more_recipients = (recipient,)
    bank.commit(AYSE, {"apiops.toml": bank.settings(bank.standin.url)})
    assert 0 == bank.run("apply", "--yes").code

    bank.variables["SOPS_AGE_KEY"] = identity
    assert 0 == bank.run("audit", "verify").code
    assert 2 == len(set(blobs(bank)[gitledger.HEADER]))


def test_what_a_ledger_in_git_needs_is_told(tmp_path: Path) -> None:
    with GitShop(tmp_path) as bank:
        bank.commit(AYSE, {"apiops.toml": bank.settings(bank.standin.url)})
        for key in ("ledger-recipients", "key-file"):
            lines = bank.settings(bank.standin.url).splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith(key))
            (bank.repository / "apiops.toml").write_text(text)
            done = bank.run("plan")
            assert (64, True) == (done.code, f"no {key}" in done.err), done.err


def test_a_damaged_piece_is_told() -> None:
    sealing = Envelope.make([identities.generate()[1]], "ledger")
    for sealed in (b"", b"age", sealing.seal(b"x" * 99)[:-1]):
        with pytest.raises(SecretError, match="damaged"):
            sealing.unseal(sealed, 99)
    with pytest.raises(SecretError, match="damaged"):
        sealing.unseal(sealing.seal(b"x" * 100), 99)
    for header in (b"", b"[1]", b"{}", b'[{"enc":""}]'):
        with pytest.raises(SecretError):
            Envelope.open(header, identities.Identities(), "ledger")


# --- how it is reached


@contextmanager
def over_https(bank: GitShop, folder: Path) -> Iterator[dict[str, str]]:
    """A change to apply, and what a runner needs to push its ledger to a server but its token."""
    tls = certificates(folder)
    subprocess.run(["git", "-C", bank.bare, "config", "http.receivepack", "true"], check=True)
    with GitServer(folder, tls, "git-token") as server:
        repository = pygit2.Repository(str(bank.repository))
        repository.remotes.set_url("origin", f"{server.url}/bare.git")
        a_change(bank)
        yield {**bank.variables, "SSL_CERT_FILE": str(tls.authority)}


TOKEN = {"APIOPS_GIT_TOKEN": "git-token"}


def test_it_is_pushed_to_a_server_that_wants_a_token(bank: GitShop, tmp_path: Path) -> None:
    with over_https(bank, tmp_path) as variables:
        none = child("apply", "--yes", cwd=bank.repository, **variables)
        assert (7, True) == (none.code, "AO812" in none.err)
        done = child("apply", "--yes", cwd=bank.repository, **variables, **TOKEN)
        assert 0 == done.code, done.err
    assert bank.ledger()[0].startswith("Give back the lease")


def test_a_remote_that_does_not_want_it_says_why(bank: GitShop, tmp_path: Path) -> None:
    """Nobody moved the ref, so to run again changes nothing, and nothing was sent."""
    hook = bank.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho not with us >&2\nexit 1\n")
    hook.chmod(0o755)
    before = bank.ledger()
    with over_https(bank, tmp_path) as variables:
        done = child("apply", "--yes", cwd=bank.repository, **variables, **TOKEN)

    assert (1, True, True) == (done.code, "AO829" in done.err, "hook declined" in done.err)
    assert before == bank.ledger()
    assert [] == [method for method, _ in bank.world.requests if method != "GET"]


def test_a_word_for_a_plan_goes_from_one_runner_to_another(tmp_path: Path) -> None:
    """What somebody approves is in the ledger, and a second runner has it from there."""
    zeynep = person("zeynep")
    files = {
        **the_vendor_bank(),
        "system/zeynep.yaml": a_user(zeynep),
        "payments/zeynep.yaml": a_member(zeynep, "payments", "Project Owner"),
        "system/dev.yaml": (
            "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\n"
            "spec: {type: TEST, approvals: 1}\n"
        ),
    }
    with GitShop(tmp_path) as bank:
        bank.begin(files)
        a_change(bank)
        other = bank.another_runner()
        digest = bank.run("plan", "-o", "json").json["plan"]["digest"]
        assert 5 == bank.run("apply", "--yes").code
        by = ("--as", "zeynep", "--sign-key", bank.person_key(zeynep))
        done = bank.run("approve", digest, *by)
        assert 0 == done.code, done.err

        applied = run("apply", "--yes", cwd=other, **bank.variables)
        assert 0 == applied.code, applied.err
        (entry, *_) = bank.run("audit", "list", "--action", "update", "-o", "json").json["entries"]
        assert ["zeynep"] == entry["reason"]["approvers"]
