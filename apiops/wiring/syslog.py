"""Audit entries to a syslog receiver: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587,
octet counting), TLS (RFC 5425) or a Unix socket.

A receiver's certificate is believed if an authority of the system signed it, or one in the file
that SSL_CERT_FILE names.

An entry is one message of facility 13 (log audit); its text is the same JSON line that an export
has. A datagram holds no long entries: there the texts behind the digest are left out, and the
message says so.
"""

import re
import socket
import ssl
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson

from apiops.errors import ManagerUnavailable, UsageError
from apiops.manager import export
from apiops.model import canonical

FACILITY: Final = 13
NOTICE: Final = 5
WARNING: Final = 4
MAX_DATAGRAM: Final = 8192
TIMEOUT: Final = 10.0

_VERSION: Final = 1
_BOM: Final = b"\xef\xbb\xbf"
_PORT: Final = 514
_TLS: Final = "syslog+tls"
_TLS_PORT: Final = 6514
_NAME: Final = re.compile(r"[!-~]{1,32}")
_STREAMS: Final = ("syslog+tcp", _TLS)
_SCHEMES: Final = ("syslog+udp", "syslog+unix", *_STREAMS)


def message(line: bytes, *, host: str, longest: int | None = None) -> bytes:
    """A line of an export as a syslog message, at most `longest` bytes."""
    entry = orjson.loads(line)
    severity = WARNING if entry["outcome"] == "denied" else NOTICE
    name = entry["action"] if _NAME.fullmatch(entry["action"]) else "-"
    priority = FACILITY * 8 + severity
    header = f"<{priority}>{_VERSION} {entry['at']} {host} apiops - {name} - ".encode() + _BOM
    text = line.rstrip(b"\n")
    if longest is not None and len(header) + len(text) > longest:
        kept = {k: v for k, v in entry.items() if k not in ("stored", "delta")}
        text = canonical.encode(kept | {"truncated": True})[: longest - len(header)]
    return header + text


class Syslog:
    """A connection to a receiver. `close` it."""

    def __init__(self, url: str) -> None:
        """Connect. Raises UsageError AO776 for the URL, ManagerUnavailable AO777."""
        parts = _parsed(url)
        self._url = url
        self._stream = parts.scheme in _STREAMS
        self._host = socket.gethostname() if _NAME.fullmatch(socket.gethostname()) else "-"
        try:
            self._socket = _connected(parts)
        except OSError as fault:
            raise _unavailable(url, fault) from None

    def send(self, rows: list[Any]) -> None:
        """Send entries, oldest first. Raises ManagerUnavailable AO777."""
        longest = None if self._stream else MAX_DATAGRAM
        try:
            for row in rows:
                text = message(export.line(row), host=self._host, longest=longest)
                self._socket.sendall(b"%d %s" % (len(text), text) if self._stream else text)
        except OSError as fault:
            raise _unavailable(self._url, fault) from None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.path if parts.scheme == "syslog+unix" else parts.hostname
        known = parts.scheme in _SCHEMES and bool(good) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            f'"{url}" names no syslog receiver',
            code="AO776",
            hint="write syslog+tls://HOST:6514, syslog+tcp://HOST:514, syslog+udp://HOST:514 or "
            "syslog+unix:///dev/log",
        )
    return parts


def _connected(parts: SplitResult) -> socket.socket:
    if parts.scheme in _STREAMS:
        port = parts.port or (_TLS_PORT if parts.scheme == _TLS else _PORT)
        stream = socket.create_connection((parts.hostname, port), TIMEOUT)
        return _secured(stream, parts.hostname) if parts.scheme == _TLS else stream
    if parts.scheme == "syslog+unix":
        found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address: Any = parts.path
    else:
        address = (parts.hostname, parts.port or _PORT)
        family = socket.getaddrinfo(address[0], address[1], type=socket.SOCK_DGRAM)[0][0]
        found = socket.socket(family, socket.SOCK_DGRAM)
    found.settimeout(TIMEOUT)
    try:
        found.connect(address)
    except OSError:
        found.close()
        raise
    return found


def _secured(stream: socket.socket, host: str | None) -> socket.socket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        return context.wrap_socket(stream, server_hostname=host)
    except OSError:
        stream.close()
        raise


def _unavailable(url: str, fault: OSError) -> ManagerUnavailable:
    return ManagerUnavailable(
        f"the syslog receiver {url} does not take entries: {fault.strerror or fault}",
        code="AO777",
        hint="run it again: with --position it goes on after the last entry that was sent",
    )
