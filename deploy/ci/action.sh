#!/usr/bin/env bash
# The working step of action.yml. Inputs come as environment variables, never as text in a script.
set -euo pipefail

apiops="$RUNNER_TEMP/apiops/bin/apiops"
plan="$RUNNER_TEMP/apiops-plan.json"
counts="$RUNNER_TEMP/apiops-counts.json"
report="$RUNNER_TEMP/apiops-report.md"
sarif="$RUNNER_TEMP/apiops.sarif"
annotations="$RUNNER_TEMP/apiops-annotations"

[ -n "$MANAGER" ] && export APIOPS_MANAGER="$MANAGER"
[ -n "$PULL_REQUEST" ] && export APIOPS_PULL_REQUEST="$PULL_REQUEST"
[ "$STATUS" = true ] && export APIOPS_STATUS=true
export APIOPS_DIRECTORY="$DIRECTORY" APIOPS_COMMENT="$COMMENT"
unset APIOPS_OUTPUT

# A fork's job gets no secrets and a token that may only read: nothing is opened, nobody is told.
if [ "$FORK" = true ]; then
  export APIOPS_NO_SECRETS=true APIOPS_COMMENT=never
  unset APIOPS_STATUS
fi

if [ "$COMMAND" = auto ]; then
  if [ "$GITHUB_EVENT_NAME" = push ]; then COMMAND=sync; else COMMAND=plan; fi
fi
: >"$report"

# Run a verb for people, for the summary and for annotations at once; its exit code is in `code`.
run() {
  code=0
  : >"$annotations"
  "$apiops" "$@" -o text -o markdown="$report" -o github="$annotations" || code=$?
  cat "$annotations"
}

run validate -o sarif="$sarif"
if [ "$code" -eq 0 ]; then
  case "$COMMAND" in
    validate) ;;
    plan)
      run plan -o json="$counts" --out "$plan"
      # A fork's job has neither the Manager's address nor a token: what could be checked, was.
      if [ "$FORK" = true ] && grep -q 'title=apiops AO908' "$annotations"; then
        code=0
        note="This pull request comes from a fork, and nothing says how to reach the Manager without a secret: its specifications are valid, and no plan was made."
        echo "::notice title=apiops::$note"
        echo "$note" >"$report"
      fi
      ;;
    apply) run apply --approve "$APPROVE" --no-input ;;
    sync) run sync ;;
    *)
      echo "::error title=apiops::command must be auto, validate, plan, apply or sync"
      code=64
      ;;
  esac
fi

cat "$report" >>"$GITHUB_STEP_SUMMARY"
{
  echo "exit-code=$code"
  echo "report-file=$report"
  echo "sarif-file=$sarif"
  if [ -s "$counts" ] && [ -s "$plan" ]; then
    echo "plan-file=$plan"
    "$RUNNER_TEMP/apiops/bin/python" "$GITHUB_ACTION_PATH/deploy/ci/outputs.py" "$counts"
  fi
} >>"$GITHUB_OUTPUT"

case "$FAIL_ON" in
  never) code=0 ;;
  changes)
    if [ "$code" -eq 0 ] && [ -s "$plan" ]; then
      grep -q '^changes=0$' "$GITHUB_OUTPUT" || code=2
    fi
    ;;
esac
exit "$code"
