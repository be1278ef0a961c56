"""What a plain scalar means: the YAML 1.2 core schema, and nothing of YAML 1.1.

`on`, `no`, `12:30:00`, `1_000` and `2024-01-01` are text here. Source: YAML 1.2.2, section 10.3.2.
"""

import math
import re

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# A number written so that sops (which follows Go's YAML rules) reads another value or type:
# leading zeros (octal there), binary, signed prefixes, underscores, dates.
_SOPS_DIFFERS = re.compile(
    r"[-+]?0[0-9_]+.*|[-+]?0[bB][01_]+|[-+]0[xo].+|[-+]?[0-9.][0-9_.]*_[0-9_.eE+-]*"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"
)

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_DIGITS = 22
"""No 64-bit integer has more digits (octal is the longest); longer text is not converted at all."""

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of a plain scalar. Raises ValueError for a number that JSON cannot carry."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _DECIMAL.fullmatch(text):
        return _integer(text, 10)
    if _OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("it is too large for a 64-bit float")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("JSON has no infinity and no not-a-number")
    return text


def _integer(digits: str, base: int) -> int:
    significant = digits.lstrip("+-0")
    if len(significant) <= _DIGITS:
        number = int(digits, base)
        if _SMALLEST <= number <= _LARGEST:
            return number
    raise ValueError("it does not fit into 64 bits")


def sops_differs(text: str) -> bool:
    """Whether sops would read this plain scalar as another value or type than we do."""
    return bool(_SOPS_DIFFERS.fullmatch(text))
