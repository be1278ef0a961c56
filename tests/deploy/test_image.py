"""The image's root file system, run as an unprivileged user, read-only and without a network."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from tests.deploy import cluster
from tests.deploy.image import Image
from tests.deploy.test_kustomize import HERE as KUBERNETES
from tests.deploy.test_kustomize import build as kustomized
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


IN_A_POD = """\
[targets.production]
environment = "dev"
manager = "sqlite:////data/dev.db"
key-file = "/run/secrets/apiops/wrapping/key"
identities = "/run/secrets/apiops/age"
"""


def test_the_pod_of_the_base_syncs_with_what_it_is_given(image: Image, tmp_path: Path) -> None:
    """Its arguments, variables and mounts as kustomize renders them; the database is SQLite here,
    and the clone comes from a folder, since there is no network."""
    trees = kustomized(KUBERNETES / "base")
    (pod,) = cluster.pods(trees)
    (container,) = pod["containers"]
    variables = cluster.one(trees, "ConfigMap", "apiops-sync")["data"]
    folders = {
        mount["name"]: tmp_path / "pod" / mount["name"] for mount in container["volumeMounts"]
    }
    volumes = [
        (folders[mount["name"]], mount["mountPath"], "ro" if mount.get("readOnly") else "rw")
        for mount in container["volumeMounts"]
    ]
    for folder in folders.values():
        folder.mkdir(parents=True)
    shop = Shop(tmp_path)
    first = shop.commit(AYSE, {**the_bank(), "apiops.toml": SETTINGS}, "Describe the bank")
    shutil.copytree(shop.repository, folders["data"] / "gateway")
    shutil.copy(tmp_path / "ayse.pub", folders["data"])
    (folders["settings"] / "apiops.toml").write_text(IN_A_POD)
    (folders["git"] / "token").write_text("t0ken")
    (folders["age"] / "production.txt").write_text(shop.identity)

    def run(*words: str) -> str:
        given = {**variables, "APIOPS_CLONE": "file:///data/gateway"}
        done = image.pod(*words, volumes=volumes, variables=given)
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    settings, key = container["args"][1], "/data/manager.key"
    first_admin = ("--admin", "ayse", "--admin-key", "/data/ayse.pub")
    run("manager", "init", settings, f"--key-file={key}", *first_admin)
    shutil.move(folders["data"] / "manager.key", folders["wrapping"] / "key")
    begun = run(*container["args"], "--introduction", first, "--approver", "ayse")
    assert '"create"' in begun
    again = json.loads(run(*container["args"]).splitlines()[-1])
    assert (first, []) == (again["report"]["head"], again["report"]["outcomes"])
