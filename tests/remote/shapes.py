"""Specs drawn from the models of kinds: whatever field a model has comes up sometime.

spec(Cors)                           a mapping with some of its fields
spec(Cors, name=st.just("cors"))     where a field takes only so much
spec(Settings, grpc=None)            where a field never comes up
REACHED                              (class, field) of all that was drawn or can be
"""

import types
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, WithJsonSchema

from tests.remote.gateway import secret

Specs = st.SearchStrategy[dict[str, Any]]
MOST = 4
"""So many fields of those that may be left out are in one mapping: a state is not to be huge."""

REACHED: set[tuple[str, str]] = set()
words = st.sampled_from(["", "one", "two words", "ğüşiöç", 'with "quotes"'])
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 9),
    float: st.sampled_from([0.5, 1.0]),
    dict: st.sampled_from([{}, {"limit": 1}]),
}
REFERENCES = {
    "llmProviderRefName": st.just("l1"),
    "semanticEmbeddingProviderRef": st.just("l1"),
    "keyStoreName": st.just("s1"),
    "trustStoreName": st.just("s1"),
}
"""Fields of any model that name another resource."""

SAMPLES: dict[str, list[Any]] = {
    "Variable": [
        {"name": "v", "type": "HEADER", "headerName": "X-A"},
        {"name": "w", "type": "PARAMETER", "paramType": "QUERY", "paramName": "q"},
    ],
    "Condition": [{"conditionRuleList": [{"conditionCriteria": "NOT", "conditionRuleList": []}]}],
}
"""Models whose fields need each other too much to be drawn one by one."""


def spec(
    model: type[BaseModel], *, needed: tuple[str, ...] = (), **own: st.SearchStrategy[Any] | None
) -> Specs:
    """See above. What the model's own rules refuse is drawn again."""
    known = {**REFERENCES, **own}
    models = {one.alias or name: one for name, one in model.model_fields.items()}
    fields = {
        name: known.get(name) if name in known else _bounded(one.annotation, tuple(one.metadata))
        for name, one in models.items()
    }
    fields = {name: values for name, values in fields.items() if values is not None}
    REACHED.update((model.__name__, name) for name in fields)
    always = [name for name in fields if name in needed or models[name].is_required()]
    return _some(fields, always).filter(partial(fits, model))


def only(
    model: type[BaseModel], fields: str, *, needed: str = "", **own: st.SearchStrategy[Any]
) -> Specs:
    """Some of these fields, where what a model may say follows from what it says elsewhere."""
    taken = {*fields.split(), *needed.split(), *own}
    never = {name: None for name in model.model_fields if name not in taken}
    return spec(model, needed=tuple(needed.split()), **own, **never)


@st.composite
def _some(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]], needed: list[str]) -> Any:
    others = sorted(fields.keys() - set(needed))
    more = draw(st.lists(st.sampled_from(others), max_size=MOST, unique=True)) if others else []
    return {name: draw(fields[name]) for name in [*needed, *more]}


def fits(model: type[BaseModel], drawn: dict[str, Any]) -> bool:
    try:
        model.model_validate(drawn)
    except ValidationError:
        return False
    return True


def value(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _bounded(inner[0], inner[1:])
    if origin in (Union, types.UnionType):
        return st.one_of(*(value(one) for one in inner if one is not type(None)))
    if origin is list:
        return st.lists(value(inner[0]), max_size=2, unique_by=_mark)
    if origin is Literal:
        return st.sampled_from(inner)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(kind)
    return PLAIN.get(origin or kind, words)


def _bounded(kind: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    schemas = [one.json_schema or {} for one in metadata if isinstance(one, WithJsonSchema)]
    if any("x-apiops-secret" in schema for schema in schemas):
        return st.sampled_from([secret("one"), secret("two")])
    limits = [limit for one in metadata for limit in (getattr(one, "metadata", None) or [one])]
    lowest = max((one.ge for one in limits if getattr(one, "ge", None) is not None), default=0)
    highest = min((one.le for one in limits if getattr(one, "le", None) is not None), default=9)
    if kind is int:
        return st.integers(lowest, max(lowest + 9, min(highest, 9)) if highest > lowest else lowest)
    if kind is str and any(getattr(one, "min_length", None) for one in limits):
        return words.filter(bool)
    return value(kind)


def _model(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    if kind.__name__ in SAMPLES:
        REACHED.update((kind.__name__, name) for name in kind.model_fields)
        return st.sampled_from(SAMPLES[kind.__name__])
    return spec(kind)


def _mark(item: Any) -> str:
    """What tells items of a list from each other: the key that lists of such items have."""
    if isinstance(item, dict):
        keys = ("name", "key", "id", "toolName", "modelId", "errorType", "elementName", "endpoint")
        return next((str(item[key]) for key in keys if key in item), "")
    return str(item)
