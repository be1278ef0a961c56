"""What a Manager makes of a spec that it was given, and that means the same: data, per kind.

A Manager fills in defaults, orders sets, and has several words for one thing. What is listed here
is no difference when a live spec is compared with the one that was written; whatever is not
listed is. Facts are the vendor document's (2.3, 2.5–2.16, 7), where the numbers in the comments
point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class Filled(tuple[Any, ...]):
    """The values that releases fill in where one is left out: any of them counts as left out."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What means the same in the specs of a kind. Paths are dotted patterns (`*`, `**`).

    `filled` has what the Manager puts where a field was left out. `loose` are places at and under
    which a field that was not written is not looked at: whole families of payloads are filled in
    there. `words` are sets of words for one thing. `unordered` are lists of keyed items whose order
    says nothing.
    """

    filled: Mapping[str, Filled] = field(default_factory=dict)
    loose: tuple[str, ...] = ()
    words: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)
    unordered: tuple[str, ...] = ()


_SHARING: Final = (
    frozenset({"BOTH", "PUBLIC"}),
    frozenset({"EXTERNAL", "PUBLIC"}),
    frozenset({"INTERNAL", "ORGANIZATION"}),
    frozenset({"NONE", "PROJECT"}),
)

_CACHELESS: Final = (frozenset({"CONTINUE", "IGNORE"}), frozenset({"CONTINUE", "ALLOW"}))
"""What happens without a cache (1.10 #44)."""

_PROTOCOLS: Final = tuple(frozenset({name, name.upper()}) for name in ("ftp", "ftps", "sftp"))
_TYPES: Final = (frozenset({"policy-api-based-throttling", "policy-throttling"}),)

EQUIVALENCES: Final[dict[str, Equivalence]] = {
    "EnvironmentVariable": Equivalence(
        filled={
            "global": Filled([False]),
            "globalVisible": Filled([True]),
            "values.*.visible": Filled([False]),
        },
    ),
    "Connection": Equivalence(
        filled={"deployToWorker": Filled([True]), "enabled": Filled([True])},
        loose=("*",),  # 7 #5: each type has its own defaults
        words={"protocol": _PROTOCOLS},  # 1.10 #48
    ),
    "Certificate": Equivalence(),
    "AiPreset": Equivalence(
        filled={
            "enabled": Filled([True]),
            "role": Filled(["system"]),  # 7 #6
            "position": Filled(["PREPEND"]),
            "patternType": Filled(["ELEMENT_NAME"]),
        },
        loose=("maskMode", "maskPattern", "maskVisibleCharCount"),  # 2.3
    ),
    "LlmModel": Equivalence(filled={"isDeprecated": Filled([False])}),
    "VectorDb": Equivalence(
        filled={"enabled": Filled([True])},
        loose=("distanceMetric", "maxBatchSize", "transport.pool.*"),  # 7 #5
    ),
    "KnowledgeBase": Equivalence(
        filled={"chunkSize": Filled([1000]), "chunkOverlap": Filled([200])},
        loose=("collectionName",),
    ),
    "AiBudget": Equivalence(
        filled={
            "budget.enabled": Filled([False]),
            "budget.hardCapPercent": Filled([100]),  # 7 #5
            "budget.overflowAction": Filled(["BLOCK"]),
            "budgetSource": Filled(["INHERIT"]),
        },
    ),
    "AiGatewaySettings": Equivalence(loose=("*",)),  # 2.20: what is read is what is in force
    "CredentialOrganization": Equivalence(
        loose=("nameDefault", "nameSecondary"),  # 2.11: a blank one is kept
        filled={
            "metadata.*.secret": Filled([False]),
            "metadata.*.includeInJwt": Filled([False]),
            "metadata.*.includeInTokenResponse": Filled([False]),
        },
    ),
    "Rlcl": Equivalence(
        filled={
            "enabled": Filled([True]),
            "executionOrder": Filled(["BEFORE_API_PROXY"]),
            "cacheConnectionTimeoutInSeconds": Filled([3]),
            "showRateLimitStatisticsInResponseHeader": Filled([False]),
            "endpoints.*.enabled": Filled([True]),
            "endpoints.*.showRateLimitStatisticsInResponseHeader": Filled([False]),
        },
        loose=("condition.**",),  # 2.3: an empty one is stored as one empty rule
        words={
            "cacheErrorHandlingType": _CACHELESS,
            "endpoints.*.cacheErrorHandlingType": _CACHELESS,
            "executionOrder": (  # 7 #6
                frozenset({"BEFORE_API_PROXY", "AFTER_PROXY_GROUP"}),
                frozenset({"BEFORE_API_METHOD", "AFTER_API_PROXY"}),
            ),
        },
    ),
    "LlmProvider": Equivalence(
        filled={
            "enabled": Filled([True]),
            "coldStartRetryEnabled": Filled([False]),
            "supportedModels.*.isDeprecated": Filled([False]),
            "metadata.*.secret": Filled([False]),
        },
        # 2.16: blank ones are filled from the type of the provider
        loose=("endpoint", "apiVersion", "authScheme", "authHeaderName", "deploymentType"),
        unordered=("supportedModels", "metadata"),
    ),
    "Credential": Equivalence(
        filled={
            "enabled": Filled([True]),
            "access.*.type": Filled(["API_PROXY"]),
            "metadata.*.secret": Filled([False]),
            "metadata.*.includeInJwt": Filled([False]),
            "metadata.*.includeInTokenResponse": Filled([False]),
        },
        unordered=("access", "metadata"),
    ),
    "ApiProxy": Equivalence(
        filled={
            "clientRoute.bufferRequest": Filled([True]),
            "clientRoute.bufferResponse": Filled([True]),
            "routing.enabled": Filled([True]),
            "routing.addresses.*.weight": Filled([1, 100]),  # 1.10 #24
            "routing.addresses.*.addressType": Filled(["PRIMARY"]),
            "routing.addresses.*.healthMonitoringEnabled": Filled([False]),
            "metadata.sharingType": Filled(["BOTH", "PUBLIC"]),  # 1.10 #26
            "endpoints.*.active": Filled([True]),
            "policies.*.*.active": Filled([True]),
        },
        loose=(
            "policies.*.*.errorMessageList",  # 2.3: the type's standard messages
            "policies.*.*.spec",  # 7 #5, #16
            "policies.*.*.condition.**",
            "trafficLog.*",  # 2.5.8: flags are filled in at the first save
        ),
        words={
            "metadata.sharingType": _SHARING,
            "policies.*.*.type": _TYPES,  # 1.10 #42
            "policies.*.*.spec.cacheErrorHandlingType": _CACHELESS,
        },
        unordered=("endpoints", "clientRoute.headerList"),
    ),
}
"""Kind name → its equivalences; a kind without an entry has none."""
