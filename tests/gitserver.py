"""A real Git server over https on the loopback address: git's own `http-backend` behind Basic auth.

with GitServer(folder_of_bare_repositories, certificates(tmp_path), token="t") as server:
    server.url + "/bank.git"
"""

import base64
import os
import subprocess
from pathlib import Path

from tests.servers import Certificates, Handler, Loopback


class GitServer(Loopback):
    """Serves every repository in a folder to whoever has the token (empty: to everybody)."""

    def __init__(self, folder: Path, tls: Certificates, token: str = "") -> None:
        super().__init__(_Git, tls)
        self.folder = folder
        self.token = token
        self.seen: list[str] = []


class _Git(Handler):
    protocol_version = "HTTP/1.0"  # who is sent away need not be listened to

    def answered(self) -> None:
        owner: GitServer = self.server.owner
        authorization = self.headers.get("Authorization", "")
        owner.seen.append(authorization)
        _, _, given = authorization.partition(" ")
        _, _, password = base64.b64decode(given).decode().partition(":")
        if owner.token and password != owner.token:
            self.say(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        self._served(owner.folder, *self.path.partition("?")[::2])

    def body(self) -> bytes:
        """Of a known length, or in chunks: so a push comes."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return super().body()
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _served(self, folder: Path, path: str, query: str) -> None:
        body = self.body()
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                **os.environ,
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.say(int(headers.pop("Status", "200").split()[0]), headers, content)
