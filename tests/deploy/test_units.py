"""What lies in deploy/ beside the clusters: units that may do little, an image that needs little."""

import shlex
from pathlib import Path

import pytest

from apiops.cli import serve
from tests.deploy.cluster import accepted

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy/systemd"
CONTAINERFILE = (ROOT / "deploy/container/Containerfile").read_text()


class TestTheUnits:
    def test_they_give_flags_that_the_verbs_have(self) -> None:
        given = accepted(started("sync"))
        assert {"interval", "metrics_file", "git_token_file"} <= given.keys()
        words = started("manager")
        assert "manager" == words[0]
        given = accepted(words[1:], serve.command)
        assert {"listen", "tls_cert", "tls_key", "repositories"} <= given.keys()

    @pytest.mark.parametrize("name", ["sync", "manager"])
    def test_they_may_do_little(self, name: str) -> None:
        text = (UNITS / f"apiops-{name}.service").read_text()
        for line in (
            "DynamicUser=yes",
            "ProtectSystem=strict",
            "NoNewPrivileges=yes",
            "MemoryDenyWriteExecute=yes",
        ):
            assert f"\n{line}\n" in text
        assert "Environment" not in text, "secrets are credentials"


def started(name: str) -> list[str]:
    """The words after apiops that a unit starts it with."""
    lines = (UNITS / f"apiops-{name}.service").read_text().splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    return shlex.split(start.removeprefix("ExecStart="))[1:]


class TestTheImage:
    def test_it_runs_as_nobody_in_particular_and_needs_no_shell(self) -> None:
        assert "\nUSER 65532:65532\n" in CONTAINERFILE
        assert '\nENTRYPOINT ["/opt/apiops/bin/apiops"]\n' in CONTAINERFILE

    def test_it_is_built_from_the_bundle_alone_and_by_hash(self) -> None:
        installs = [line for line in CONTAINERFILE.splitlines() if "pip install" in line]
        assert 2 == len(installs)
        assert all("--no-index" in line for line in installs)
        assert "--require-hashes" in installs[0]
        for word in ("curl", "wget", "http://", "https://", "apt-get"):
            assert word not in CONTAINERFILE
