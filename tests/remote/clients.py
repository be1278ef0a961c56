"""Who calls proxies, how often, and for how much: drawn for what else there is in a project."""

from typing import Any

from hypothesis import strategies as st

from apiops.model.kinds import budget, credential, ratelimit
from apiops.model.resource import Resource
from tests.remote.gateway import a_resource, secret
from tests.remote.items import CONDITIONS, shown, when
from tests.remote.shapes import Specs, spec, words

flags = st.booleans()
names = st.sampled_from(["alpha", "beta", "gamma delta", "d-4"])
Lists = st.SearchStrategy[list[Any]]

FACT = spec(credential.Metadata, value=words, secret=None)
SECRET_FACT = spec(
    credential.Metadata,
    needed=("value", "secret"),
    value=st.just(secret("x")),
    secret=st.sampled_from([True]),
)
facts = st.lists(st.one_of(FACT, SECRET_FACT), max_size=2, unique_by=lambda one: one["key"])
SLOTS = {
    "certificate": "Certificate",
    "keystore": "Keystore",
    "truststore": "Keystore",
    "secretKey": "Key",
    "privateKey": "Key",
    "publicKey": "Key",
    "jwkValidation": "Jwk",
    "jwkEncryption": "Jwk",
}


def lists(*items: Any) -> Lists:
    return st.lists(st.sampled_from(items), unique=True)


def named(found: list[Resource], kind: str) -> list[str]:
    return [one.id.name for one in found if one.id.kind == kind]


def credentials(found: list[Resource]) -> Specs:
    """What one carries and may call is there."""
    held = {slot: named(found, kind) for slot, kind in SLOTS.items()}
    carried = spec(
        credential.Assignments,
        **{slot: st.sampled_from(there) if there else None for slot, there in held.items()},
    )
    grants = [
        spec(credential.Access, needed=("type",), name=st.sampled_from(there), type=st.just(kind),
             expireTime=when)
        for kind, there in (
            ("API_PROXY", named(found, "ApiProxy")),
            ("API_PROXY_GROUP", named(found, "ApiProxyGroup")),
        )
        if there
    ]  # fmt: skip
    access = st.lists(
        st.one_of(grants), max_size=2, unique_by=lambda one: (one["type"], one["name"])
    )
    return spec(
        credential.CredentialSpec,
        email=st.just("a@bank.example"),
        fullName=names,
        password=st.sampled_from([secret("one"), secret("two"), "${VARIABLE}"]),
        roleNameList=lists("R1", "R2"),
        ipList=lists("10.0.0.1", "10.0.0.2"),
        expireDate=when,
        metadata=facts,
        assignments=carried,
        access=access if grants else None,
    )


LIMIT = {
    "endpointName": st.just("ALL"), "endpointHTTPMethod": st.just("ALL"), "permittedMessageCount": st.just(5),
    "timeIntervalPeriodLength": st.just(1), "cacheConnectionTimeoutInSeconds": st.just(3),
}  # fmt: skip


def limits(found: list[Resource]) -> Specs:
    """Of proxies and clients that are there."""
    apis, callers = named(found, "ApiProxy"), named(found, "Credential")
    one = spec(ratelimit.EndpointLimit, apiProxyName=st.sampled_from(apis or ["none"]), **LIMIT)
    unique = {"unique_by": lambda row: row["apiProxyName"]}
    return spec(
        ratelimit.RlclSpec,
        endpoints=st.lists(one, max_size=2, **unique) if apis else None,
        credentials=lists(*callers) if callers else None,
        condition=CONDITIONS,
    )


def budgets(*, providers: bool) -> Specs:
    """Limits, of models and, where there is one, of a provider too."""
    one = spec(budget.ProviderBudget, providerRef=st.just("l1"))
    limits = spec(
        budget.MergedBudget, providerBudgets=st.lists(one, max_size=1) if providers else None
    )
    return spec(budget.AiBudgetSpec, target=st.just({"type": "PROJECT"}), budget=limits)


organizations = spec(
    credential.CredentialOrganizationSpec,
    nameDefault=shown, nameSecondary=shown, metadata=facts, parentOrganizationCode=None,
)  # fmt: skip


@st.composite
def owners(draw: st.DrawFn, found: list[Resource]) -> list[Resource]:
    """Organisations, one perhaps above the other, and budgets of what there is."""
    codes = draw(st.sampled_from([[], ["bank"], ["bank", "branch"]]))
    made = []
    for code in codes:
        above = {"parentOrganizationCode": "bank"} if code == "branch" and draw(flags) else {}
        made.append(a_resource("CredentialOrganization", code, **draw(organizations), **above))
    targets = {
        "all": {"type": "PROJECT"},
        **{f"of {api}": {"type": "API_PROXY", "name": api} for api in named(found, "ApiProxy")},
        **{f"of {code}": {"type": "CREDENTIAL_ORGANIZATION", "name": code} for code in codes},
        **{f"of {target['credential']}": target for target in callers(found)},
    }
    one = budgets(providers=bool(named(found, "LlmProvider")))
    limited = draw(st.lists(st.sampled_from(sorted(targets)), unique=True, max_size=2))
    return made + [
        a_resource("AiBudget", name, **{**draw(one), "target": targets[name]}) for name in limited
    ]


def callers(found: list[Resource]) -> list[dict[str, Any]]:
    """Clients that may call a proxy, each with one of those."""
    return [
        {
            "type": "CREDENTIAL_ALLOWED_API_PROXY",
            "name": grant["name"],
            "credential": one.id.name,
        }
        for one in found
        if one.id.kind == "Credential"
        for grant in one.spec.get("access") or ()
        if grant["type"] == "API_PROXY"
    ]


@st.composite
def clients(draw: st.DrawFn, found: list[Resource]) -> list[Resource]:
    """Credentials, then what is about them."""
    made = [
        a_resource("Credential", name, **draw(credentials(found)))
        for name in draw(lists("app", "web"))
    ]
    made += [a_resource("Rlcl", name, **draw(limits(found + made))) for name in draw(lists("slow"))]
    return made + draw(owners(found + made))
