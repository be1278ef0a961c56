"""The audit log out of the database: exports, checkpoints, proofs and syslog, through the command
line; what an auditor does with files and a key, on a machine that has no database.
"""

import csv
import io
import json
import queue
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import make_url

from apiops.model.plan import Action
from apiops.wiring import syslog
from tests import process
from tests.attackers import altered, rewrite
from tests.managers import House, a_resource, a_write, fill, write_batch
from tests.shop import run

PATIENCE = 30.0


class Desk:
    """A folder with settings for a Manager, and commands in it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        url = make_url(house.url).render_as_string(hide_password=False)
        settings = f'[targets.t]\nmanager = "{url}"\nkey-file = "{house.key_file}"\n'
        (folder / "apiops.toml").write_text(settings)

    def run(self, *words: str | Path, code: int = 0) -> str:
        done = run("audit", *words, cwd=self.folder)
        assert code == done.code, done.err
        return done.out + (done.err if code else "")

    def path(self, name: str) -> Path:
        return self.folder / name

    def keep(self) -> None:
        """What an auditor takes home: the key, a checkpoint, an export."""
        self.path("audit.pub").write_text(self.run("key"))
        self.run("checkpoint", "--file", "kept.checkpoint")
        self.run("export", "-o", "jsonl=log.jsonl")


@pytest.fixture
def desk(house, tmp_path):
    fill(house.manager)
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(house, folder)


@pytest.fixture
def quick(tmp_path):
    """The same on SQLite alone, for what does not depend on the database."""
    with House(f"sqlite:///{tmp_path / 'manager.db'}", tmp_path / "manager.key") as house:
        fill(house.manager)
        folder = tmp_path / "desk"
        folder.mkdir()
        yield Desk(house, folder)


def offline(desk, *more, code=0):
    """Verify with files alone: the settings are gone, so no database can be meant."""
    desk.path("apiops.toml").unlink(missing_ok=True)
    return desk.run("verify", "--export", "log.jsonl", "--key", "audit.pub", *more, code=code)


def test_an_export_is_verified_without_a_database(desk):
    desk.keep()
    said = offline(desk, "--checkpoint", "kept.checkpoint")
    assert "chain holds" in said
    assert "signed checkpoint" in said


def test_the_log_is_verified_against_a_kept_checkpoint_online(desk):
    desk.keep()
    words = ("verify", "--checkpoint", "kept.checkpoint", "--key", "audit.pub")
    assert "chain holds" in desk.run(*words)
    rewrite(
        desk.house,
        lambda rows: [row for row in altered(rows) if row["action"] != "checkpoint"],
        chain=True,
    )
    assert "chain holds" in desk.run("verify")
    assert "history was rewritten" in desk.run(*words, code=1)


LINES = {
    "altered": lambda lines: [*lines[:3], lines[3].replace('"ayse"', '"nobody"'), *lines[4:]],
    "altered reading": lambda lines: [
        *lines[:3],
        lines[3].replace('"op":"', '"op":"x'),
        *lines[4:],
    ],
    "deleted": lambda lines: lines[:3] + lines[4:],
    "inserted": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "reordered": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
}


@pytest.mark.parametrize("way", LINES)
def test_a_changed_export_is_found_at_its_first_bad_entry(quick, way):
    quick.keep()
    lines = quick.path("log.jsonl").read_text().splitlines(keepends=True)
    quick.path("log.jsonl").write_text("".join(LINES[way](lines)))
    assert "broken at entry 4" in offline(quick, code=1)


def test_a_cut_export_is_found_against_the_checkpoint(quick):
    quick.keep()
    lines = quick.path("log.jsonl").read_text().splitlines(keepends=True)
    quick.path("log.jsonl").write_text("".join(lines[:5]))
    assert "no checkpoint that the given key signed" in offline(quick, code=1)
    assert "entries were cut off" in offline(quick, "--checkpoint", "kept.checkpoint", code=1)


def test_offline_the_key_is_what_is_believed(quick):
    quick.keep()
    quick.path("apiops.toml").unlink()
    assert "AO772" in quick.run("verify", "--export", "log.jsonl", code=64)
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert "broken at entry 1" in quick.run(
        "verify", "--export", "log.jsonl", "--key", other, code=1
    )


def test_what_is_no_export_is_named_with_its_line(quick):
    quick.keep()
    with quick.path("log.jsonl").open("a") as file:
        file.write('{"seq": 99}\n')
    lines = len(quick.path("log.jsonl").read_text().splitlines())
    assert f"log.jsonl line {lines}" in offline(quick, code=64)


def test_an_entry_is_proven_to_somebody_with_the_key_alone(desk):
    desk.keep()
    desk.path("entry.tlog-proof").write_text(desk.run("prove", "5"))
    desk.path("apiops.toml").unlink()
    said = desk.run("verify", "--proof", "entry.tlog-proof", "--key", "audit.pub")
    assert "Audit entry 5" in said
    assert "Proven: this entry is in the log" in said


def test_growth_is_proven_between_two_checkpoints(quick):
    quick.keep()
    more(quick)
    quick.path("growth").write_text(quick.run("prove", "--grown-since", "kept.checkpoint"))
    words = ("verify", "--proof", "growth", "--key", "audit.pub", "--checkpoint", "kept.checkpoint")
    assert "begins as it was" in quick.run(*words)


def more(desk, number=3):
    office = a_resource("IpGroup", f"more{number}", {})
    write_batch(desk.house.manager, a_write(Action.CREATE, office), base=number - 1, number=number)


def test_a_witness_file_moves_on_with_the_log_and_never_to_a_rewritten_one(desk):
    desk.run("checkpoint", "--file", "kept")
    first = desk.path("kept").read_text()
    desk.run("checkpoint", "--file", "kept")
    assert first == desk.path("kept").read_text()
    more(desk)
    desk.run("checkpoint", "--file", "kept")
    second = desk.path("kept").read_text()
    assert first != second
    rewrite(desk.house, altered, chain=True)
    assert "AO773" in desk.run("checkpoint", "--file", "kept", code=1)
    assert second == desk.path("kept").read_text()


def test_an_export_has_everything_about_an_entry_and_no_secret(desk):
    lines = [json.loads(line) for line in desk.run("export", "--outcome", "done").splitlines()]
    (created,) = (one for one in lines if (one["action"], one["kind"]) == ("create", "Credential"))
    wanted = {
        "seq", "at", "actor", "principal", "tier", "action", "kind", "project", "name",
        "environment", "outcome", "delta", "reason", "run", "source", "address", "login", "digest",
    }  # fmt: skip
    assert wanted <= created.keys()
    assert {"text", "commit", "commits", "signer", "pull_request"} <= created["reason"].keys()
    assert "apd1." in json.dumps(created["delta"])
    assert "hunter2" not in json.dumps(lines)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (("--kind", "ApiProxy"), {"orders"}),
        (("--project", "payments", "--action", "deploy"), {"orders"}),
        (("--environment", "production", "--kind", "Credential"), {"app"}),
        (("--principal", "nobody"), set()),
        (("--commit", "0" * 39 + "1", "--kind", "User"), {"mert"}),
        (("--since", "2026-03-02"), set()),
        (("--until", "2026-03-02", "--kind", "IpGroup"), {"office"}),
    ],
)
def test_an_export_and_a_list_ask_alike(desk, filters, names):
    exported = [json.loads(line) for line in desk.run("export", *filters).splitlines()]
    listed = json.loads(desk.run("list", "--limit", "0", "-o", "json", *filters))["entries"]
    assert [one["seq"] for one in exported] == [one["seq"] for one in reversed(listed)]
    assert names == {one["name"] for one in exported}


def test_a_table_is_safe_to_open_and_has_a_row_for_each_entry(quick):
    evil = a_resource("IpGroup", "evil", {"description": '=HYPERLINK("http://x")'})
    context = quick.house.manager
    write_batch(context, a_write(Action.CREATE, evil), base=2, number=3, context=_evil())
    rows = list(csv.DictReader(io.StringIO(quick.run("export", "-o", "csv"))))
    assert len(rows) == quick.house.manager.verify().entries
    assert {"'=cmd|calc"} == {row["text"] for row in rows if row["text"].startswith("'")}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def _evil():
    from dataclasses import replace

    from apiops.model.audit import Reason
    from tests.managers import a_context

    return replace(a_context(number=3), reason=Reason("=cmd|calc"))


def test_a_position_is_where_the_next_export_begins(quick):
    first = quick.run("export", "--position", "at").splitlines()
    assert [] == quick.run("export", "--position", "at").splitlines()
    more(quick)
    second = quick.run("export", "--position", "at").splitlines()
    assert len(first) + 1 == json.loads(second[0])["seq"]
    quick.path("at").write_text("soon")
    assert "AO778" in quick.run("export", "--position", "at", code=64)


# ── syslog ────────────────────────────────────────────────────────────────────────────────────


def parsed(message):
    """The parts of an RFC 5424 message."""
    header, _, text = message.partition(b" - \xef\xbb\xbf")
    priority, version = header[1:].split(b" ")[0].split(b">")
    _, at, _host, app, _process, name = header.split(b" ")
    return {
        "facility": int(priority) // 8,
        "severity": int(priority) % 8,
        "version": int(version),
        "at": at.decode(),
        "app": app.decode(),
        "name": name.decode(),
        "entry": json.loads(text),
    }


def test_entries_go_to_a_udp_receiver(quick):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        quick.run("export", "--syslog", f"syslog+udp://127.0.0.1:{receiver.getsockname()[1]}")
        first = parsed(receiver.recv(65536))
    assert (13, 5, 1, "apiops") == tuple(
        first[name] for name in ("facility", "severity", "version", "app")
    )
    assert ("initialise", 1) == (first["name"], first["entry"]["seq"])
    assert first["at"] == first["entry"]["at"]


def test_entries_go_to_a_unix_socket(quick, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(PATIENCE)
        with subprocess.Popen(
            process.command("audit", "export", "--syslog", f"syslog+unix://{tmp_path / 'log'}"),
            cwd=quick.folder,
            env=process.environment(),
        ) as sending:
            count = quick.house.manager.verify().entries
            seen = [parsed(receiver.recv(65536))["entry"]["seq"] for _ in range(count)]
            assert 0 == sending.wait(PATIENCE)
    assert list(range(1, count + 1)) == seen


@pytest.fixture
def certificate(tmp_path):
    """A receiver's certificate for 127.0.0.1, and an authority that this process believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "syslog")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "receiver.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, plain))
    return file


@contextmanager
def tls_receiver(certificate):
    """A receiver, and a queue with the first bytes that it got; empty when nobody was let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    got = queue.Queue()

    def receive(server):
        connection, _ = server.accept()
        with connection:
            try:
                with (
                    context.wrap_socket(connection, server_side=True) as secured,
                    secured.makefile("rb") as stream,
                ):
                    got.put(received(stream))
                    stream.read()
            except OSError:
                got.put(None)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        thread = threading.Thread(target=receive, args=(server,))
        thread.start()
        yield server.getsockname()[1], got
        thread.join(PATIENCE)


def test_entries_go_over_tls_to_a_receiver_that_is_believed(quick, certificate):
    with tls_receiver(certificate) as (port, got):
        done = process.child(
            *("audit", "export", "--syslog", f"syslog+tls://127.0.0.1:{port}"),
            cwd=quick.folder,
            SSL_CERT_FILE=str(certificate),
        )
        assert 0 == done.code, done.err
        assert 1 == got.get(timeout=PATIENCE)["seq"]


def test_no_entry_goes_to_a_receiver_that_cannot_prove_who_it_is(quick, certificate):
    with tls_receiver(certificate) as (port, got):
        said = quick.run("export", "--syslog", f"syslog+tls://127.0.0.1:{port}", code=7)
        assert "AO777" in said
        assert got.get(timeout=PATIENCE) is None


def test_entries_follow_over_tcp_as_they_come_and_go_on_where_they_stopped(quick):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        url = f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"
        words = ("export", "--follow", "--poll", "0.05", "--syslog", url, "--position", "at")
        count = quick.house.manager.verify().entries
        with Following(quick, server, *words) as stream:
            assert list(range(1, count + 1)) == [received(stream)["seq"] for _ in range(count)]
            more(quick, 3)
            assert "create" == received(stream)["action"]
            assert "apply" == received(stream)["action"]
        kept = int(quick.path("at").read_text())
        more(quick, 4)
        with Following(quick, server, *words) as stream:
            assert kept + 1 == received(stream)["seq"]


class Following:
    """`apiops audit …` as a process, and the stream that it sends; ended like Ctrl-C."""

    def __init__(self, desk, server, *words):
        self.started = subprocess.Popen(
            process.command("audit", *words), cwd=desk.folder, env=process.environment()
        )
        self.server = server

    def __enter__(self):
        self.connection, _ = self.server.accept()
        self.connection.settimeout(PATIENCE)
        self.stream = self.connection.makefile("rb")
        return self.stream

    def __exit__(self, *_exception):
        self.started.send_signal(signal.SIGINT)
        code = self.started.wait(PATIENCE)
        self.stream.close()
        self.connection.close()
        assert 130 == code


def received(stream):
    """The entry in the next message of a stream (octet counting)."""
    length = b""
    while (byte := stream.read(1)) != b" ":
        length += byte
    return parsed(stream.read(int(length)))["entry"]


def test_a_denied_attempt_is_a_warning(quick):
    line = b'{"action":"update","at":"2026-03-01T12:00:00.000000Z","outcome":"denied"}\n'
    assert syslog.message(line, host="h").startswith(b"<108>1 2026-03-01T12:00:00.000000Z h apiops")


def test_a_datagram_that_would_be_too_long_says_what_it_left_out():
    line = json.dumps(
        {
            "action": "create", "at": "2026-03-01T12:00:00.000000Z", "outcome": "done",
            "digest": "d", "delta": ["x" * 9000], "stored": {"after": "x" * 9000},
        }
    ).encode()  # fmt: skip
    entry = parsed(syslog.message(line, host="h", longest=syslog.MAX_DATAGRAM))["entry"]
    assert ({"action", "at", "outcome", "digest", "truncated"}, True) == (
        set(entry),
        entry["truncated"],
    )
    assert len(line) < len(syslog.message(line, host="h"))


@pytest.mark.parametrize(
    "url", ["", "syslog://x", "syslog+tcp://", "syslog+unix://", "syslog+tcp://x:99999", "http://x"]
)
def test_what_names_no_receiver_is_refused(quick, url):
    assert "AO776" in quick.run("export", "--syslog", url or "x", code=64)


def test_a_receiver_that_is_not_there_may_be_tried_again(quick):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said = quick.run("export", "--syslog", f"syslog+tcp://127.0.0.1:{port}", code=7)
    assert "AO777" in said
