"""What single resources of a project may say, where nothing but their own kind matters.

Kinds whose specs speak of others (proxies, budgets, credentials) are drawn in states.py.
"""

from typing import Any

from hypothesis import strategies as st

from apiops.model.kinds import keys as kinds_keys
from apiops.model.kinds import knowledge, policy, presets
from apiops.model.kinds import models as kinds_models
from tests.remote.gateway import ENVIRONMENTS, Gateway, secret
from tests.remote.shapes import SAMPLES, Specs, only, spec, words

shown = words.filter(bool)
when = st.sampled_from(["2027-12-31T23:59:59Z", "2028-01-01T00:00:00Z"])
PLACES = st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, unique=True)


def in_places(one: Specs) -> Specs:
    """The same sort of thing in some environments."""
    return PLACES.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, one)))


def keys(gateway: Gateway) -> Specs:
    """All three types: a secret one, a private one, and a public one, which is a file."""
    pem = "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
    kept = st.sampled_from([secret("QUJD"), secret("REVG")])
    files = [{"file": "key.pem", "fileDigest": gateway.file(pem % text)} for text in ("QUJD", "Qg")]
    alias = st.fixed_dictionaries({}, optional={"alias": st.just("a")})
    public = st.builds(lambda file, more: file | more, st.sampled_from(files), alias)
    private = st.builds(lambda content, more: {"content": content} | more, kept, alias)
    return st.one_of(
        one_type("SECRET_KEY", private, algorithm=st.sampled_from(["AES", "DES"])),
        one_type("PRIVATE_KEY", private),
        one_type("PUBLIC_KEY", public),
    )


def one_type(name: str, material: Specs, **more: st.SearchStrategy[Any]) -> Specs:
    own = {"keyType": st.just(name), "environments": in_places(material), **more}
    return st.fixed_dictionaries(own, optional={"description": words})


keystores = spec(
    kinds_keys.KeystoreSpec,
    environments=in_places(
        spec(
            kinds_keys.EnvironmentKeystore,
            alias=st.just("a"),
            file=st.sampled_from([secret("QUJD"), secret("REVG")]),
        )
    ),
)

DERIVED = "environmentName useType algorithm"
SOURCES = {
    "URL": ("url urlOptionConnectTimeout urlOptionReadTimeout urlOptionSizeLimit kid", "url"),
    "COPY_PASTE": ("jwkStr kid", "jwkStr"),
    "CERTIFICATE": ("", f"certificateName {DERIVED}"),
    "PUBLIC_KEY": ("", f"keyName {DERIVED}"),
    "PRIVATE_KEY": ("", f"keyName {DERIVED}"),
    "KEYSTORE": ("", f"keyStoreName aliasName {DERIVED}"),
}
"""Type → the fields that it may have, and those that it must (2.12)."""
sources = st.one_of(
    only(kinds_keys.JwkSource, more, needed=needed, type=st.just(name))
    for name, (more, needed) in SOURCES.items()
)
sized = spec(kinds_keys.GeneratedBySize, notBeforeTime=when, expirationTime=when)
curved = spec(kinds_keys.GeneratedByCurve, notBeforeTime=when, expirationTime=when)
DETAILS = {"rsa": sized, "oct": sized, "ec": curved, "okp": curved}
made = st.one_of(
    only(
        kinds_keys.JwkGenerate,
        "kid generation",
        needed=name,
        **{"type": st.just(name.upper()), name: details},
    )
    for name, details in DETAILS.items()
)
jwks = st.one_of(
    only(kinds_keys.JwkSpec, "description", needed="source", source=sources),
    only(kinds_keys.JwkSpec, "description", needed="generate", generate=made),
)

models = spec(kinds_models.LlmModelSpec, providerDefinition=None, deprecatedAt=when, sunsetAt=when)
definitions = spec(kinds_models.LlmProviderDefinitionSpec)

TIMES = "connectTimeoutMs requestTimeoutMs"
TRANSPORTS = {
    "jdbc": ("username password pool", "jdbcUrl"),
    "http": ("apiVersion authScheme authHeaderName apiKey apiSecret regionCode", "endpoint"),
    "redis": ("username password", "uri"),
}
vectors = spec(
    knowledge.VectorDbSpec,
    transport=st.one_of(
        only(knowledge.Transport, f"{more} {TIMES}", needed=needed, family=st.just(family))
        for family, (more, needed) in TRANSPORTS.items()
    ),
)

RULE = {"ruleValue": st.just("a+")}
FAMILIES = {
    "dlp": ("category", "action", RULE),
    "prompt-guard": ("category", "action", RULE),
    "privacy": ("maskMode maskPattern maskVisibleCharCount regexPattern elementName",
                "patternType operation", {"regexPattern": st.just("a+")}),
    "prompt-decorator": ("category role position", "content", {}),
}  # fmt: skip
ai_presets = st.one_of(
    only(
        presets.AiPresetSpec,
        f"{more} description enabled",
        needed=" ".join([needed, *(own if family != "privacy" else ())]),
        **{"family": st.just(family), **own},
    )
    for family, (more, needed, own) in FAMILIES.items()
)

CONDITIONS = st.sampled_from(SAMPLES["Condition"])
shared = st.builds(
    lambda one, more: one | more,
    spec(policy.GlobalPolicySpec, _class=st.just("oidc-auth"), policyCondition=CONDITIONS),
    st.fixed_dictionaries(
        {}, optional={"issuer": st.just("https://i"), "clientSecret": st.just(secret("s"))}
    ),
)
grouped = spec(
    policy.GroupedPolicy,
    _class=st.sampled_from(["ip-white", "cache"]),
    name=st.sampled_from(["a", "b"]),
    policyCondition=CONDITIONS,
)
policy_groups = spec(
    policy.PolicyGroupSpec,
    policyCondition=CONDITIONS,
    policyList=st.lists(grouped, max_size=2, unique_by=lambda one: one["name"]),
)
