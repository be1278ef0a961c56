"""What `apiops doctor` found, one line per check, with the fix below it."""

from typing import Final

from apiops.model.doctor import DoctorReport, Health
from apiops.render import words
from apiops.render.ink import Page
from apiops.render.layout import Ink

INKS: Final = {Health.OK: Ink.GOOD, Health.WARN: Ink.CARE, Health.FAIL: Ink.BAD}


def page(report: DoctorReport) -> Page:
    """Draw the checks in the order in which they were made."""
    out = Page()
    width = max((len(check.name) for check in report.checks), default=0)
    for check in report.checks:
        status = (f"{check.status.value:<4}", INKS[check.status])
        then = " " * (9 + width)
        out.line(status, f"  {check.name:<{width}}   {check.message}", then=then)
        if check.fix and check.status is not Health.OK:
            out.line(f"{then}fix: {check.fix}", then=then)
    _settings(out, report)
    out.gap()
    out.line((_verdict(report), Ink.STRONG))
    return out


def _settings(out: Page, report: DoctorReport) -> None:
    """Draw what is set in columns: the value as it is, for copying, and who said so."""
    out.gap()
    name = max((len(one.name) for one in report.settings), default=0)
    value = max((len(one.value) for one in report.settings), default=0)
    for one in report.settings:
        told = f"{one.name:<{name}}   {one.value:<{value}}   "
        out.line(told, (one.source, Ink.QUIET), then=" " * (name + 3))


def _verdict(report: DoctorReport) -> str:
    failed = sum(check.status is Health.FAIL for check in report.checks)
    warned = sum(check.status is Health.WARN for check in report.checks)
    if not failed and not warned:
        return "Ready."
    head = "Ready" if not failed else "Not ready"
    counts = [words.plural(failed, "failure")] if failed else []
    counts += [words.plural(warned, "warning")] if warned else []
    return f"{head}: {', '.join(counts)}."
