"""Reference pages that are written from code, so that they cannot grow stale.

`PAGES` maps a file under the project's root to the function that gives its text; `make generate`
writes them and a test compares. What users rely upon stands here: codes and exit codes.
"""

from collections.abc import Callable, Iterator
from typing import Final

from apiops.errors import ApiopsError, Exit
from apiops.model import codes
from apiops.model.diagnostic import Code

GENERATED: Final = "<!-- Written from code by `make generate`; do not edit. -->"

MEANINGS: Final = {
    Exit.OK: "Done, or nothing to do.",
    Exit.FAILED: "An error that has no code of its own below; when unexpected, a bug to report.",
    Exit.CHANGES: "Succeeded, and there are changes. Only with `--detailed-exitcode`.",
    Exit.INVALID: "The specifications, or the repository that holds them, are not valid.",
    Exit.DENIED: "Permission was denied.",
    Exit.REFUSED: "A guard refused the plan, or it is stale, altered or not the approved one.",
    Exit.SECRETS: "A secret could not be opened: no identity, or its file was tampered with.",
    Exit.UNAVAILABLE: "The Git remote or the Manager does not answer, or another run goes on.",
    Exit.PARTIAL: "Some changes were applied and some failed; the report says which.",
    Exit.USAGE: "Wrong flags, arguments or settings.",
    Exit.INTERRUPTED: "Interrupted from the keyboard.",
}
"""What each exit code says to whoever called."""

RETRY: Final = {Exit.UNAVAILABLE: "yes", Exit.PARTIAL: "after a look"}
"""Whether the same call may succeed later; what is not named never does by itself."""


def code_page() -> str:
    """Every diagnostic code: what it says, why it exists, how to mend it."""
    lines = [
        GENERATED,
        "# Codes",
        "",
        "Every finding and every error has a code. A code is never reused with another meaning;",
        "`apiops explain AO203` prints its entry in a terminal.",
        "",
    ]
    for prefix, about in codes.FAMILIES.items():
        family = [code for id, code in codes.ALL.items() if id.startswith(prefix)]
        if family:
            lines += [f"## {prefix}xx – {about}", ""]
            lines += [line for code in family for line in _code(code)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _code(code: Code) -> Iterator[str]:
    yield f"### {code.id}"
    yield ""
    yield f"**{code.title}**"
    yield ""
    yield code.why
    yield ""
    yield f"*What to do:* {code.fix}"
    yield ""


def exit_page() -> str:
    """Every exit code, the errors that end with it, and whether to try again."""
    lines = [
        GENERATED,
        "# Exit codes",
        "",
        "An exit code says what a script should do next; the code in the message says why.",
        "",
        "| exit | name | meaning | errors | retry? |",
        "|---|---|---|---|---|",
    ]
    for number in Exit:
        errors = ", ".join(f"`{name}`" for name in _errors(number)) or "–"
        retry = RETRY.get(number, "–" if number in {Exit.OK, Exit.CHANGES} else "no")
        lines.append(
            f"| {number.value} | {number.name} | {MEANINGS[number]} | {errors} | {retry} |"
        )
    return "\n".join(lines) + "\n"


def _errors(number: Exit) -> list[str]:
    return sorted(kind.__name__ for kind in _family(ApiopsError) if kind.exit_code is number)


def _family(kind: type[ApiopsError]) -> Iterator[type[ApiopsError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == ApiopsError.__module__:
            yield from _family(child)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/reference/codes.md": code_page,
    "docs/reference/exit-codes.md": exit_page,
}
"""File → the function that gives its text."""
