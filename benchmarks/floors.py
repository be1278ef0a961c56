"""The floors: what each station cannot do without, with the chosen libraries and nothing around.

    python -m benchmarks.floors REPOSITORY REF IDENTITY DATABASE

`DATABASE` is one that the bank was applied to. Prints JSON: processor seconds by station.
"""

import base64
import gc
import hashlib
import importlib
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pygit2
import pyrage
import ryaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apiops.model.kinds import KINDS
from apiops.spec import catalog

_TOKEN = re.compile(r"data:(.*?),iv:(.*?),tag:(.*?),")


class Floors:
    """Does the bare work, one station after the other, and remembers what it took."""

    def __init__(self, path: Path, ref: str) -> None:
        self.seconds: dict[str, float] = {}
        self._git = pygit2.Repository(str(path))
        self._tree = self._git.revparse_single(ref).peel(pygit2.Tree)

    def load(self) -> list[Any]:
        """List the files, read them, parse them, ask schema and model, hash."""
        blobs = self._timed("tree", lambda: list(_blobs(self._tree)))
        odb = self._git.odb
        texts = self._timed("load: read", lambda: [odb.read(id)[1].decode() for id in blobs])
        parse = ryaml.loads_all
        files = self._timed("load: parse", lambda: [parse(text) for text in texts])
        trees = [tree for file in files for tree in file]
        kinds = {tree["kind"] for tree in trees}
        shapes = {kind: jsonschema_rs.Draft7Validator(catalog.kind(kind)) for kind in kinds}
        bare = [{k: v for k, v in tree.items() if k != "sops"} for tree in trees]
        self._timed("load: shape", lambda: [shapes[one["kind"]].is_valid(one) for one in bare])
        models = {kind: _model(kind) for kind in kinds}
        self._timed("load: meaning", lambda: [models[t["kind"]](t["spec"]) for t in trees])
        self._timed("load: hash", lambda: [_digest(tree["spec"]) for tree in trees])
        self._timed("plan", lambda: [_digest(tree["spec"]) for tree in trees])
        return trees

    def reveal(self, trees: list[Any], identity: str) -> None:
        """Unwrap the data key of every sops file, open its values, check its MAC."""
        key = pyrage.x25519.Identity.from_str(identity)
        self._timed("reveal", lambda: [_open(tree, key) for tree in trees if "sops" in tree])

    def read(self, database: Path) -> None:
        """Every row's identity, digest and serial."""
        found = sqlite3.connect(database)
        columns = "kind, project, name, digest, serial"
        query = f"SELECT {columns} FROM resource"
        self._timed("read", lambda: found.execute(query).fetchall())

    def write(self, database: Path) -> None:
        """All rows of all tables, by one executemany each, in one durable transaction."""
        found = sqlite3.connect(database)
        tables = found.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        rows = {name: found.execute(f"SELECT * FROM {name}").fetchall() for name, _ in tables}
        indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        with tempfile.TemporaryDirectory() as folder:
            bare = sqlite3.connect(Path(folder, "bare.db"), isolation_level=None)
            bare.execute("PRAGMA journal_mode=WAL")
            bare.execute("PRAGMA synchronous=FULL")
            for _, sql in tables:
                bare.execute(sql)
            for (sql,) in found.execute(indexes):
                bare.execute(sql)
            self._timed("apply", lambda: _insert(bare, rows))

    def _timed(self, station: str, work: Callable[[], Any]) -> Any:
        begun = time.process_time()
        done = work()
        self.seconds[station] = time.process_time() - begun
        return done


def _blobs(tree: pygit2.Tree) -> Iterator[pygit2.Oid]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry)
        else:
            yield entry.id


def _model(kind: str) -> Callable[[Any], Any]:
    module, name = KINDS[kind].model.split(":")
    found: Callable[[Any], Any] = getattr(importlib.import_module(module), name).model_validate
    return found


def _digest(tree: Any) -> str:
    return hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _open(tree: Any, identity: Any) -> bytes:
    wrapped = tree["sops"]["age"][0]["enc"].encode()
    key = pyrage.decrypt(wrapped, [identity])
    for token in (tree["spec"]["password"], tree["sops"]["mac"]):
        parts = _TOKEN.search(token)
        assert parts is not None
        data, nonce, tag = map(base64.b64decode, parts.groups())
        place = b"spec:password:" if token is not tree["sops"]["mac"] else None
        stamp = tree["sops"]["lastmodified"].encode()
        AESGCM(key).decrypt(nonce, data + tag, place if place is not None else stamp)
    return hashlib.sha512(repr(tree).encode()).digest()


def _insert(bare: sqlite3.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    bare.execute("BEGIN")
    for name, all_rows in rows.items():
        if all_rows:
            marks = ",".join("?" * len(all_rows[0]))
            bare.executemany(f"INSERT INTO {name} VALUES ({marks})", all_rows)
    bare.execute("COMMIT")


def main(repository: str, ref: str, identity: str, database: str) -> None:
    """Do it all, and print what it took."""
    gc.disable()
    floors = Floors(Path(repository), ref)
    floors.reveal(floors.load(), Path(identity).read_text().strip())
    floors.read(Path(database))
    floors.write(Path(database))
    print(json.dumps(floors.seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
