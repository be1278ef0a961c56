"""The setting `wrapping-key`: where the key that wraps the Manager's keys comes from.

file:PATH             32 bytes in base64, made by `manager init`      (what `key-file` means)
age:PATH              the same, encrypted to age recipients; opened with the age identities
passphrase:PATH       a passphrase, from which the key is derived
plugin:NAME?x=y       a device that an installed package offers (PKCS#11 and the like)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from apiops.errors import SecretError, UsageError
from apiops.manager import keyring, providers
from apiops.manager.wrapping import Provider, Wrapping
from apiops.wiring import files, places
from apiops.wiring.settings import TargetSettings

SCHEMES: Final = ("file", "age", "passphrase", "plugin")
MAX_AGE_FILE: Final = 64 * 1024


def provider(target: TargetSettings, setting: str | None = None) -> Provider:
    """The provider that a setting names; the target's own if none is given.

    Raises UsageError AO908 for a setting that names none.
    """
    scheme, rest = _parsed(target, setting)
    if scheme == "age":
        return _opened(target, Path(rest))
    if scheme == "passphrase":
        return providers.passphrase(Path(rest))
    if scheme == "plugin":
        name, _, query = rest.partition("?")
        return providers.plugin(name, dict(parse_qsl(query)))
    return providers.file(Path(rest))


def made(
    target: TargetSettings, setting: str | None = None, recipients: Sequence[str] = ()
) -> Provider:
    """The same; a key file or age file that is not there yet is made when it is asked for."""
    scheme, rest = _parsed(target, setting)
    path = Path(rest)
    if scheme == "file":
        return providers.made_file(path)
    if scheme != "age":
        return provider(target, setting)

    def provide(lineage: str) -> Wrapping:
        if not path.exists():
            _make_age_file(target, path, recipients)
        return _opened(target, path)(lineage)

    return provide


def _parsed(target: TargetSettings, setting: str | None) -> tuple[str, str]:
    given = target.wrapping_key if setting is None else setting
    if not given:
        return "file", str(places.key_file(target))
    scheme, colon, rest = given.partition(":")
    if scheme not in SCHEMES or not colon or not rest:
        raise UsageError(
            f'"{given}" does not say where the wrapping key comes from',
            code="AO908",
            hint="write file:PATH, age:PATH, passphrase:PATH or plugin:NAME",
        )
    return scheme, rest


def _opened(target: TargetSettings, path: Path) -> Provider:
    from apiops.age import wholefile

    found = places.gather_identities(target.identities, interactive=False)
    try:
        content = files.read(path, MAX_AGE_FILE)
    except UsageError as fault:
        raise SecretError(fault.message, code="AO721", hint=fault.hint) from None
    return providers.encoded(wholefile.decrypt(content, found, str(path)), str(path))


def _make_age_file(target: TargetSettings, path: Path, recipients: Sequence[str]) -> None:
    from apiops.age import wholefile

    mine = places.gather_identities(target.identities, interactive=False).keys
    own = [one.public for one in mine if one.public.startswith("age1")]
    content = wholefile.encrypt(keyring.new_key(), [*own, *recipients])
    keyring.write_private(path, content)
