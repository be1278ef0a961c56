"""The pipelines to copy for GitLab and Jenkins: their own scripts, run as their runners would."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.forges import StandIn
from tests.shop import DENIZ, MERT, Shop, a_proxy

ROOT = Path(__file__).parents[2]
GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "deploy/ci/gitlab/apiops.yml").read_text())
JENKINS = (ROOT / "deploy/ci/jenkins/Jenkinsfile").read_text()
STEERING = ("APIOPS_", "SOPS_", "GITHUB_", "GITLAB_", "GITEA_", "CI_")
CHANGED = a_proxy("orders").replace("readTimeout: 60", "readTimeout: 90")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """The small bank, applied once, with a change that waits; its target is the pipelines'."""
    made = Shop(tmp_path / "bank")
    made.begin()
    made.commit(MERT, {"payments/orders.yaml": CHANGED}, "Wait longer")
    return made


def environment(shop: Shop, given: Mapping[str, str]) -> dict[str, str]:
    """What a runner gives to a script; `apiops` on the PATH is the one that is tested."""
    folder = shop.folder / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "apiops"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m apiops "$@"\n')
    command.chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(STEERING)}
    return {**inherited, **given, "APIOPS_TARGET": "dev", "PATH": f"{folder}:{os.environ['PATH']}"}


def run(shop: Shop, script: Sequence[str], given: Mapping[str, str]) -> tuple[int, str]:
    """The lines of a script, as one shell; exit code and all that was printed."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(script)],
        cwd=shop.repository,
        env=environment(shop, given),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def gitlab(shop: Shop, job: str, **more: str) -> tuple[int, str]:
    """A job with the variables that it names, over those of the template that it extends."""
    extended = GITLAB[GITLAB[job]["extends"]]
    variables = {**extended["variables"], **GITLAB[job].get("variables", {}), **more}
    return run(shop, GITLAB[job]["script"], variables)


def reports(shop: Shop, job: str) -> dict[str, str]:
    """The reports that a job hands in, by their kind; every file must be there."""
    named = GITLAB[job]["artifacts"]["reports"]
    return {kind: (shop.repository / file).read_text() for kind, file in named.items()}


def test_a_merge_request_on_gitlab_is_planned_noted_and_counted(shop: Shop) -> None:
    with StandIn("gitlab") as forge:
        code, printed = gitlab(shop, "plan", **forge.variables())
        assert 0 == code, printed
        (note,) = forge.comments.values()
    assert "readTimeout" in note
    found = reports(shop, "plan")
    assert [] == json.loads(found["codequality"])
    assert {"create": 0, "update": 1, "delete": 0} == json.loads(found["terraform"])
    assert ET.fromstring(found["junit"]).tag == "testsuites"
    (plan,) = GITLAB["plan"]["artifacts"]["paths"]
    assert 0 == shop.run("apply", plan).code


def test_invalid_specifications_fail_the_job_on_gitlab_beside_the_lines(shop: Shop) -> None:
    shop.commit(MERT, {"payments/orders.yaml": CHANGED.replace("readTimeout", "readTimeoutt")})
    code, _ = gitlab(shop, "plan", APIOPS_COMMENT="never")
    quality = json.loads((shop.repository / "apiops-quality.json").read_text())
    assert (3, ["AO203"]) == (code, [one["check_name"] for one in quality])


def test_what_is_merged_on_gitlab_is_applied(shop: Shop) -> None:
    code, printed = gitlab(shop, "apply")
    assert 0 == code, printed
    assert {"junit"} == reports(shop, "apply").keys()
    assert "No changes." in shop.run("plan").out


def test_a_denied_commit_fails_the_job_on_gitlab(shop: Shop) -> None:
    shop.commit(DENIZ, {"payments/orders.yaml": CHANGED.replace("90", "91")}, "Not mine")
    assert 4 == gitlab(shop, "apply")[0]


def installed_on_gitlab(bundle: Path, folder: Path) -> tuple[int, str]:
    """What comes before every job, from a bundle alone; exit code and all that was printed."""
    script = [*GITLAB[".apiops"]["before_script"], "which apiops", "apiops version"]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(script)],
        env={
            "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "CI_BUILDS_DIR": str(folder),
            "APIOPS_WHEELS": str(bundle),
            "HTTPS_PROXY": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def stage(name: str) -> list[str]:
    """The script of a stage of the Jenkinsfile."""
    found = re.search(rf"stage\('{name}'\).*?sh '''(.*?)'''", JENKINS, re.DOTALL)
    assert found is not None
    return [found[1]]


def test_a_pull_request_on_jenkins_is_validated_and_planned(shop: Shop) -> None:
    for name in ("Validate", "Plan"):
        code, printed = run(shop, stage(name), {})
        assert 0 == code, printed
    made = {path.name for path in shop.repository.glob("apiops-*.*")}
    names = {"apiops-validate.xml", "apiops-plan.xml", "apiops-plan.md", "apiops-plan.json"}
    assert names == made
    assert "readTimeout" in (shop.repository / "apiops-plan.md").read_text()
    assert 0 == shop.run("apply", "apiops-plan.json").code


def test_what_is_merged_on_jenkins_is_applied(shop: Shop) -> None:
    code, printed = run(shop, stage("Apply"), {})
    assert 0 == code, printed
    assert (shop.repository / "apiops-apply.xml").exists()
    assert "No changes." in shop.run("plan").out


def test_no_secret_is_named_where_a_script_would_print_it() -> None:
    scripts = [line for job in ("plan", "apply") for line in GITLAB[job]["script"]]
    scripts += [line for name in ("Validate", "Plan", "Apply") for line in stage(name)]
    assert not [line for line in scripts if "KEY" in line or "TOKEN" in line or "${" in line]
