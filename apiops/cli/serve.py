"""`apiops manager serve`: the Manager over HTTP."""

import functools
from pathlib import Path
from typing import Any

import click

from apiops.cli import options, remote
from apiops.cli.options import Place
from apiops.errors import Exit, UsageError

_LAST_PORT = 65535
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "serve",
    cls=options.Verb,
    examples=(
        "apiops manager serve --target production",
        (
            "apiops manager serve --target production --listen 0.0.0.0:8443 "
            "--tls-cert server.pem --tls-key server.key"
        ),
        "apiops manager serve --target production --listen 0.0.0.0:8080 --behind-proxy 10.0.0.7",
    ),
)
@options.place
@options.target
@options.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8443",
    show_default=True,
    help="Where to listen. Beyond the loopback address only with TLS, or behind a proxy.",
)
@options.option("--tls-cert", type=_FILE, help="Our certificate with its chain, in PEM.")
@options.option("--tls-key", type=_FILE, help="Its private key, in PEM.")
@options.option("--client-ca", type=_FILE, help="Only clients with a certificate of this CA.")
@options.option(
    "--behind-proxy",
    metavar="ADDRESS",
    default="",
    help="A proxy there ends TLS; its word on the client's address counts.",
)
@options.option(
    "--repositories",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for submitted commits (default, with SQLite: beside the database).",
)
@options.option(
    "--fetch-from",
    metavar="URL",
    help="The repository that a submission may name a commit of, instead of carrying it.",
)
@options.option(
    "--checkpoint-every",
    type=options.Duration(),
    metavar="TIME",
    help="Sign what the log is every so often (90s, 5m, 1h), at the start and at the end.",
)
@options.deliberate(
    "--checkpoint-to",
    type=_FILE,
    help="Keep these checkpoints in this file. One that is there already must agree.",
)
@remote.login
@click.pass_obj
def command(place: Place, /, listen: str, repositories: Path | None, **chosen: Any) -> int:
    """Serve the Manager over HTTP: plans, applies, drift, the audit log, tokens.

    Runs are submitted as Git commits. The server verifies their signatures, judges, plans and
    applies by itself, with the committers' rights; a client's claims count for nothing.
    """
    from apiops.cli import entry
    from apiops.wiring import serving, source

    web = _web()
    host, port = _address(listen)
    keeping = _keeping(web, chosen["checkpoint_every"], chosen["checkpoint_to"])
    names = ("tls_cert", "tls_key", "client_ca", "behind_proxy")
    listening = web.Listening(host, port, **{name: chosen[name] for name in names})
    web.check(listening)
    target = entry.chosen_target(place, chosen)
    fetching = (chosen["fetch_from"], functools.partial(source.login, *remote.files(chosen)))
    with serving.opened(place.settings, target, repositories, *fetching) as opened:
        opened.inbox.ready()
        if opened.mirror is not None:
            opened.mirror.ready()
        click.echo(f"serving the Manager of {target.name} on {host} port {port}", err=True)
        web.serve(opened, listening, keeping)
    return Exit.OK


def _web() -> Any:
    """The serving module. Raises UsageError AO792 when the extra is not installed."""
    try:
        from apiops.web import serve
    except ModuleNotFoundError as fault:
        raise UsageError(
            f"serving needs {fault.name}, which is not installed",
            code="AO792",
            hint="install apiops with its extra: pip install 'apiops[web]'",
        ) from None
    return serve


def _keeping(web: Any, every: float | None, file: Path | None) -> Any:
    """How checkpoints are kept; None: not at all. Raises UsageError AO905."""
    from apiops.cli import console

    if (every is None) != (file is None):
        raise UsageError(
            "checkpoints need a time and a file",
            code="AO905",
            hint="give --checkpoint-every and --checkpoint-to, or neither",
        )
    if every is None or file is None:
        return None
    console.require_writable(file)
    return web.Keeping(file.absolute(), every, console.write)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(
            f'"{text}" is no address to listen on',
            code="AO905",
            hint="write HOST:PORT, for example 127.0.0.1:8443 or [::1]:8443",
        )
    return host.strip("[]"), int(port)
