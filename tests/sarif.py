"""SARIF logs, judged by those who keep the standard: by its schema, and by the validator beside it.

run = sarif.valid(render.render(view, "sarif"))     the one run of a log, or what the schema says
sarif.remarks(tmp_path, path)                       what the validator says of these logs

Both come from the npm package of the SARIF SDK. Beyond the schema the validator knows the rules of
the standard that no schema can say, and what GitHub's code scanning takes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.process import PATIENCE

PACKAGE = Path(sys.prefix) / "npm/node_modules/@microsoft/sarif-multitool-linux"
SCHEMA = jsonschema_rs.Draft202012Validator(
    json.loads((PACKAGE / "sarif-2.1.0.json").read_text(encoding="utf-8-sig")),
    validate_formats=True,
)


def valid(log: str) -> dict[str, Any]:
    """The only run of a log. Raises ValidationError for one that the schema does not allow."""
    read = json.loads(log)
    SCHEMA.validate(read)
    run: dict[str, Any]
    (run,) = read["runs"]
    return run


def remarks(folder: Path, *logs: Path) -> set[tuple[str, str]]:
    """Level and rule of each error and warning; the folder is where the validator may write."""
    found = folder / "found.sarif"
    kinds = ["--rule-kind", "Sarif;Ghas", "--level", "Error;Warning"]
    done = subprocess.run(
        [PACKAGE / "Sarif.Multitool", "validate", *logs, *kinds, "--output", found],
        env={
            **os.environ,
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
            "DOTNET_BUNDLE_EXTRACT_BASE_DIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,  # it fails for what it finds as for what it cannot do: its words tell which
    )
    assert f"Done. {len(logs)} file" in done.stdout, done.stdout + done.stderr
    (run,) = json.loads(found.read_text(encoding="utf-8-sig"))["runs"]
    return {(one.get("level", "warning"), one["ruleId"]) for one in run["results"]}
