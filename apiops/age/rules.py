"""Creation rules: `.sops.yaml` says for whom a new file is encrypted, and what of it.

The first rule whose `path_regex` matches the file's path, relative to the folder of `.sops.yaml`,
decides. Format: sops `config/config.go`, version 3.11; for apiops the file is advice to authors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from apiops.age import metadata, selection
from apiops.age.selection import Selection
from apiops.age.source import MAX_BYTES, Source, decode
from apiops.age.writing import Policy
from apiops.errors import SecretError
from apiops.model.diagnostic import Location

FILE_NAME: Final = ".sops.yaml"
_MAX_LEVELS: Final = 100
_DIGITS: Final = 3
_MAX_RULES: Final = 1000
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOREIGN: Final = (*metadata.SERVICES, "hc_vault_transit_uri", "azure_keyvault", "gcp_kms")


@dataclass(frozen=True, slots=True)
class Rule:
    """One creation rule; an empty `pattern` matches every path. `fault` is why it is unusable."""

    pattern: str
    policy: Policy
    fault: str
    location: Location


def find(folder: Path) -> Path | None:
    """The nearest `.sops.yaml` in a folder or above it."""
    for level, parent in enumerate((folder, *folder.parents)):
        candidate = parent / FILE_NAME
        if level < _MAX_LEVELS and candidate.is_file():
            return candidate
    return None


def for_file(file: Path) -> Policy:
    """The policy for a file, by the nearest `.sops.yaml` at or above its folder.

    Raises SecretError: none there (AO453), and what `parse` and `policy` raise; OSError if it
    cannot be read.
    """
    file = file.absolute()
    config = find(file.parent)
    if config is None:
        raise SecretError(
            f"there is no {FILE_NAME} in the folder of {file.name} or above it, so nothing says "
            "for whom to encrypt",
            code="AO453",
            hint=f"write a {FILE_NAME}, or name the recipients with --age",
            location=Location(file.name),
        )
    relative = PurePosixPath(file.relative_to(config.parent).as_posix())
    with config.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    return policy(parse(config.name, content), relative, config.name)


def parse(path: str, content: bytes) -> tuple[Rule, ...]:
    """The creation rules of a `.sops.yaml`. Raises SecretError (AO450), with the position."""
    source = decode(path, content)
    root = _compose(source)
    if root is None:
        return ()
    listed = _fields(root, source).get("creation_rules")
    if listed is None or _is_null(listed):
        return ()
    entries = _items(listed, "creation_rules", source)
    if len(entries) > _MAX_RULES:
        raise _bad(source, listed, f"more than {_MAX_RULES} creation rules")
    return tuple(_rule(entry, source) for entry in entries)


def policy(rules: tuple[Rule, ...], path: PurePosixPath, config: str) -> Policy:
    """The policy for a file at `path`, relative to the folder of `config`.

    Raises SecretError: no rules at all (AO453), none that matches (AO451), a rule that asks for
    what apiops does not write (AO452).
    """
    if not rules:
        raise SecretError(
            f"{config} has no creation_rules, so nothing says for whom {path} is encrypted",
            code="AO453",
            hint="add a rule, or name the recipients with --age",
            location=Location(config),
        )
    for rule in rules:
        if not rule.pattern or selection.matches(rule.pattern, str(path)):
            if rule.fault:
                raise SecretError(
                    f"the creation rule for {path} {rule.fault}",
                    code="AO452",
                    hint="change the rule; apiops writes what every reader of sops files reads",
                    location=rule.location,
                )
            return rule.policy
    raise SecretError(
        f"no creation rule of {config} matches {path}",
        code="AO451",
        hint="add a rule whose path_regex matches it, or name the recipients with --age",
        location=Location(config),
    )


def _rule(node: Any, source: Source) -> Rule:
    fields = _fields(node, source)
    pattern = _text(fields, "path_regex", source)
    chosen = [name for name in selection.RULES if _text(fields, name, source)]
    if len(chosen) > 1:
        raise _bad(source, node, f"a rule has at most one of {', '.join(chosen)}")
    what = Selection(chosen[0], _text(fields, chosen[0], source)) if chosen else Selection()
    for regex in (pattern, what.pattern if what.rule.endswith("regex") else ""):
        fault = selection.fault(regex)
        if fault:
            raise _bad(source, node, fault)
    groups = tuple(_groups(fields, source))
    threshold = _text(fields, "shamir_threshold", source)
    if threshold and not (
        threshold.isascii() and threshold.isdigit() and len(threshold) <= _DIGITS
    ):
        raise _bad(source, fields["shamir_threshold"], "shamir_threshold must be a small number")
    return Rule(
        pattern,
        Policy(groups, what, int(threshold or 0)),
        _unsupported(fields, what, source),
        source.at(node.start_mark.index),
    )


def _groups(fields: dict[str, Any], source: Source) -> Iterator[tuple[str, ...]]:
    """The groups of recipients: `key_groups`, or the one that `age` names."""
    listed = fields.get("key_groups")
    if listed is None or _is_null(listed):
        yield tuple(_recipients(fields, source))
        return
    for entry in _items(listed, "key_groups", source):
        yield tuple(_recipients(_fields(entry, source), source))


def _recipients(fields: dict[str, Any], source: Source) -> Iterator[str]:
    node = fields.get("age")
    if node is None or _is_null(node):
        return
    listed = [node] if isinstance(node, yaml.ScalarNode) else _items(node, "age", source)
    for entry in listed:
        if not isinstance(entry, yaml.ScalarNode):
            raise _bad(source, entry, "age takes recipients as text or as a list of text")
        yield from filter(None, (part.strip() for part in entry.value.split(",")))


def _unsupported(fields: dict[str, Any], what: Selection, source: Source) -> str:
    """What a rule asks for that is not written, empty if nothing."""
    inner = [fields]
    groups = fields.get("key_groups")
    if isinstance(groups, yaml.SequenceNode):
        inner += [_fields(entry, source) for entry in groups.value]
    foreign = sorted({name for one in inner for name in (*_FOREIGN, "merge") if name in one})
    if foreign:
        return f"asks for {', '.join(foreign)}"
    if what.by_comment:
        return f"asks for {what.rule}"
    if _text(fields, "mac_only_encrypted", source).lower() == "true":
        return "asks for mac_only_encrypted"
    return ""


def _compose(source: Source) -> Any:
    fault: tuple[str, int] | None = None
    try:
        return yaml.compose(source.text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        fault = (error.problem or "cannot be parsed", mark.index if mark else 0)
    except yaml.YAMLError:
        fault = ("characters that YAML does not allow", 0)
    raise source.refuse("AO450", f"not valid YAML: {fault[0]}", offset=fault[1])


def _fields(node: Any, source: Source) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _bad(source, node, "expected a mapping here")
    fields: dict[str, Any] = {}
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in fields:
            raise _bad(source, key, "a key that is not text, or that occurs twice")
        fields[key.value] = child
    return fields


def _items(node: Any, name: str, source: Source) -> list[Any]:
    if not isinstance(node, yaml.SequenceNode):
        raise _bad(source, node, f"{name} must be a list")
    return list(node.value)


def _text(fields: dict[str, Any], name: str, source: Source) -> str:
    node = fields.get(name)
    if node is None or _is_null(node):
        return ""
    if not isinstance(node, yaml.ScalarNode):
        raise _bad(source, node, f"{name} must be text")
    return str(node.value)


def _is_null(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _bad(source: Source, node: Any, why: str) -> SecretError:
    return source.refuse(
        "AO450",
        f"{source.path}: {why}",
        hint="see docs/explanation/secrets.md for what a creation rule may have",
        offset=node.start_mark.index,
    )
