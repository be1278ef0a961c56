"""`apiops manager serve` as a process: where it listens, TLS, notices, and how it ends."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests import process
from tests.process import child
from tests.servers import Certificates, certificates
from tests.serving import Child, a_token
from tests.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.begin()
    return shop


@pytest.fixture
def tls(tmp_path: Path) -> Certificates:
    return certificates(tmp_path / "tls")


def token(shop: Shop, *scopes: str) -> str:
    with shop.open_manager() as manager:
        return a_token(manager, "ayse", *scopes)


def test_a_client_with_the_right_authority_plans_over_tls(shop: Shop, tls: Certificates) -> None:
    (shop.folder / "token").write_text(token(shop, "plan", "apply", "audit") + "\n")
    files = ("--tls-cert", tls.server, "--tls-key", tls.server_key)
    with Child(
        *("manager", "serve", "-t", "dev", "--listen", "127.0.0.1:0", *files),
        cwd=shop.repository,
        scheme="https",
    ) as server:
        client = shop.folder / "client.toml"
        client.write_text(
            f'[targets.dev]\nmanager = "{server.url}"\nca-file = "tls/authority.pem"\n'
            'token-file = "token"\n'
        )
        far = child("plan", "--config", client, cwd=shop.repository)
        log = child("audit", "list", "--config", client, "--limit", "1", cwd=shop.repository)
        client.write_text(f'[targets.dev]\nmanager = "{server.url}"\ntoken-file = "token"\n')
        strange = child("plan", "--config", client, cwd=shop.repository)
    assert (0, True) == (far.code, far.out.startswith("No changes.")), far.err
    assert 0 == log.code, log.err
    assert (1, True) == (strange.code, "AO743" in strange.err)
    routes = [line["route"] for line in server.lines if line["event"] == "request"]
    assert {"/v1/targets/{target}/known", "/v1/targets/{target}/plans", "/v1/audit"} == set(routes)


def test_nothing_in_the_servers_log_is_a_value(shop: Shop) -> None:
    secret = token(shop, "read")
    with Child("manager", "serve", "--listen", "127.0.0.1:0", cwd=shop.repository) as server:
        child("plan", "--manager", server.url, cwd=shop.repository, APIOPS_TOKEN=secret)
        child("plan", "--manager", server.url, cwd=shop.repository, APIOPS_TOKEN="wrong-token")
    assert [403, 401] == [line["status"] for line in server.lines if line["event"] == "request"]
    for value in (secret, "wrong-token", "orders.bank.example"):
        assert value not in server.log


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_it_refuses_to_be_reachable_in_the_clear(shop: Shop, address: str) -> None:
    done = shop.run("manager", "serve", "--listen", address)
    assert (64, True) == (done.code, "AO790" in done.err)


def test_it_refuses_half_of_a_tls_setup(shop: Shop, tls: Certificates) -> None:
    for files in (
        ("--tls-cert", tls.server),
        ("--client-ca", tls.authority),
        ("--tls-cert", tls.server, "--tls-key", shop.folder / "none"),
        ("--tls-cert", tls.server, "--tls-key", tls.client_key),
    ):
        done = child("manager", "serve", *files, "--listen", "127.0.0.1:0", cwd=shop.repository)
        assert (64, True) == (done.code, "AO790" in done.err), done.err


def test_a_taken_port_is_said(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = child("manager", "serve", "--listen", address, cwd=shop.repository)
    assert (64, True) == (done.code, "AO791" in done.err), done.err


def test_an_address_that_is_none_is_refused(shop: Shop) -> None:
    for address in ("8443", "host:", ":8443", "127.0.0.1:65536", "127.0.0.1:x"):
        done = shop.run("manager", "serve", "--listen", address)
        assert (64, True) == (done.code, "AO905" in done.err)


def test_a_served_manager_is_not_served_again(shop: Shop) -> None:
    done = shop.run("manager", "serve", "--manager", "https://manager.bank.example")
    assert (64, True) == (done.code, "AO908" in done.err)


def test_it_takes_the_socket_that_the_service_manager_opened(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        words = process.command("manager", "serve", "--listen", "127.0.0.1:1")

        number = listening.fileno()
        shell = f'export LISTEN_PID=$$; exec "$@" 3<&{number}'
        running = subprocess.Popen(
            ["bash", "-c", shell, "bash", *words],
            cwd=shop.repository,
            env=process.environment(LISTEN_FDS="1"),
            pass_fds=(number,),
            stderr=subprocess.DEVNULL,
        )
        try:
            with socket.create_connection(("127.0.0.1", port), process.PATIENCE) as peer:
                peer.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert peer.recv(100).startswith(b"HTTP/1.1 200")
        finally:
            running.terminate()
            running.wait(process.PATIENCE)


def test_a_client_without_a_certificate_is_not_let_in_where_one_is_asked_for(
    shop: Shop, tls: Certificates
) -> None:
    files = ("--tls-cert", tls.server, "--tls-key", tls.server_key, "--client-ca", tls.authority)
    with Child(
        *("manager", "serve", "--listen", "127.0.0.1:0", *files),
        cwd=shop.repository,
        scheme="https",
    ) as server:
        context = ssl.create_default_context(cafile=str(tls.authority))
        assert not said(server.port, context).startswith(b"HTTP")
        context.load_cert_chain(tls.client, tls.client_key)
        assert said(server.port, context).startswith(b"HTTP/1.1 200")


def said(port: int, context: ssl.SSLContext) -> bytes:
    """What the server says to a request over TLS; nothing, when it ends the connection."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as peer,
        ):
            peer.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return peer.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""
