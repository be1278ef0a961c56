"""A scheduled run that brings its own clone, over https with a token, from a real Git server."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gitserver import GitServer
from tests.process import child
from tests.servers import Certificates, certificates
from tests.shop import MERT, Done, Shop, a_proxy
from tests.sshserver import SshServer

TOKEN = "git-token-of-the-test"
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@dataclass
class Cluster:
    """A shop whose repository is on a Git server, and a job elsewhere that syncs it."""

    shop: Shop
    server: GitServer
    tls: Certificates
    clone: Path

    def push(self) -> None:
        git = ["git", "-C", self.shop.repository, "push", "-q", "-f"]
        subprocess.run([*git, self.shop.folder / "served/bank.git", "main"], check=True)

    def sync(self, *more: str | Path, **variables: str) -> Done:
        settings = self.shop.folder / "job.toml"
        settings.write_text(f'[targets.dev]\nmanager = "sqlite:///{self.shop.folder}/dev.db"\n')
        words = ("--fetch", "origin", "--ref", "origin/main", "--config", settings, *more)
        place = ("-C", self.clone, "--clone", self.server.url + "/bank.git")
        trust = {"SSL_CERT_FILE": str(self.tls.authority), **variables}
        return child("sync", *place, *words, cwd=self.shop.folder, **trust)


@pytest.fixture
def cluster(tmp_path: Path, tls: Certificates) -> Iterator[Cluster]:
    shop = Shop(tmp_path)
    shop.begin()
    served = tmp_path / "served"
    subprocess.run(["git", "init", "-q", "--bare", served / "bank.git"], check=True)
    with GitServer(served, tls, TOKEN) as server:
        made = Cluster(shop, server, tls, tmp_path / "clone")
        made.push()
        yield made


def test_an_empty_folder_becomes_a_clone_that_is_kept(cluster: Cluster) -> None:
    assert 0 == cluster.sync(APIOPS_GIT_TOKEN=TOKEN).code
    made = (cluster.clone / "HEAD").stat().st_ino
    cluster.shop.commit(MERT, {"payments/orders.yaml": CHANGED})
    cluster.push()
    done = cluster.sync(APIOPS_GIT_TOKEN=TOKEN)
    assert (0, True) == (done.code, "Applied 1 change" in done.out or "Applied 2" in done.out)
    assert made == (cluster.clone / "HEAD").stat().st_ino
    assert "No changes." in cluster.shop.run("plan").out


def test_the_token_may_lie_in_a_file(cluster: Cluster) -> None:
    file = cluster.shop.folder / "token"
    file.write_text(TOKEN + "\n")
    assert 0 == cluster.sync("--git-token-file", file).code


def test_without_a_token_or_with_a_wrong_one_it_says_so_and_may_be_tried_again(
    cluster: Cluster,
) -> None:
    none, wrong = cluster.sync(), cluster.sync(APIOPS_GIT_TOKEN="wrong-git-token")
    assert (7, 7) == (none.code, wrong.code)
    assert "AO812" in none.err
    assert "it does not take the token" in wrong.err
    assert "wrong-git-token" not in wrong.err


def test_the_token_is_offered_once_and_stands_in_no_file(cluster: Cluster) -> None:
    cluster.sync(APIOPS_GIT_TOKEN="wrong-git-token")
    assert 1 == len([one for one in cluster.server.seen if one])
    cluster.sync(APIOPS_GIT_TOKEN=TOKEN)
    kept = b"".join(f.read_bytes() for f in cluster.clone.rglob("*") if f.is_file())
    assert TOKEN.encode() not in kept


def test_a_server_that_nobody_vouches_for_gets_nothing(cluster: Cluster) -> None:
    done = cluster.sync(APIOPS_GIT_TOKEN=TOKEN, SSL_CERT_FILE="/dev/null")
    assert (7, []) == (done.code, cluster.server.seen)


def test_an_empty_token_file_is_named(cluster: Cluster) -> None:
    file = cluster.shop.folder / "token"
    file.write_text("\n")
    done = cluster.sync("--git-token-file", file)
    assert (64, True) == (done.code, "holds no token" in done.err)


def test_plain_http_is_refused_before_anything_is_made(cluster: Cluster) -> None:
    done = child(
        "sync", "-C", "new", "--clone", "http://127.0.0.1:1/x.git", cwd=cluster.shop.folder
    )
    assert (3, True) == (done.code, "AO813" in done.err)
    assert not (cluster.shop.folder / "new").exists()


def test_a_folder_with_something_in_it_is_left_as_it_is(cluster: Cluster) -> None:
    cluster.clone.mkdir()
    (cluster.clone / "note").write_text("mine")
    done = cluster.sync(APIOPS_GIT_TOKEN=TOKEN)
    assert (3, True) == (done.code, "AO801" in done.err)
    assert ["note"] == [file.name for file in cluster.clone.iterdir()]


@pytest.mark.parametrize("by", ["flags", "variables"])
def test_over_ssh_it_takes_a_key_and_knows_the_server(cluster: Cluster, by: str) -> None:
    folder = cluster.shop.folder
    with SshServer(folder) as ssh:
        known, stranger = folder / "known_hosts", folder / "strangers"
        known.write_text(ssh.known + "\n")
        stranger.write_text("elsewhere.example " + ssh.known.split(" ", 1)[1] + "\n")
        clone = ("--clone", ssh.url(folder / "served/bank.git"))

        def sync(hosts: Path) -> Done:
            named = {"--git-ssh-key": ssh.key_file(), "--git-known-hosts": hosts}
            if by == "flags":
                return cluster.sync(*clone, *(word for pair in named.items() for word in pair))
            variables = {
                "APIOPS" + flag.upper().replace("-", "_")[1:]: str(file)
                for flag, file in named.items()
            }
            return cluster.sync(*clone, **variables)

        refused = sync(stranger)
        assert (3, True) == (refused.code, "AO825" in refused.err), refused.err
        done = sync(known)
        assert 0 == done.code, done.err
