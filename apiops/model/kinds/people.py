"""Specs of those who act, and of what they may do: users, roles, teams, memberships."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from apiops.model import moment, openpgp, sshkey
from apiops.model.access import Category, Verb
from apiops.model.kinds.parts import Email, Moment, Part, about

SystemRole = Literal["sysAdmin", "sysProjectManager", "sysAnalyzer"]


class SigningKey(Part):
    """A key whose signature on a commit proves the commit to be its owner's."""

    key: str | None = about(
        "The public key as in an OpenSSH `.pub` file: type, base64 and, if you like, a comment. "
        "Either this or `openpgp`.",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… ada@bank.example"],
    )
    openpgp: str | None = about(
        "An OpenPGP certificate in its armor, as `gpg --armor --export` prints it. Verifying its "
        "signatures needs the extra: `pip install 'apiops[openpgp]'`."
    )
    validFrom: Moment | None = about("From when it counts, ISO 8601 in UTC (absent: always).")
    validUntil: Moment | None = about("Until when it counts, ISO 8601 in UTC (absent: no end).")
    revoked: bool = about("Whether it no longer counts at all, for old commits neither.", False)

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: str | None) -> str | None:
        """What cannot verify a signature cannot be registered either."""
        try:
            if value is not None:
                sshkey.parse(value)
        except ValueError as fault:
            raise ValueError(f"not an OpenSSH public key: {fault}") from None
        return value

    @field_validator("openpgp")
    @classmethod
    def _is_a_certificate(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                openpgp.parse(value)
        except ValueError as fault:
            raise ValueError(f"not an OpenPGP certificate: {fault}") from None
        return value

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.key is None) == (self.openpgp is None):
            raise ValueError("give exactly one of key and openpgp")
        return self

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        begin, end = (text and moment.parse(text) for text in (self.validFrom, self.validUntil))
        if begin and end and begin >= end:
            raise ValueError("validUntil must be after validFrom")
        return self


class UserSpec(Part):
    """A person or a machine. Rights come from memberships and teams, not from here."""

    fullName: str = about("Name to show.", "")
    email: Email | None = about(
        "E-mail address. It proves nothing: a commit is a user's by signature only."
    )
    identities: list[Email] = about("Further e-mail addresses that the user commits with.", [])
    keys: list[SigningKey] = about("Keys that the user signs commits with.", [])
    systemRoles: list[SystemRole] = about(
        "Roles in the System tier. sysAdmin manages the System tier, sysProjectManager every "
        "project, sysAnalyzer reads monitoring, analytics and audit.",
        [],
    )
    enabled: bool = about("Whether the user may do anything at all.", True)
    attests: bool = about(
        "Whether the keys are a forge's own, with which it signs merges made in its web UI. Such "
        "a signature proves where a commit was made, not by whom: it needs `trust: "
        "host-attested`, and the forge itself holds no right.",
        False,
    )

    @model_validator(mode="after")
    def _a_forge_holds_nothing(self) -> Self:
        if self.attests and (self.systemRoles or self.email or self.identities):
            raise ValueError("a user that attests is a forge: it has keys, no roles or addresses")
        return self


class Permission(Part):
    """The actions that a role allows in one category."""

    category: Category = about("What the right is about.", ...)
    actions: list[Verb] = about("What may be done; MANAGE includes VIEW.", ..., min_length=1)


class RoleSpec(Part):
    """A named set of rights, given by teams and memberships."""

    description: str = about("What it is for, in words.", "")
    permissions: list[Permission] = about("The rights; each category once.", ...)

    @model_validator(mode="after")
    def _each_category_once(self) -> Self:
        _once("category", [permission.category.value for permission in self.permissions])
        return self


class Member(Part):
    """A user in a team."""

    user: str = about("The user, by name.", ...)
    roles: list[str] = about(
        "Roles that the user holds wherever the team is a member, by name.", ..., min_length=1
    )


class TeamSpec(Part):
    """People who work together."""

    description: str = about("What it is for, in words.", "")
    members: list[Member] = about("The users, each once.", [])

    @model_validator(mode="after")
    def _each_user_once(self) -> Self:
        _once("user", [member.user for member in self.members])
        return self


class MembershipSpec(Part):
    """What one user or one team may do in the project."""

    user: str | None = about("The user, by name. Either this or `team`.")
    team: str | None = about("The team, by name. Either this or `user`.")
    roles: list[str] = about(
        "Roles held in the project, by name. For a team, its members' own roles count as well.", []
    )
    environments: list[str] = about("Environments that it is limited to (empty: all).", [])

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.user is None) == (self.team is None):
            raise ValueError("name exactly one of user and team")
        if self.user is not None and not self.roles:
            raise ValueError("a user's membership needs at least one role")
        return self


def _once(field: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{field} named more than once: {', '.join(twice)}")
