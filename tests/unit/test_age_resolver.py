"""Plain YAML scalars mean to us what they mean to sops (go-yaml v3)."""

import pytest

from apiops.age import resolver

TYPED = [
    ("0x1F", "int", "31"),
    ("0o17", "int", "15"),
    ("0777", "int", "511"),
    ("007", "int", "7"),
    ("0b101", "int", "5"),
    ("-0b11", "int", "-3"),
    ("1_000", "int", "1000"),
    ("+5", "int", "5"),
    ("9223372036854775807", "int", "9223372036854775807"),
    ("18446744073709551616", "float", "18446744073709552000"),
    ("08", "float", "8"),
    ("1.50", "float", "1.5"),
    ("3.0", "float", "3"),
    ("1e3", "float", "1000"),
    ("1e-9", "float", "0.000000001"),
    ("1e21", "float", "1000000000000000000000"),
    (".5", "float", "0.5"),
    ("-.inf", "float", "-Inf"),
    (".NaN", "float", "NaN"),
    ("True", "bool", "True"),
    ("FALSE", "bool", "False"),
    ("2020-01-02", "time", "2020-01-02T00:00:00Z"),
    ("2020-1-2 3:04:05.60", "time", "2020-01-02T03:04:05.6Z"),
    ("2001-12-14T21:59:43.10-05:00", "time", "2001-12-14T21:59:43.1-05:00"),
    ("2001-12-14t21:59:43+00:00", "time", "2001-12-14T21:59:43Z"),
    ("0000-02-29", "time", "0000-02-29T00:00:00Z"),
]
TEXTS = [
    *("yes", "no", "on", "off", "y", "N", "tRUE", "nULL", "12:30:45", "1.2.3", "0x", "0b2", "1e"),
    *("2001-02-30", "2001-12-14 21:59:43 -5", "2001-12-14T21:59:43", "1e400", "<<", "-", "+.e1"),
]


@pytest.mark.parametrize(("plain", "kind", "data"), TYPED)
def test_a_scalar_has_the_type_and_bytes_of_sops(plain, kind, data):
    resolved = resolver.resolve(plain)
    assert resolved is not None
    assert (kind, data) == (resolved.kind.value, resolved.data.decode())


@pytest.mark.parametrize("plain", TEXTS)
def test_what_looks_typed_and_is_not_is_text(plain):
    resolved = resolver.resolve(plain)
    assert resolved is not None
    assert ("str", plain) == (resolved.kind.value, resolved.data.decode())


@pytest.mark.parametrize("plain", ["", "~", "null", "Null", "NULL"])
def test_null_has_five_spellings(plain):
    assert resolver.resolve(plain) is None


@pytest.mark.parametrize("plain", ["0777", "1_000", "0b1", "2020-01-02", "08", "1_0.5"])
def test_scalars_that_yaml_core_reads_otherwise_are_known(plain):
    assert resolver.differs_from_core(plain)


@pytest.mark.parametrize(
    "plain", ["0", "-1", "0x1f", "0o17", "1.5", "1e3", "true", "yes", "a b", "~"]
)
def test_scalars_that_both_read_alike_pass(plain):
    assert not resolver.differs_from_core(plain)
