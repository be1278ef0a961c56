"""Print the outputs of action.yml, one NAME=VALUE a line, from a plan in JSON."""

import json
import sys
from pathlib import Path


def main(path: str) -> None:
    """Read the plan at `path`; the names are those of action.yml."""
    plan = json.loads(Path(path).read_text(encoding="utf-8"))["plan"]
    actions = [change["action"] for change in plan["changes"]]
    print(f"changes={len(actions)}")
    for action in ("create", "update", "delete"):
        print(f"{action}s={actions.count(action)}")
    print(f"digest={plan['digest']}")


if __name__ == "__main__":
    main(sys.argv[1])
