"""What a plain YAML scalar means to sops: the resolver of go-yaml v3.

It is neither YAML 1.1 nor 1.2 core: `yes` is a string, `0777` octal, `1_000` a thousand,
`2020-01-02` a time, `12:30:45` a string. The MAC covers values in this typing, so a reader must
share it. Format: go-yaml v3.0.4 `resolve.go`; time layouts as in Go's `time.Parse`.
"""

import calendar
import re
from typing import Final

from apiops.age.value import Kind, Scalar, floating, text

_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), Scalar(Kind.BOOL, b"True")),
    **dict.fromkeys(("false", "False", "FALSE"), Scalar(Kind.BOOL, b"False")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), Scalar(Kind.FLOAT, b"NaN")),
    **dict.fromkeys((".inf", ".Inf", ".INF"), Scalar(Kind.FLOAT, b"+Inf")),
    **dict.fromkeys(("+.inf", "+.Inf", "+.INF"), Scalar(Kind.FLOAT, b"+Inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), Scalar(Kind.FLOAT, b"-Inf")),
}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS: Final = (
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0[oO]([0-7]+)"), 8),
    (re.compile(r"([-+]?)0([0-7]+)"), 8),
    (re.compile(r"([-+]?)(0|[1-9][0-9]*)"), 10),
)
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:([Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?"
    r"(Z|[-+](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?"
)
_CORE_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_CORE_WORDS: Final = _NULLS | frozenset(_WORDS)
_MONTHS: Final = range(1, 13)
_HOURS: Final = range(24)
_SIXTY: Final = range(60)
_MAX_DIGITS: Final = 400


def resolve(plain: str) -> Scalar | None:
    """The typed value of a plain scalar, None for null. Anything unrecognised is a string."""
    if plain in _NULLS:
        return None
    if plain in _WORDS:
        return _WORDS[plain]
    if len(plain) > _MAX_DIGITS or plain[0] not in "+-.0123456789":
        return text(plain)
    if plain[0] == ".":
        return _float(plain) or text(plain)
    bare = plain.replace("_", "")
    return _time(plain) or _integer(bare) or _float(bare) or text(plain)


def differs_from_core(plain: str) -> bool:
    """Whether the YAML 1.2 core schema gives a plain scalar another type or value than sops."""
    ours = resolve(plain)
    if plain in _CORE_WORDS:
        return False
    if _CORE_INT.fullmatch(plain):
        number = int(plain, 0) if plain[:2] in {"0o", "0x"} else int(plain)
        return ours != Scalar(Kind.INT, str(number).encode())
    if _FLOAT.fullmatch(plain):
        return ours is None or ours.kind is not Kind.FLOAT
    return ours is None or ours.kind is not Kind.STR


def _integer(plain: str) -> Scalar | None:
    for pattern, base in _INTEGERS:
        matched = pattern.fullmatch(plain)
        if matched:
            number = int(matched[1] + matched[2], base)
            if -(1 << 63) <= number < 1 << 64:
                return Scalar(Kind.INT, str(number).encode())
    return None


def _float(plain: str) -> Scalar | None:
    if not _FLOAT.fullmatch(plain):
        return None
    number = float(plain)
    return None if number in {float("inf"), float("-inf")} else floating(number)


def _time(plain: str) -> Scalar | None:
    """A timestamp in one of the four layouts, as Go's MarshalText writes it (RFC 3339)."""
    matched = _TIME.fullmatch(plain)
    if matched is None:
        return None
    year, month, day = int(matched[1]), int(matched[2]), int(matched[3])
    if month not in _MONTHS or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    if matched[4] is None:
        return Scalar(Kind.TIME, f"{year:04}-{month:02}-{day:02}T00:00:00Z".encode())
    if (matched[4] == " ") is not (matched[9] is None):
        return None
    hour, minute, second = int(matched[5]), int(matched[6]), int(matched[7])
    if hour not in _HOURS or minute not in _SIXTY or second not in _SIXTY:
        return None
    clock = f"{hour:02}:{minute:02}:{second:02}{_fraction(matched[8])}{_zone(matched[9])}"
    return Scalar(Kind.TIME, f"{year:04}-{month:02}-{day:02}T{clock}".encode())


def _fraction(digits: str | None) -> str:
    kept = (digits or "")[:9].rstrip("0")
    return f".{kept}" if kept else ""


def _zone(zone: str | None) -> str:
    return "Z" if zone is None or zone[1:] in {"", "00:00"} else zone
