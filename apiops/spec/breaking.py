"""What a new OpenAPI document takes from those who call the API by the old one.

A rule is a name for one thing that a client may rely on. Whatever is added is no break, and
neither is another order, another name for a schema, or other words.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from apiops.model.breaking import Break
from apiops.spec.contract import Contract, Node, Operation, Security
from apiops.spec.narrowing import Comparison, Said

MOST: Final = 100
"""Breaks that are told of one document."""

NOT_COMPARABLE: Final = "not-comparable"

_SCHEME: Final = ("type", "in", "name", "scheme", "openIdConnectUrl", "flow")
_WRITTEN: Final = ("style", "explode", "collectionFormat", "allowReserved")


def compare(old: Contract, new: Contract) -> tuple[Break, ...]:
    """The breaks, each once, in the order of the old document; no more than `MOST`."""
    found = (Break(rule, message, new.at(where.path)) for rule, message, where in _whole(old, new))
    return tuple(islice(dict.fromkeys(found), MOST))


def _whole(old: Contract, new: Contract) -> Iterator[Said]:
    comparison = Comparison(old, new)
    yield from _schemes(old, new)
    if old.elsewhere != new.elsewhere:
        yield NOT_COMPARABLE, "parts of the operations are described in other files", new.root
    paths = new.root.get("paths")
    for path, operations in old.operations.items():
        there = new.operations.get(path)
        if there is None:
            yield "path-removed", f"{path} is gone", paths
            continue
        for method, before in operations.items():
            after, what = there.get(method), f"{method} {path}"
            if after is None:
                first = next(iter(there.values())).node.path[:-1]
                yield "operation-removed", f"{what} is gone", Node({}, first)
            else:
                yield from _operation(comparison, before, after, what)
    if comparison.ended:
        yield NOT_COMPARABLE, "the documents are too large to be compared whole", new.root


def _schemes(old: Contract, new: Contract) -> Iterator[Said]:
    """Ways to be let in that are the same by name alone."""
    for name, before in old.schemes.items():
        after = new.schemes.get(name)
        if after is None:
            continue  # the operations that need it tell
        if any(before.mapping.get(key) != after.mapping.get(key) for key in _SCHEME):
            yield "auth-tightened", f"the security scheme {name} is another one", after


def _operation(
    comparison: Comparison, before: Operation, after: Operation, what: str
) -> Iterator[Said]:
    yield from _parameters(comparison, before, after, what)
    yield from _request(comparison, before, after, what)
    yield from _responses(comparison, before, after, what)
    if not _lets_in(before.security, after.security):
        where = after.node.get("security") if after.node.get("security").value else after.node
        yield "auth-tightened", f"{what} asks for more of whoever calls it", where


def _parameters(
    comparison: Comparison, before: Operation, after: Operation, what: str
) -> Iterator[Said]:
    for key, parameter in after.parameters.items():
        place, name = key
        here = f"{place} parameter {name} of {what}"
        known = before.parameters.get(key)
        if known is None:
            if parameter.required and place != "path":
                yield "parameter-added", f"{here} must be sent", parameter.node
            continue
        if parameter.required and not known.required:
            yield "parameter-required", f"{here} must be sent", parameter.node
        for key_ in _WRITTEN:
            if known.node.mapping.get(key_) != parameter.node.mapping.get(key_):
                yield "request-narrowed", f"{here} is written otherwise ({key_})", parameter.node
        yield from comparison.differences(known.schema, parameter.schema, here, taken=True)


def _request(
    comparison: Comparison, before: Operation, after: Operation, what: str
) -> Iterator[Said]:
    here = f"the request of {what}"
    if after.body_required and not before.body_required:
        yield "body-required", f"{here} must have a body", after.node.get("requestBody")
    for media, schema in before.body.items():
        there = _media(media, after.body)
        if there is None:
            where = after.node.get("requestBody", "content")
            yield "request-media-removed", f"{here} may no longer be {media}", where
        else:
            yield from comparison.differences(schema, there, here, taken=True)


def _responses(
    comparison: Comparison, before: Operation, after: Operation, what: str
) -> Iterator[Said]:
    for status, content in before.responses.items():
        if not status.startswith("2"):
            continue
        here = f"response {status} of {what}"
        there = after.responses.get(status)
        if there is None:
            yield "response-removed", f"{here} is gone", after.node.get("responses")
            continue
        for media, schema in content.items():
            given = _media(media, there)
            if given is None:
                where = after.node.get("responses", status)
                yield "response-media-removed", f"{here} is no longer {media}", where
            else:
                yield from comparison.differences(schema, given, here, taken=False)


def _media(media: str, among: Mapping[str, Node]) -> Node | None:
    """The schema for a media type: under its own name, or under one that covers it."""
    family = f"{media.partition('/')[0]}/*"
    return next((among[name] for name in (media, family, "*/*") if name in among), None)


def _lets_in(before: Security, after: Security) -> bool:
    """Whether whoever was let in still is: by each of the old ways, with its scopes."""
    if not after or any(not way for way in after):
        return True
    return bool(before) and all(
        any(
            all(name in old and scopes <= old[name] for name, scopes in new.items())
            for new in after
        )
        for old in before
    )
