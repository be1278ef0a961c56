"""What our own Manager answers over HTTP, read as values or raised as the errors that they are."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from apiops import errors
from apiops.errors import ApiopsError, ManagerError, SpecInvalid
from apiops.model import codec
from apiops.model.diagnostic import Diagnostic, Location
from apiops.remote.answer import Answer

Value = TypeVar("Value")

GOOD: Final = range(200, 300)
"""Statuses of an answer that carries what was asked for."""
_KINDS: Final[Mapping[str, type[ApiopsError]]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ApiopsError) and kind is not SpecInvalid
}
_LONGEST: Final = 2000
"""Characters of a message of the server that are shown."""


def told(answer: Answer) -> Any:
    """The JSON of a good answer. Raises the error that a bad one carries."""
    if answer.status in GOOD:
        return answer.json()
    tree = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if not isinstance(tree, dict) or not isinstance(tree.get("code"), str):
        raise ManagerError(
            f"the server answered {answer.status} and not as a Manager does",
            code="AO744",
            hint="check the URL: another program may be answering there",
        )
    raise _fault(tree)


def _fault(tree: Mapping[str, Any]) -> ApiopsError:
    """The error that a problem describes, as it was raised there."""
    message, hint, code = (_clean(tree.get(name)) for name in ("detail", "hint", "code"))
    if tree.get("error") == SpecInvalid.__name__:
        found = [read(Diagnostic, one) for one in tree.get("diagnostics") or ()]
        return SpecInvalid(message, code=code, diagnostics=found)
    kind = _KINDS.get(str(tree.get("error")), ManagerError)
    place = tree.get("location")
    location = read(Location, place) if isinstance(place, dict) else None
    return kind(message, code=code, hint=hint, location=location)


def _clean(text: Any) -> str:
    """A text of the server without what a terminal would obey."""
    shown = str(text or "")[:_LONGEST]
    return "".join(letter if letter.isprintable() else " " for letter in shown)


def read(kind: type[Value], tree: Any) -> Value:
    """A value of that kind. Raises ManagerError AO746."""
    try:
        return codec.load(kind, tree)
    except ValueError:
        raise strange() from None


def strange() -> ManagerError:
    """The error of an answer that says something, and not what was asked."""
    return ManagerError(
        "the Manager's answer is not one that this apiops understands",
        code="AO746",
        hint="use the version of apiops that the server has: `apiops version`",
    )
