"""What is set, and who said so: for `apiops doctor --settings`."""

import os
import re
from collections.abc import Iterator
from typing import Final

import click

from apiops.cli import options
from apiops.cli.options import Place
from apiops.model.doctor import Setting
from apiops.wiring import places
from apiops.wiring.settings import FILE, TARGET_KEYS, TargetSettings

_KEY: Final = "SOPS_AGE_KEY"
_VARIABLES: Final = (_KEY, "SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE")
_SOURCES: Final = {"COMMANDLINE": "flag", "ENVIRONMENT": "variable", "DEFAULT_MAP": FILE}


def settings(
    ctx: click.Context, place: Place, target: TargetSettings | None
) -> tuple[Setting, ...]:
    """The file, the target's settings, then every flag and variable that is not at its default."""
    return tuple(_settings(ctx, place, target))


def _settings(ctx: click.Context, place: Place, target: TargetSettings | None) -> Iterator[Setting]:
    path = place.settings.path
    yield Setting("settings file", str(path) if path else "none found", _source(ctx, "config"))
    if target is not None:
        yield Setting("target", target.name, _source(ctx, "target") or "the only one")
        yield from (_of_target(ctx, target, key) for key in TARGET_KEYS if _value(target, key))
    for name, flag in sorted(options.every(ctx).items()):
        given = os.environ.get(str(flag.envvar), "")
        if given and name not in {"config", "target", *TARGET_KEYS}:
            yield Setting(name, _shown(given), f"variable {flag.envvar}")
        elif name in place.settings.defaults and name != "target":
            yield Setting(name, _shown(place.settings.defaults[name]), FILE)
    for variable in _VARIABLES:
        if variable in os.environ:
            hidden = variable == _KEY
            yield Setting(variable, "(hidden)" if hidden else os.environ[variable], "variable")


def _of_target(ctx: click.Context, target: TargetSettings, key: str) -> Setting:
    """A setting of the target: flag or variable, then the file, then the default."""
    file = f"{FILE} [targets.{target.name}]" if key in target.given else "default"
    return Setting(key, _shown(_value(target, key)), _source(ctx, key.replace("-", "_")) or file)


def _value(target: TargetSettings, key: str) -> object:
    value = getattr(target, key.replace("-", "_"))
    if key == "key-file" and value is None and target.database.startswith("sqlite:///"):
        return places.key_file(target)
    return value


def _source(ctx: click.Context, name: str) -> str:
    """Who gave a flag of this command; empty if nobody did."""
    source = ctx.get_parameter_source(name)
    return _SOURCES.get(source.name, "") if source else ""


def _shown(value: object) -> str:
    """A setting, without the password and the parameters that a URL may hold."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    if "://" not in text:
        return text
    return re.sub(r"://([^:/]*):.*@", r"://\1:***@", text.partition("?")[0])
