"""Kinds for policies that several proxies share."""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.classes import POLICY_CLASSES
from apiops.model.kinds.kind import HELD, Home, Kind, Payload, Reference

KINDS: Final = (
    Kind(
        name="GlobalPolicy",
        model="apiops.model.kinds.policy:GlobalPolicySpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.API_MANAGEMENT,
        wave=8,
        summary="A policy that is written once and used by many proxies.",
        immutable=("_class",),
        folds_case=True,
        payloads=(Payload("policies", type="_class", types=POLICY_CLASSES),),
        references=tuple(
            Reference(field, kind, bound=True, marked=True) for field, kind in HELD.items()
        ),
        write_only=("",),
    ),
    Kind(
        name="PolicyGroup",
        model="apiops.model.kinds.policy:PolicyGroupSpec",
        home=Home.PROJECT,
        tier=Tier.TEAM,
        category=Category.API_MANAGEMENT,
        wave=9,
        summary="Policies that are used together, in an order, on one pipeline.",
        keyed={"policyList": "name"},
        folds_case=True,
        payloads=(Payload("policies", "policyList.*", "_class", types=POLICY_CLASSES),),
        references=tuple(
            Reference(f"policyList.*.{field}", kind, bound=True, marked=True)
            for field, kind in HELD.items()
        ),
        write_only=("",),
    ),
)
