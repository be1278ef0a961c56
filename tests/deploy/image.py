"""The image of deploy/container, assembled without a container engine and run as one would run it.

    image = Image.build(folder, bundle)
    image.run("version", data=folder)

The base is the Python that runs these tests: its interpreter, its library and the shared libraries
that they need, at the same paths, and nothing else. What the Containerfile says is carried out
on top of it, instruction by instruction, in namespaces of the kernel (util-linux' unshare).
"""

import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy/container/Containerfile"
PREFIX = Path(sys.base_prefix)
UNSHARE: Final = shutil.which("unshare") or "unshare"
SKIPPED = shutil.ignore_patterns("test", "tests", "site-packages", "idlelib", "__pycache__")
BOUND = ("usr", "bin", "lib", "lib64", "etc", "root", "home", "dev", "proc")

Volume = tuple[Path, str, str]
"""A folder, where it is mounted, and `ro` or `rw`."""

BUILD = """\
set -eu
mount -t tmpfs none "$1"
for name in $BOUND; do
  if [ -e "/$name" ]; then mkdir "$1/$name"; mount --rbind "/$name" "$1/$name"; fi
done
mkdir "$1/bundle" "$1/opt" "$1/tmp"
mount --bind "$2" "$1/bundle"
mount --bind "$3" "$1/opt"
exec chroot "$1" /bin/sh -ec "$4"
"""

RUN = """\
set -eu
root=$1; shift
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  mount -o "remount,bind,nosuid,nodev,$3" "$root$2"
  shift 3
done
shift
mount -t proc none "$root/proc"
mount -o remount,bind,ro,nosuid,nodev "$root"
exec chroot "$root" "$@"
"""

ENTER = """\
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert prctl(47, 4, 0, 0, 0) == 0  # PR_CAP_AMBIENT_CLEAR_ALL: gone with the next exec
os.chdir(sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
"""


def instructions() -> list[list[tuple[str, str]]]:
    """The Containerfile's instructions, stage by stage."""
    text = re.sub(r"(?m)^\s*#.*\n", "", CONTAINERFILE.read_text()).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        if stages:
            stages[-1].append((word, rest.strip()))
    return stages


@dataclass
class Image:
    """The root file system, and what the last stage says of how it is run."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)

    @classmethod
    def build(cls, folder: Path, bundle: Path) -> "Image":
        """Carry out both stages."""
        first, last = instructions()
        opt = folder / "opt"
        opt.mkdir()
        copied = [rest for word, rest in first if word == "COPY"]
        assert [". /bundle"] == copied, "the first stage copies the bundle"
        for number, (word, command) in enumerate(first):
            if word == "RUN":
                _build(folder / f"build-{number}", bundle, opt, command)
        image = cls(folder / "root")
        _base(image.root)
        for word, rest in last:
            image._carry_out(word, rest, opt)
        (image.root / "proc").mkdir(exist_ok=True)
        return image

    def _carry_out(self, word: str, rest: str, opt: Path) -> None:
        if word == "COPY":
            assert rest == "--from=build /opt/apiops /opt/apiops", rest
            shutil.copytree(opt / "apiops", self.root / "opt/apiops", symlinks=True)
        elif word in ("LABEL", "ENV"):
            pairs = dict(pair.split("=", 1) for pair in shlex.split(rest))
            (self.labels if word == "LABEL" else self.env).update(pairs)
        elif word == "WORKDIR":
            self.workdir = rest
        elif word == "USER":
            self.user = rest
        elif word == "ENTRYPOINT":
            self.entrypoint = shlex.split(rest.strip("[]").replace(",", " "))
        else:
            assert word in ("FROM", "CMD"), f"{word} is nothing that the last stage should need"

    def run(self, *arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
        """The entry point: another user, no network, a read-only root, and `data` at /data."""
        return self.program(*self.entrypoint, *arguments, data=data)

    def pod(
        self, *arguments: str, volumes: Sequence[Volume], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """The entry point, with the volumes and variables of a pod."""
        return self._walled([*self.entrypoint, *arguments], volumes, variables)

    def program(self, *command: str, data: Path) -> subprocess.CompletedProcess[str]:
        """Any program of the image, under the same walls."""
        return self._walled(command, [(data, "/data", "rw")], {})

    def _walled(
        self, command: Sequence[str], volumes: Sequence[Volume], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        user, _, group = self.user.partition(":")
        walls = [
            *(UNSHARE, "--user", f"--map-user={user}", f"--map-group={group}", "--keep-caps"),
            *("--mount", "--net", "--pid", "--fork", "--ipc", "--uts", "--kill-child"),
        ]
        python = str(PREFIX / "bin" / Path(sys.executable).resolve().name)
        inside = [python, "-I", "-c", ENTER, self.workdir, *command]
        for _, place, _ in volumes:
            (self.root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        bound = [part for volume in volumes for part in volume]
        env = {
            "LANG": "C.UTF-8",
            **self.env,
            **variables,
            "PATH": self.env["PATH"].replace(":$PATH", ""),
        }
        env["PATH"] += f":{PREFIX}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        return subprocess.run(
            [*walls, "/bin/sh", "-c", RUN, "run", self.root, *bound, "--", *inside],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _build(place: Path, bundle: Path, opt: Path, command: str) -> None:
    place.mkdir()
    env = {
        "PATH": f"{PREFIX}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/tmp",
        "BOUND": " ".join(BOUND),
    }
    alone = [UNSHARE, "--user", "--map-root-user", "--mount", "--net"]
    subprocess.run(
        [*alone, "/bin/sh", "-c", BUILD, "build", place, bundle, opt, command], env=env, check=True
    )


def _base(root: Path) -> None:
    """This Python, without a shell beside it."""
    inside = root / PREFIX.relative_to("/")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(PREFIX / "lib" / version, inside / "lib" / version, ignore=SKIPPED)
    (inside / "bin").mkdir()
    binary = Path(sys.executable).resolve()
    shutil.copy2(binary, inside / "bin" / binary.name)
    for name in ("python3", "python"):
        (inside / "bin" / name).symlink_to(binary.name)
    wanted = [binary, *(inside / "lib" / version / "lib-dynload").glob("*.so")]
    wanted += Path(sys.prefix, "lib", version, "site-packages").rglob("*.so")
    for library in _libraries(wanted):
        there = root / library.relative_to("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists():
            shutil.copy2(library, there)
    zone = Path("usr/share/zoneinfo/UTC")
    if ("/" / zone).exists():
        (root / zone).parent.mkdir(parents=True)
        shutil.copy2("/" / zone, root / zone)
    # libgit2 does not begin without a folder of authorities, whether or not it ever needs one.
    authorities = ssl.get_default_verify_paths().openssl_capath
    shutil.copytree(authorities, root / authorities.lstrip("/"))


def _libraries(files: list[Path]) -> set[Path]:
    """The shared libraries of the machine that these need."""
    done = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False)
    named = re.findall(r"(?:=> )?(/[^\s:]+\.so[^\s:]*) \(0x", done.stdout)
    own = os.fspath(sys.prefix)
    return {Path(name) for name in named if not name.startswith(own)}
