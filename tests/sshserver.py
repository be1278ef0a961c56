"""A real SSH server with Git behind it, on loopback: `with SshServer(folder) as server: …`.

It takes one client key, and serves the repositories of a folder with the git program.
"""

import asyncio
import contextlib
import itertools
import shlex
import shutil
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

GIT = shutil.which("git") or "git"
CHUNK = 64 * 1024
SERVICES = ("git-upload-pack", "git-receive-pack")


class SshServer:
    """`url(path)` is where a repository is; `known` the line that a client pins."""

    def __init__(
        self, folder: Path, *, kind: str = "ssh-ed25519", deaf: bool = False, slow: bool = False
    ) -> None:
        self.folder = folder
        self.host_key = asyncssh.generate_private_key(kind)
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.deaf = deaf
        self.slow = slow
        self.port = 0
        self.served: list[str] = []
        self._listener: asyncssh.SSHAcceptor | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _listen(self, port: int = 0) -> None:
        allowed = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        self._listener = await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[self.host_key],
            authorized_client_keys=allowed,
            process_factory=self._serve,
            encoding=None,
        )
        self.port = self._listener.get_port()

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()

    async def _end(self) -> None:
        """Close, and let go of clients that went away in the middle."""
        await self._close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def with_another_key(self) -> None:
        """From here on the server is another one, at the same address."""
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._again()

    def use(self, key: asyncssh.SSHKey) -> None:
        """From here on it is this key that is let in."""
        self.client_key = key
        self._again()

    def _again(self) -> None:
        async def again() -> None:
            await self._close()
            await self._listen(self.port)

        asyncio.run_coroutine_threadsafe(again(), self._loop).result(30)

    async def _serve(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        words = shlex.split(process.command or "")
        self.served.append(process.command or "")
        if self.deaf:
            await process.wait_closed()
            return
        if self.slow:
            await _dribble(process)
            return
        if len(words) != 2 or words[0] not in SERVICES:
            process.exit(1)
            return
        program = await asyncio.create_subprocess_exec(
            *(GIT, words[0].removeprefix("git-"), words[1]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        asking = asyncio.create_task(_pump(process.stdin, program.stdin))
        try:
            await _pump(program.stdout, process.stdout)
            process.exit(await program.wait())
        finally:
            asking.cancel()
            if program.returncode is None:
                program.kill()
                await program.wait()

    def url(self, path: Path) -> str:
        return f"ssh://git@127.0.0.1:{self.port}{path}"

    @property
    def known(self) -> str:
        """What `ssh-keyscan` prints of this server."""
        return f"[127.0.0.1]:{self.port} {self.host_key.export_public_key().decode().strip()}"

    def key_file(self, name: str = "client", passphrase: str | None = None) -> Path:
        """The client's private key, as `ssh-keygen` writes it."""
        file = self.folder / name
        self.client_key.write_private_key(file, passphrase=passphrase)
        file.chmod(0o600)
        return file


async def _dribble(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    """Branches without an end, a byte now and then, until the client has gone away."""
    gone = asyncio.create_task(process.wait_closed())
    for number in itertools.count():
        line = b"%040x refs/heads/b%d\n" % (number + 1, number)
        for byte in b"%04x%s" % (len(line) + 4, line):
            if (await asyncio.wait({gone}, timeout=0.02))[0]:
                return
            process.stdout.write(bytes([byte]))


async def _pump(source: Any, sink: Any) -> None:
    """Everything from one end to the other; what is closed early is closed."""
    with contextlib.suppress(ConnectionError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(ConnectionError):
        sink.write_eof()
