"""What there is to say about findings as a whole."""

from apiops.model.diagnostic import Severity
from apiops.model.view import Findings
from apiops.render import words


def tally(findings: Findings) -> str:
    """How many findings of each severity, in how many files, of how many checked."""
    if not findings.diagnostics:
        return f"No findings. {words.plural(findings.checked, 'file')} checked."
    numbers = [
        words.plural(findings.count(severity), severity.value)
        for severity in Severity
        if findings.count(severity)
    ]
    checked = f" ({findings.checked:,} checked)" if findings.checked else ""
    return f"{', '.join(numbers)} in {words.plural(findings.files, 'file')}{checked}"
