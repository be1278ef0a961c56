"""The HTTP side: real connections on loopback, tokens, slashes, bodies (§1.1, §1.2, §1.6, §1.8)."""

import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import Handler, Loopback
from tests.standin import ai, contract, identity, more, owners, platform, proxies, shared, wire
from tests.standin.wire import Call, Refused
from tests.standin.world import World

FAMILIES = (ai, identity, more, owners, platform, proxies, shared)
OPEN = ("/apiops/test/healthcheck", "/apiops/auth/token")
LARGEST = 64 * 1024 * 1024


class Standin(Loopback):
    """A running stand-in. `url` is the Manager's, `token` an administrator's."""

    token = "standin-token-of-an-administrator"

    def __init__(self, *quirks: str) -> None:
        super().__init__(_Handler)
        self.world = World(*quirks)
        self.world.add_user(self.token, name="robot", admin=True)


class _Handler(Handler):
    def date_time_string(self, timestamp: float | None = None) -> str:
        """`Date`, by the Manager's own clock."""
        return super().date_time_string(timestamp or self.server.owner.world.now.timestamp())

    def body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))

    def answered(self) -> None:
        world: World = self.server.owner.world
        body = self.body()
        parts = urlsplit(self.path)
        with world.lock:
            world.requests.append((self.command, parts.path))
            try:
                status, kind, content = self._answered(world, parts.path, parts.query, body)
            except Refused as refused:
                status, kind, content = wire.failure(world, refused)
        self.say(status, {"Content-Type": kind}, content)

    def _answered(self, world: World, path: str, query: str, body: bytes) -> tuple[int, str, bytes]:
        if path == "/apiops/auth/token":
            return self._login(world, body)
        found = wire.find(self.command, path) or self._slashed(path)
        user = None if path in OPEN else self._user(world)
        if found is None:
            raise Refused("An unexpected error occurred", 404)
        template, handler, names, right = found
        template = contract.spelled(template, names)
        tree, files = self._read(body)
        call = Call(world, self.command, path, names, dict(parse_qsl(query)), tree, files, user)
        if "p" in names:
            assert call.project
        if right:
            self._looked_for(call, handler)
            call.need(right)
        world.bodies.append(tree if tree is not None else files)
        world.violations += contract.request(self.command, template, tree, world.quirks)
        answer = wire.success(world, handler(call))
        world.violations += contract.answer(self.command, template, answer[2], world.quirks)
        return answer

    def _looked_for(self, call: Call, handler: Any) -> None:
        """§3.5 does not say that rights are checked before it is found that there is nothing."""
        if self.command == "DELETE" and "things-before-rights" in call.world.quirks:
            handler(replace(call, world=call.world.copy()))

    def _slashed(self, path: str) -> Any:
        """§1.6: credential-organizations and their like take both; the rest is 404."""
        without = re.search(r"/(forpromotion|full|ai-gateway|generate)/?\Z", path)
        return wire.find(self.command, path.rstrip("/")) if without else None

    def _user(self, world: World) -> Any:
        """§1.4: three texts for three faults."""
        given = self.headers.get("Authorization") or ""
        if not given.startswith("Bearer "):
            raise Refused("Empty Key! Client must be authenticated to access this resource.", 401)
        user = world.users.get(given.removeprefix("Bearer "))
        if user is None:
            raise Refused("Token is not valid!", 401)
        if world.expires_after is not None and self.command != "GET":
            world.expires_after -= 1
            user.expired = world.expires_after < 0
        if user.expired or (user.until is not None and user.until <= world.now):
            raise Refused("Token was expired!", 401)
        return user

    def _login(self, world: World, body: bytes) -> tuple[int, str, bytes]:
        """§1.2."""
        form = dict(parse_qsl(body.decode()))
        kind = "application/json;charset=UTF-8"
        if form.get("grant_type") != "client_credentials":
            said = {
                "error": "unsupported_grant_type",
                "error_description": "GrantType value must be client_credentials!",
            }
            return 400, kind, json.dumps(said).encode()
        token = f"login-{form.get('client_id')}-{form.get('client_secret')}"
        if token not in world.users:
            return (
                401,
                kind,
                json.dumps(
                    {"error": "unauthorized_client", "error_description": "Bad credentials"}
                ).encode(),
            )
        said = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        return 200, kind, json.dumps(said).encode()

    def _read(self, body: bytes) -> tuple[Any, dict[str, bytes]]:
        kind = self.headers.get("Content-Type") or ""
        if kind.startswith("multipart/form-data"):
            head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
            parts = message_from_bytes(head + body, policy=HTTP)
            return None, {
                str(part.get_param("name", header="content-disposition")): part.get_payload(
                    decode=True
                )
                or b""
                for part in parts.iter_parts()
            }
        if not body:
            return None, {}
        try:
            return json.loads(body), {}
        except ValueError:
            raise Refused("Request body could not be read!") from None


assert FAMILIES
