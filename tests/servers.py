"""Small real HTTP servers on the loopback address, that answer as a test says.

with Told(lambda request: (200, {}, b"{}")) as server:      server.url, server.seen
with Told(answer, tls=certificates(tmp_path)) as server:    https, with its own authority
"""

import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Reply = tuple[int, Mapping[str, str], bytes]


class Handler(BaseHTTPRequestHandler):
    """Handles a request of any method with `answered`, which each server's own has."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __getattr__(self, name: str) -> Any:
        """`do_GET` and its kin."""
        if name.startswith("do_"):
            return self.answered
        raise AttributeError(name)

    def body(self) -> bytes:
        """What the client sent with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def say(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """The whole answer."""
        self.head(status, headers, len(content))
        self.wfile.write(content)

    def head(self, status: int, headers: Mapping[str, str], length: int) -> None:
        """The answer's head alone."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Nothing on stderr."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    owner: Any

    def handle_error(self, *given: Any) -> None:
        """Clients that go away in the middle are what some tests are about; the rest is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*given)


class Loopback:
    """A server that runs while it is entered. Its handlers find it as `self.server.owner`."""

    def __init__(
        self, handler: type[Handler], tls: "Certificates | None" = None, *, mutual: bool = False
    ) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.owner = self
        self._scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.server, tls.server_key)
            if mutual:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(tls.authority)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Told(Loopback):
    """A server that answers every request with what `answer` gives, and remembers them."""

    def __init__(
        self,
        answer: Callable[[Request], Reply],
        tls: "Certificates | None" = None,
        mutual: bool = False,
    ) -> None:
        super().__init__(_Told, tls, mutual=mutual)
        self.seen: list[Request] = []
        self.answer = answer


class _Told(Handler):
    def answered(self) -> None:
        owner: Told = self.server.owner
        request = Request(self.command, self.path, dict(self.headers.items()), self.body())
        owner.seen.append(request)
        self.say(*owner.answer(request))


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, a server at 127.0.0.1, and a client."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def certificates(folder: Path) -> Certificates:
    """A new authority and what it signed, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    root = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Test authority", root, "Test authority", root, authority=True)
    files = {"authority": _pem(folder / "authority.pem", authority)}
    for role in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(role, key, "Test authority", root)
        files[role] = _pem(folder / f"{role}.pem", made)
        files[f"{role}_key"] = folder / f"{role}.key"
        files[f"{role}_key"].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return Certificates(**files)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _pem(file: Path, certificate: x509.Certificate) -> Path:
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file
