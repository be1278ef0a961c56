"""What goes to stdout, to stderr and to files. The artefact is on stdout, all else on stderr."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from apiops.cli.progress import Progress
from apiops.errors import ApiopsError, UsageError
from apiops.render import ink, render


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command's outputs go: formats with their file (None: stdout)."""

    outputs: tuple[tuple[str, Path | None], ...]
    color: str = "auto"
    quiet: bool = False

    @classmethod
    def open(
        cls, outputs: Iterable[str], color: str, *, quiet: bool, formats: Iterable[str]
    ) -> "Console":
        """Parse `FORMAT[=FILE]` values. Raises UsageError for unknown formats and two on stdout."""
        known = tuple(formats)
        parsed = tuple(_output(value, known) for value in outputs)
        if sum(file is None for _, file in parsed) > 1:
            raise UsageError(
                "two outputs want stdout",
                code="AO905",
                hint="give all but one a file: -o text -o json=plan.json",
            )
        return cls(parsed, color, quiet)

    def show(self, value: Any) -> None:
        """Write the artefact in every format that was asked for."""
        for format, file in self.outputs:
            if file is not None:
                write(file, render(value, format).encode())
            else:
                colour = format == "text" and ink.wanted(sys.stdout, choice=self.color)
                click.echo(render(value, format, colour=colour), nl=False, color=True)

    def note(self, value: Any) -> None:
        """Show a value to people, on stderr, whatever the artefact's format."""
        colour = ink.wanted(sys.stderr, choice=self.color)
        click.echo(render(value, "text", colour=colour), nl=False, err=True, color=True)

    def say(self, text: str) -> None:
        """One line for people, on stderr; silent with -q."""
        if not self.quiet:
            click.echo(text, err=True)

    def progress(self) -> Progress:
        """The observer that draws the progress line; close it before anything is shown."""
        return Progress(sys.stderr, quiet=self.quiet)


def tell(fault: ApiopsError) -> None:
    """Show an error and, where it carries them, its diagnostics."""
    colour = ink.wanted(sys.stderr)
    click.echo(render(fault, "text", colour=colour), nl=False, err=True, color=True)


def _output(value: str, known: tuple[str, ...]) -> tuple[str, Path | None]:
    format, _, file = value.partition("=")
    if format not in known:
        raise UsageError(
            f'this verb has no output format "{format}"',
            code="AO905",
            hint=f"it has: {', '.join(known)}",
        )
    return format, Path(file) if file else None


def write(file: Path, content: bytes) -> None:
    """Replace the file's content. Raises UsageError AO907 when that cannot be done."""
    try:
        file.write_bytes(content)
    except OSError as fault:
        raise UsageError(
            f"{file} cannot be written: {fault.strerror}",
            code="AO907",
            hint="choose a writable path",
        ) from None
