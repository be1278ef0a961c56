#!/usr/bin/env bash
# Install apiops into $RUNNER_TEMP/apiops: from the index, or from the folder $WHEELS alone.
set -euo pipefail

python3 -m venv "$RUNNER_TEMP/apiops"
pip=("$RUNNER_TEMP/apiops/bin/pip" --disable-pip-version-check --quiet install)

if [ -n "$WHEELS" ]; then
  # The bundle was made on a machine with network, by `make bundle`; the hashes are checked here.
  "${pip[@]}" --no-index --find-links "$WHEELS" --require-hashes -r "$WHEELS/requirements.lock"
  "${pip[@]}" --no-index --no-deps "$WHEELS"/apiops-*.whl
else
  "${pip[@]}" --require-hashes -r "$GITHUB_ACTION_PATH/requirements.lock"
  "${pip[@]}" --no-deps "$GITHUB_ACTION_PATH"
fi
