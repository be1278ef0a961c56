"""Nothing leaves: the whole story runs where there is no way out, calls nobody, and no name of a
host stands in the code.

The namespace proves it for libgit2 and everything else below Python; the hook names what Python
itself would have called.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import PATIENCE, environment

ROOT = Path(__file__).parents[2]
SHIPPED = ("apiops", "schemas", "deploy", "examples", "action.yml", "Makefile")
NOWHERE = re.compile(r"[a-z0-9_-]+|127\.0\.0\.1|\[::1\]|([a-z0-9-]+\.)*example")
"""Names without a dot, the loopback address, and names that RFC 2606 keeps for examples."""

NAMES_OF_FORMATS = {
    "git-lfs.github.com",  # what a pointer of Git LFS begins with
    "json-schema.org",  # which draft a schema is written in
    "json.schemastore.org",
    "schemas.xmlsoap.org",  # namespaces of XML documents
    "www.w3.org",
}
"""Identifiers that look like addresses; nothing ever opens them."""

HOOK = """
import sys
def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"}:
        address = arguments[-1] if event == "socket.connect" else arguments[0]
        print(f"CALLED {event} {address}", file=sys.__stderr__)
sys.addaudithook(watch)
sys.argv[0] = "apiops"
from apiops.cli.main import main
main()
"""


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`apiops …` in a network namespace without any interface that is up."""
    isolated = ["unshare", "--user", "--map-root-user", "--net"]
    return subprocess.run(
        [*isolated, sys.executable, "-c", HOOK, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
    )


def test_in_the_namespace_there_is_no_way_out() -> None:
    probe = "import socket; socket.create_connection(('192.0.2.1', 9), 1)"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "unreachable" in done.stderr


def test_the_hook_sees_a_call() -> None:
    probe = (
        HOOK.partition("sys.argv")[0]
        + "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert "CALLED socket.connect" in done.stderr


@pytest.mark.slow
def test_the_whole_story_runs_without_a_network_and_calls_nobody(tmp_path: Path) -> None:
    done = alone("demo", "--keep", str(tmp_path / "kept"))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "chain holds" in done.stdout
    assert "CALLED" not in done.stderr


@pytest.mark.parametrize("verb", ["version", "doctor", "validate", "schema", "explain AO203"])
def test_verbs_that_only_look_call_nobody(verb: str, tmp_path: Path) -> None:
    done = alone(*verb.split(), *(["-C", str(tmp_path)] if verb in {"doctor", "validate"} else []))
    assert done.returncode in {0, 1, 3, 64}
    assert "CALLED" not in done.stderr


def hosts(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    found = re.findall(
        r"[a-z][a-z0-9+.-]*://(?:[^/@\s\"']*@)?(\[[0-9a-f:]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)", text
    )
    return {host.rstrip(".").lower() for host in found}


def test_no_name_of_a_host_stands_in_what_we_ship() -> None:
    files = [
        file
        for name in SHIPPED
        for file in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    strangers = {
        f"{file.relative_to(ROOT)}: {host}"
        for file in files
        for host in hosts(file) - NAMES_OF_FORMATS
        if not NOWHERE.fullmatch(host)
    }
    assert set() == strangers
