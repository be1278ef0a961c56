"""The image's root file system, run as an unprivileged user, read-only and without a network."""

import shutil
import stat
from pathlib import Path

import pytest

from tests.deploy.image import Image
from tests.shop import AYSE, Shop, the_bank

SETTINGS = '[targets.dev]\nmanager = "sqlite:////data/dev.db"\nkey-file = "/data/dev.key"\n'
LOOK = """\
import errno, os, shutil, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(os.getuid(), os.getgid())
print(status["CapEff"].strip(), status["CapPrm"].strip(), status["NoNewPrivs"].strip())
print([name for name in ("sh", "bash", "dash", "busybox", "git", "ssh") if shutil.which(name)])
try:
    open("/opt/apiops/written", "w")
except OSError as fault:
    print(errno.errorcode[fault.errno])
print([name for _, name in socket.if_nameindex()])
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Image:
    return Image.build(tmp_path_factory.mktemp("image"), bundle)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The volume: a clone of the bank's repository, and nothing else."""
    shop = Shop(tmp_path)
    shop.commit(AYSE, {**the_bank(), "apiops.toml": SETTINGS}, "Describe the bank")
    data = tmp_path / "data"
    shutil.copytree(shop.repository, data / "clone")
    shutil.copy(tmp_path / "ayse.pub", data)
    return data


@pytest.mark.slow
def test_a_whole_first_sync_in_it(image: Image, data: Path) -> None:
    def run(*words: str) -> str:
        done = image.run(*words, data=data)
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    assert "apiops" in run("version")
    run("validate", "-C", "clone")
    run("manager", "init", "-C", "clone", "--admin", "ayse", "--admin-key", "/data/ayse.pub")
    first = ("--introduction", "HEAD", "--approver", "ayse")
    assert "ApiProxy/payments/orders" in run("plan", "-C", "clone", *first)
    assert "Applied" in run("sync", "-C", "clone", *first)
    assert '"changes": []' in run("plan", "-C", "clone", "-o", "json")
    run("audit", "verify", "-C", "clone")


def test_it_is_nobody_and_can_change_nothing(image: Image, data: Path) -> None:
    done = image.program("/opt/apiops/bin/python", "-I", "-c", LOOK, data=data)
    assert 0 == done.returncode, done.stderr
    who, may, shells, written, network = done.stdout.splitlines()
    assert "65532 65532" == who
    assert f"{'0' * 16} {'0' * 16} 1" == may
    assert ("[]", "EROFS", "['lo']") == (shells, written, network)


def test_nothing_in_it_makes_anybody_more_than_they_are(image: Image) -> None:
    modes = {file: file.lstat().st_mode for file in image.root.rglob("*")}
    assert [] == [str(file) for file, mode in modes.items() if mode & (stat.S_ISUID | stat.S_ISGID)]
    assert image.user.split(":")[0] not in ("0", "root", "")
    assert image.user.replace(":", "").isdigit()


def test_it_says_what_it_is(image: Image) -> None:
    for label in ("title", "description", "licenses"):
        assert image.labels[f"org.opencontainers.image.{label}"]
