"""Kinds for those who act, and for what they may do."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import LOGIN, Home, Kind, Reference

KINDS: Final = (
    Kind(
        name="User",
        model="apiops.model.kinds.people:UserSpec",
        home=Home.SYSTEM,
        tier=Tier.SYSTEM,
        category=Category.PROJECT_MANAGEMENT,
        wave=1,
        summary="A person or machine: the keys that prove a commit to be theirs, and system roles.",
        keyed={"identities": "", "keys": "key", "systemRoles": ""},
        names=LOGIN,
        folds_case=True,
    ),
    Kind(
        name="Role",
        model="apiops.model.kinds.people:RoleSpec",
        home=Home.EITHER,
        tier=Tier.PROJECT,
        category=Category.PROJECT_MANAGEMENT,
        wave=1,
        summary="A named set of rights, each a category with its actions.",
        keyed={"permissions": "category", "permissions.*.actions": ""},
        builtin=frozenset(
            {
                "Project Owner",
                "API Developer",
                "API Manager",
                "API Creator",
                "API Security",
                "API Analytics",
                "API Tester",
                "AI Admin",
                "AI Developer",
                "AI Finance",
                "AI Analytics",
            }
        ),
    ),
    Kind(
        name="Team",
        model="apiops.model.kinds.people:TeamSpec",
        home=Home.EITHER,
        tier=Tier.PROJECT,
        category=Category.PROJECT_MANAGEMENT,
        wave=2,
        summary="People who work together, each with their roles where the team is a member.",
        references=(
            Reference("members.*.user", "User", system=True),
            Reference("members.*.roles.*", "Role"),
        ),
        keyed={"members": "user", "members.*.roles": ""},
    ),
    Kind(
        name="Membership",
        model="apiops.model.kinds.people:MembershipSpec",
        home=Home.PROJECT,
        tier=Tier.PROJECT,
        category=Category.PROJECT_MANAGEMENT,
        wave=3,
        summary="What a user or a team may do in a project, everywhere or in some environments.",
        references=(
            Reference("user", "User", system=True),
            Reference("team", "Team"),
            Reference("roles.*", "Role"),
            Reference("environments.*", "Environment", system=True),
        ),
        keyed={"roles": "", "environments": ""},
    ),
)
