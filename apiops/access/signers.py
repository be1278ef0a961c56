"""An OpenSSH `allowed_signers` file, read strictly, as Users for `apiops access import-signers`.

The format is ssh-keygen(1), ALLOWED SIGNERS. A line proves a person only if it names one: patterns
(`*@bank.example`) and certificate authorities say that somebody may sign, and not who did, so
they are refused. So is what could be read in two ways, such as a time without a zone.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from apiops.errors import SpecInvalid
from apiops.model import sshkey
from apiops.model.diagnostic import Diagnostic, Location
from apiops.model.resource import JsonObject

MAX_CHARACTERS: Final = 4 * 1024 * 1024
MAX_LINE: Final = 32 * 1024
NAMESPACE: Final = "git"

_OPTION: Final = r'(?:cert-authority|[A-Za-z-]+="[^"]*")'
_LINE: Final = re.compile(
    rf"([^ \t\"]+)[ \t]+(?:({_OPTION}(?:,{_OPTION})*)[ \t]+)?([^ \t,\"=]+[ \t]+[^ \t]+)(?:[ \t].*)?"
)
_EACH: Final = re.compile(r'(cert-authority)|([A-Za-z-]+)="([^"]*)"')
_ADDRESS: Final = re.compile(r"[^@ ]+@[^@ ]+")
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._@+-]{0,126}[A-Za-z0-9._@+-])?")
_TIMES: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_KNOWN: Final = frozenset({"namespaces", "valid-after", "valid-before"})


@dataclass(frozen=True, slots=True)
class Signer:
    """One line: whom it names, their public key line, and its validity (ISO 8601 UTC or empty)."""

    principals: tuple[str, ...]
    key: str
    valid_from: str = ""
    valid_until: str = ""
    line: int = 0


class _Refused(ValueError):
    """A line that cannot be imported: code, and what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def parse(text: str, path: str = "allowed_signers") -> tuple[Signer, ...]:
    """The signers in the file. Raises SpecInvalid AO540 with a finding for every bad line."""
    if len(text) > MAX_CHARACTERS:
        raise _invalid([_finding(path, 0, _malformed("the file is too long"))])
    signers: list[Signer] = []
    findings: list[Diagnostic] = []
    owners: dict[str, Signer] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \t\r")
        if not stripped or stripped.startswith("#"):
            continue
        try:
            signers.append(_alone(_signer(stripped, number), owners))
        except _Refused as refusal:
            findings.append(_finding(path, number, refusal))
    if findings:
        raise _invalid(findings)
    return tuple(signers)


def users(signers: tuple[Signer, ...]) -> tuple[JsonObject, ...]:
    """A `User` manifest for everybody that the signers name, sorted by name.

    A user is named by the part of the address before the @ where that is unique, else by all.
    """
    people = _people(signers)
    short = [person.principals[0].partition("@")[0] for person in people]
    unique = {name: n == 1 for name, n in Counter(map(str.casefold, short)).items()}
    named = {
        name if unique[name.casefold()] and _NAME.fullmatch(name) else person.principals[0]: person
        for name, person in zip(short, people, strict=True)
    }
    return tuple(_manifest(name, person) for name, person in sorted(named.items()))


@dataclass(slots=True)
class _Person:
    """Somebody, as the lines that share a principal say."""

    principals: list[str] = field(default_factory=list)
    keys: list[Signer] = field(default_factory=list)


def _people(signers: tuple[Signer, ...]) -> list[_Person]:
    """Lines that share a principal are about one person."""
    known: dict[str, _Person] = {}
    for signer in signers:
        person = _Person(keys=[signer])
        others = {id(o): o for p in signer.principals if (o := known.get(p.casefold()))}
        for other in others.values():
            person.principals += other.principals
            person.keys = [*other.keys, *person.keys]
        person.principals += [p for p in signer.principals if p not in person.principals]
        known.update({p.casefold(): person for p in person.principals})
    return list({id(person): person for person in known.values()}.values())


def _manifest(name: str, person: _Person) -> JsonObject:
    addresses = [p for p in dict.fromkeys(person.principals) if _ADDRESS.fullmatch(p)]
    spec: dict[str, object] = {"email": addresses[0]} if addresses else {}
    if addresses[1:]:
        spec["identities"] = addresses[1:]
    spec["keys"] = [_key(signer) for signer in sorted(person.keys, key=lambda one: one.line)]
    return {"apiVersion": "apiops/v1", "kind": "User", "metadata": {"name": name}, "spec": spec}


def _key(signer: Signer) -> Mapping[str, str]:
    entry = {"key": signer.key, "validFrom": signer.valid_from, "validUntil": signer.valid_until}
    return {name: value for name, value in entry.items() if value}


def _signer(line: str, number: int) -> Signer:
    match = _LINE.fullmatch(line) if len(line) <= MAX_LINE else None
    if match is None:
        raise _malformed("the line does not read `PRINCIPALS [OPTIONS] KEYTYPE KEY`")
    principals = tuple(_principal(name) for name in match[1].split(","))
    options = dict(_options(match[2] or ""))
    if NAMESPACE not in options.get("namespaces", NAMESPACE).split(","):
        hint = "leave the line out: its key does not sign commits"
        raise _Refused("AO544", f"the key is for {options['namespaces']}, not for git", hint)
    return Signer(
        principals=tuple(dict.fromkeys(principals)),
        key=_public_key(" ".join(match[3].split())),
        valid_from=_moment(options.get("valid-after", "")),
        valid_until=_moment(options.get("valid-before", "")),
        line=number,
    )


def _principal(name: str) -> str:
    if any(letter in name for letter in "*?!"):
        hint = "write one line for each person, with their own key"
        raise _Refused("AO541", f"{name} is a pattern, which names nobody", hint)
    if not _NAME.fullmatch(name):
        raise _malformed(f"{name[:60]!r} cannot be the name or address of a User")
    return name


def _options(text: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for match in _EACH.finditer(text):
        name = (match[1] or match[2]).lower()
        if name == "cert-authority":
            hint = "list each person's own key; who a certificate is for, no User can say"
            raise _Refused("AO542", "the key is a certificate authority's", hint)
        if name not in _KNOWN or name in seen:
            raise _malformed(f"option {name[:60]} is not known, or stands there twice")
        seen.add(name)
        yield name, match[3]


def _public_key(line: str) -> str:
    try:
        sshkey.parse(line)
    except ValueError as fault:
        hint = "make an Ed25519 key (`ssh-keygen -t ed25519`), or leave the line out"
        raise _Refused("AO543", f"the key cannot be used: {fault}", hint) from None
    return line


def _moment(text: str) -> str:
    """The ISO form of `YYYYMMDD[HHMM[SS]]Z`."""
    if not text:
        return ""
    digits = text.removesuffix("Z")
    form = _TIMES.get(len(digits))
    if form is None or digits == text or not (digits.isascii() and digits.isdigit()):
        hint = "write YYYYMMDDZ or YYYYMMDDHHMMSSZ: without the Z it means this machine's zone"
        raise _Refused("AO545", f"{text[:40]!r} is not a time in UTC", hint)
    try:
        at = datetime.strptime(f"{digits}+0000", f"{form}%z")
    except ValueError:
        raise _Refused("AO545", f"no calendar has {text!r}", "write a day that exists") from None
    return f"{at:%Y-%m-%d}" if form == _TIMES[8] else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _alone(signer: Signer, owners: dict[str, Signer]) -> Signer:
    """A key that stands in two lines would be two people's, and so prove neither."""
    first = owners.setdefault(sshkey.fingerprint(signer.key), signer)
    if first is not signer:
        hint = "keep one line for each key; its principals may be several, with commas"
        raise _Refused("AO546", f"the key stands in line {first.line} already", hint)
    return signer


def _malformed(message: str) -> _Refused:
    return _Refused("AO540", message, "see ALLOWED SIGNERS in `man ssh-keygen`")


def _finding(path: str, number: int, refusal: _Refused) -> Diagnostic:
    return Diagnostic(refusal.code, str(refusal), Location(path, number), hint=refusal.hint)


def _invalid(findings: list[Diagnostic]) -> SpecInvalid:
    message = f"{len(findings)} lines cannot be imported"
    return SpecInvalid(message, code=findings[0].code, diagnostics=findings)
