"""What a forge reads is what its own schema takes: the schemas come with check-jsonschema, so that
nothing is fetched.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHECK = Path(sys.executable).parent / "check-jsonschema"
FILES = {
    "action.yml": "vendor.github-actions",
    "deploy/ci/github/apiops.yml": "vendor.github-workflows",
    "deploy/ci/gitlab/apiops.yml": "vendor.gitlab-ci",
}


def checked(schema: str, file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(CHECK), "--builtin-schema", schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_forge_takes_and_would_be_refused_if_misspelled(
    name: str, tmp_path: Path
) -> None:
    done = checked(FILES[name], ROOT / name)
    assert 0 == done.returncode, done.stdout
    wrong = tmp_path / Path(name).name
    text = (ROOT / name).read_text()
    wrong.write_text(re.sub(r"^( *)(steps|script):", r"\1\2z: 5\n\1\2:", text, flags=re.MULTILINE))
    assert 1 == checked(FILES[name], wrong).returncode


def test_the_steps_of_the_how_to_are_steps_of_a_workflow(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/github.md").read_text()
    (steps,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    job = {"runs-on": "ubuntu-latest", "steps": yaml.safe_load(steps)}
    file = tmp_path / "workflow.yml"
    file.write_text(json.dumps({"on": "push", "jobs": {"apply": job}}))
    done = checked("vendor.github-workflows", file)
    assert 0 == done.returncode, done.stdout
