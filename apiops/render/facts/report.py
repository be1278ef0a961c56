"""What there is to say about a run that is over."""

from apiops.model.outcome import Result, RunReport
from apiops.render import words


def success(report: RunReport) -> str:
    """One line that says what a run did, for what, and how long it took."""
    done = report.count(Result.DONE)
    others = [
        f"{report.count(result):,} {result.value}"
        for result in Result
        if result is not Result.DONE and report.count(result)
    ]
    did = f"Applied {words.plural(done, 'change')}" if done or others else "Nothing to apply"
    rest = f" ({', '.join(others)})" if others else ""
    head = f" at {report.head[:7]}" if report.head else ""
    took = f"in {words.seconds(report.seconds)}.   run {report.run}"
    return f"{did} to {report.target}{head}{rest} {took}"


def places(report: RunReport) -> tuple[tuple[str, str], ...]:
    """Each unit and the commit it is at after the run, the System tier first."""
    names = sorted(
        {*report.applied, *report.frozen, *report.stuck}, key=lambda name: (name != "system", name)
    )
    return tuple((words.unit(name), _place(report, name)) for name in names)


def _place(report: RunReport, name: str) -> str:
    commit = report.applied.get(name, "")
    if name in report.stuck:
        return f"not moved: {report.stuck[name]}"
    if name in report.frozen:
        return f"frozen at {commit[:7]}" if commit else "frozen, never applied"
    return f"now at {commit[:7]}"


def after(report: RunReport) -> tuple[str, ...]:
    """What to do about what was not done: one line per code."""
    faults = dict.fromkeys(
        outcome.code
        for outcome in report.outcomes
        if outcome.code and outcome.result is not Result.DONE
    )
    return tuple(f"{code}: {words.advice(code)}" for code in faults)
