"""What goes to stdout, to stderr and to files. The artefact is on stdout, all else on stderr."""

import os
import secrets
import stat
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import click

from apiops.cli.progress import DELAY, Progress
from apiops.errors import ApiopsError, UsageError
from apiops.ports import Event
from apiops.render import ink, machine, render

STREAMS: Final = frozenset({"jsonl"})
"""Formats that tell what happens while it does, before the value that comes last."""


Output = tuple[str, Path | None]
"""A format and its file (None: stdout)."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command's outputs go."""

    outputs: tuple[Output, ...]
    color: str = "auto"
    quiet: bool = False
    _begun: set[Output] = field(default_factory=set)
    _drawn: list[Progress] = field(default_factory=list)

    @classmethod
    def open(
        cls, outputs: Iterable[str], color: str, *, quiet: bool, formats: Iterable[str]
    ) -> "Console":
        """Parse `FORMAT[=FILE]` values.

        Raises UsageError for an unknown format, two outputs to one place, and (AO907) a file that
        could not be written: found now, and not when the work is done.
        """
        known = tuple(formats)
        parsed = tuple(_output(value, known) for value in outputs)
        place, times = Counter(file for _, file in parsed).most_common(1)[0]
        if times > 1:
            raise UsageError(
                f"two outputs want {place or 'stdout'}",
                code="AO905",
                hint="give each a place of its own: -o text -o json=plan.json",
            )
        for _, file in parsed:
            if file is not None:
                require_writable(file)
        return cls(parsed, color, quiet)

    def show(self, value: Any) -> None:
        """Write the artefact in every format that was asked for."""
        for output in self.outputs:
            self._write(output, value)

    def fail(self, fault: ApiopsError) -> None:
        """Write the error that ends a command where a machine waits for an artefact.

        People read it on stderr. An output that was written before keeps what it has.
        """
        for output in self.outputs:
            format, file = output
            waits = output not in self._begun or format in STREAMS
            if waits and (file is not None or format != "text"):
                with suppress(UsageError):
                    self._write(output, fault)

    def text(self, value: Any) -> str:
        """What `show` writes to the first output."""
        return self._text(self.outputs[0], value)

    def _write(self, output: Output, value: Any) -> None:
        self._put(output, self._text(output, value))

    def _text(self, output: Output, value: Any) -> str:
        if output == ("text", None):
            return _drawn(value, sys.stdout, self.color)
        return render(value, output[0])

    def _put(self, output: Output, text: str) -> None:
        """Write to an output; one that is a stream grows, any other is replaced."""
        format, file = output
        if file is None:
            self._hide()
            put(text)
        elif format in STREAMS and output in self._begun:
            append(file, text.encode())
        else:
            write(file, text.encode())
        self._begun.add(output)

    def note(self, value: Any) -> None:
        """Show a value to people, on stderr, whatever the artefact's format."""
        self._hide()
        click.echo(_drawn(value, sys.stderr, self.color), nl=False, err=True, color=True)

    def say(self, text: str) -> None:
        """One line for people, on stderr; silent with -q."""
        if not self.quiet:
            self._hide()
            click.echo(text, err=True)

    def warn(self, text: str, hint: str = "") -> None:
        """Something that went wrong beside the work, on stderr, with -q as well."""
        self._hide()
        click.echo(f"warning: {text}" + (f"\n  {hint}" if hint else ""), err=True)

    def progress(self, *, delay: float = DELAY) -> Progress:
        """The observer that draws the progress line; whatever else is shown takes it away first."""
        drawn = Progress(sys.stderr, quiet=self.quiet, delay=delay, follow=self._follow)
        self._drawn.append(drawn)
        return drawn

    def _hide(self) -> None:
        for progress in self._drawn:
            progress.hide()

    def _follow(self, event: Event) -> None:
        """Write an event to the outputs that are streams.

        One that takes no more stops no run: the artefact itself finds that out.
        """
        for output in self.outputs:
            if output[0] in STREAMS:
                with suppress(UsageError):
                    self._put(output, machine.event(event))


def tell(fault: ApiopsError) -> None:
    """Show an error and, where it carries them, its diagnostics."""
    click.echo(_drawn(fault, sys.stderr), nl=False, err=True, color=True)


def _drawn(value: Any, stream: TextIO, color: str = "auto") -> str:
    """A value as text for a stream: in colour and as wide as what it leads to can show."""
    colour = ink.wanted(stream, choice=color)
    return render(value, "text", colour=colour, width=ink.width(stream))


def put(content: str | bytes) -> None:
    """Write to stdout. Raises UsageError AO907 when it takes no more.

    A reader that went away (`| head`) has seen what it wanted: the rest goes nowhere, and the
    exit code stays that of the work.
    """
    try:
        click.echo(content, nl=False, color=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except OSError as fault:
        raise _unwritable("standard output", fault) from None


def _output(value: str, known: tuple[str, ...]) -> tuple[str, Path | None]:
    format, equals, file = value.partition("=")
    if format not in known:
        raise UsageError(
            f'this verb has no output format "{format}"',
            code="AO905",
            hint=f"it has: {', '.join(known)}",
        )
    if equals and not file:
        raise UsageError(
            f'"-o {value}" names no file',
            code="AO905",
            hint=f"write -o {format}=FILE, or -o {format} for stdout",
        )
    return format, Path(file) if file else None


def require_writable(file: Path) -> None:
    """Raise UsageError AO907 unless the file could be written now; it is not touched."""
    try:
        if file.is_dir():
            raise IsADirectoryError(0, "it is a directory")
        if not file.parent.is_dir():
            raise FileNotFoundError(0, f"there is no directory {file.parent}")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise PermissionError(0, "permission denied")
    except OSError as fault:
        raise _unwritable(str(file), fault) from None


def write(file: Path, content: bytes) -> None:
    """Replace the file's content at once: a reader, or a full disk, never sees half of it.

    What cannot be replaced (a pipe, a terminal, a file in a closed folder) is written as it is.
    Raises UsageError AO907 when that cannot be done; a file keeps its old content then.
    """
    try:
        regular = file.is_file() if file.exists() else True
        if regular and os.access(file.resolve().parent, os.W_OK):
            _replace(file.resolve(), content)
        else:
            file.write_bytes(content)
    except OSError as fault:
        raise _unwritable(str(file), fault) from None


def append(file: Path, content: bytes) -> None:
    """Add to the end of a file. Raises UsageError AO907."""
    try:
        with file.open("ab") as stream:
            stream.write(content)
    except OSError as fault:
        raise _unwritable(str(file), fault) from None


def _replace(file: Path, content: bytes) -> None:
    """Write beside the file and rename; the mode stays, a new file has the shell's."""
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(beside, flags, 0o666 if mode is None else mode), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(file)
        _settle(file.parent)
    finally:
        beside.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have the new name on disk before anything else happens (where folders can be synced)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(place: str, fault: OSError) -> UsageError:
    return UsageError(
        f"{place} cannot be written: {fault.strerror}",
        code="AO907",
        hint="choose a place that you may write to and that has space",
    )
