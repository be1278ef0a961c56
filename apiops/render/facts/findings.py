"""What there is to say about findings as a whole."""

from apiops.model.diagnostic import Severity
from apiops.model.view import Findings
from apiops.render import words


def tally(findings: Findings) -> str:
    """How many findings of each severity, in how many files, and how much was checked."""
    if not findings.diagnostics:
        return f"No findings. {words.plural(findings.checked, 'document')} checked."
    numbers = [
        words.plural(findings.count(severity), severity.value)
        for severity in Severity
        if findings.count(severity)
    ]
    checked = f" ({words.plural(findings.checked, 'document')} checked)" if findings.checked else ""
    return f"{', '.join(numbers)} in {words.plural(findings.files, 'file')}{checked}"
