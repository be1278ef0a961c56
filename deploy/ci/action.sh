#!/usr/bin/env bash
# The working step of action.yml. Inputs come as environment variables, never as text in a script.
set -euo pipefail

apiops="$RUNNER_TEMP/apiops/bin/apiops"
plan="$RUNNER_TEMP/apiops-plan.json"
counts="$RUNNER_TEMP/apiops-counts.json"
report="$RUNNER_TEMP/apiops-report.md"

[ -n "$MANAGER" ] && export APIOPS_MANAGER="$MANAGER"
[ -n "$PULL_REQUEST" ] && export APIOPS_PULL_REQUEST="$PULL_REQUEST"
export APIOPS_DIRECTORY="$DIRECTORY"
unset APIOPS_OUTPUT

if [ "$COMMAND" = auto ]; then
  if [ "$GITHUB_EVENT_NAME" = push ]; then COMMAND=sync; else COMMAND=plan; fi
fi
: >"$report"

code=0
"$apiops" validate -o text -o markdown="$report" || code=$?
if [ "$code" -eq 0 ]; then
  case "$COMMAND" in
    validate) ;;
    plan)
      "$apiops" plan -o text -o markdown="$report" -o json="$counts" --out "$plan" || code=$?
      ;;
    sync)
      "$apiops" sync -o text -o markdown="$report" || code=$?
      ;;
    *)
      echo "::error title=apiops::command must be auto, validate, plan or sync, not '$COMMAND'"
      code=64
      ;;
  esac
fi

cat "$report" >>"$GITHUB_STEP_SUMMARY"
{
  echo "exit-code=$code"
  echo "report-file=$report"
  if [ -s "$counts" ]; then
    echo "plan-file=$plan"
    "$RUNNER_TEMP/apiops/bin/python" "$GITHUB_ACTION_PATH/deploy/ci/outputs.py" "$counts"
  fi
} >>"$GITHUB_OUTPUT"

if [ "$code" -eq 0 ] && [ "$FAIL_ON" = changes ] && [ -s "$counts" ]; then
  grep -q '^changes=0$' "$GITHUB_OUTPUT" || code=2
fi
exit "$code"
