"""What apiops knows of each kind as data, without importing a model.

`KINDS` is the one table that spec, plan, access and the Manager read; the pydantic model that
describes a kind's `spec` is named by `model` and imported only where it is needed. Facts are the
vendor document's (2.1, 2.5–2.16, 7, 8.2); where it has several answers, 1.10 there decides.
"""

from typing import Final

from apiops.model.access import Category, Tier
from apiops.model.kinds.kind import (
    API_VERSION,
    LOGIN,
    NAME,
    PROTECTED,
    VARIABLE_NAME,
    Home,
    Kind,
    Reference,
    SecretField,
    Switch,
    item_key,
)

__all__ = [
    "API_VERSION",
    "KINDS",
    "LOGIN",
    "NAME",
    "PROTECTED",
    "VARIABLE_NAME",
    "Home",
    "Kind",
    "Reference",
    "SecretField",
    "Switch",
    "item_key",
]

_ENVIRONMENT = Kind(
    name="Environment",
    model="apiops.model.kinds.system:EnvironmentSpec",
    home=Home.SYSTEM,
    tier=Tier.SYSTEM,
    category=Category.GLOBAL_SETTINGS,
    wave=0,
    summary="A place where proxies run: test, production. Its keys seal its secrets.",
)

_PROJECT = Kind(
    name="Project",
    model="apiops.model.kinds.system:ProjectSpec",
    home=Home.SYSTEM,
    tier=Tier.SYSTEM,
    category=Category.PROJECT_MANAGEMENT,
    wave=0,
    summary="The unit of ownership: the resources of one team of owners; its name is the project.",
    keyed={"tags": ""},
)

_USER = Kind(
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
)

_ROLE = Kind(
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
)

_TEAM = Kind(
    name="Team",
    model="apiops.model.kinds.people:TeamSpec",
    home=Home.EITHER,
    tier=Tier.PROJECT,
    category=Category.PROJECT_MANAGEMENT,
    wave=2,
    summary="People who work together, each with the roles they hold wherever the team is member.",
    references=(
        Reference("members.*.user", "User", system=True),
        Reference("members.*.roles.*", "Role"),
    ),
    keyed={"members": "user", "members.*.roles": ""},
)

_MEMBERSHIP = Kind(
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
)

_ENVIRONMENT_VARIABLE = Kind(
    name="EnvironmentVariable",
    model="apiops.model.kinds.settings:EnvironmentVariableSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.GLOBAL_SETTINGS,
    wave=4,
    summary="A value per environment, used as `${NAME}` in most fields; the home of secrets.",
    secrets=(
        SecretField("globalValue", switch=Switch("globalVisible", secret_when=False, default=True)),
        SecretField(
            "values.*.value",
            environment=1,
            switch=Switch("visible", secret_when=False, default=False),
        ),
    ),
    references=(Reference("values", "Environment", system=True, key=True),),
    names=VARIABLE_NAME,
)

_IP_GROUP = Kind(
    name="IpGroup",
    model="apiops.model.kinds.settings:IpGroupSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.GLOBAL_SETTINGS,
    wave=4,
    summary="A named set of IP addresses and networks, for allow and deny policies.",
    keyed={"ipList": ""},
)

_CERTIFICATE = Kind(
    name="Certificate",
    model="apiops.model.kinds.settings:CertificateSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.SECRETS,
    wave=5,
    summary="A public certificate, one PEM file per environment.",
    references=(Reference("environments", "Environment", system=True, key=True),),
    files=("environments.*.file",),
)

_CONNECTION = Kind(
    name="Connection",
    model="apiops.model.kinds.connection:ConnectionSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.CONNECTIONS,
    wave=6,
    summary="How the gateway reaches a log sink, broker, database or mail server.",
    immutable=("type",),
    folds_case=True,
)

_LLM_PROVIDER = Kind(
    name="LlmProvider",
    model="apiops.model.kinds.ai:LlmProviderSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.AI_DEVELOPMENT,
    wave=6,
    summary="An account at a model vendor, or a model server of one's own.",
    secrets=(
        SecretField("apiKey"),
        SecretField("apiSecret"),
        SecretField("serviceAccountJson"),
        SecretField("metadata.*.value", switch=Switch("secret", secret_when=True, default=False)),
    ),
    keyed={"supportedModels": "modelId", "allowedModelIds": "", "metadata": "key"},
    folds_case=True,
)

_API_PROXY = Kind(
    name="ApiProxy",
    model="apiops.model.kinds.proxy:ApiProxySpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.API_MANAGEMENT,
    wave=9,
    summary="An API as clients see it: routes, backends, policies, and where it is deployed.",
    secrets=(
        SecretField("source.authorization.*.value"),
        SecretField("settings.ntlm.password"),
        SecretField("settings.proxyServer.proxyPassword"),
        SecretField("settings.keys.publicKey"),
        SecretField("settings.keys.secretKey"),
        SecretField("aiRouting.proxyPassword"),
        SecretField("mcpRouting.backendServers.*.bearerToken"),
        SecretField("mcpRouting.backendServers.*.clientSecret"),
        SecretField("a2aRouting.backendServers.*.bearerToken"),
        SecretField("a2aRouting.backendServers.*.clientSecret"),
    ),
    references=(
        Reference("deployments.*.environment", "Environment", system=True),
        Reference("trafficLog", "Environment", system=True, key=True),
        Reference("trafficLog.*.connectors", "Connection", key=True),
        Reference("trafficLog.*.methods.*.connectors", "Connection", key=True),
        Reference("aiRouting.llmProviderRefName", "LlmProvider"),
        Reference("aiRouting.semanticEmbeddingProviderRef", "LlmProvider"),
        Reference("aiRouting.providerFailoverChain.*.llmProviderRefName", "LlmProvider"),
        Reference("aiRouting.primaryPool.*.llmProviderRefName", "LlmProvider"),
        Reference("aiRouting.conditionalRoutes.*.llmProviderRefName", "LlmProvider"),
        Reference("mcpRouting.exposedTools.*.apiProxyName", "ApiProxy"),
    ),
    keyed={
        "clientRoute.methodList": "",
        "clientRoute.hostList": "",
        "clientRoute.headerList": "name",
        "routing.addresses": "address",
        "metadata.categoryList": "",
        "settings.cors.allowOriginList": "",
        "settings.cors.allowMethodList": "",
        "settings.cors.allowHeaderList": "",
        "settings.cors.exposeHeaderList": "",
        "settings.idempotency.applicableHttpMethods": "",
        "settings.connection.hopByHopHeaders": "",
        "settings.mtls.supportedProtocolList": "",
        "settings.errorHandling.statusCodeList": "",
        "endpoints": "name+httpMethod",
        "policies.request": "name",
        "policies.response": "name",
        "policies.error": "name",
        "aiRouting.failoverStatusCodeList": "",
        "aiRouting.conditionalRoutes": "name",
        "mcpRouting.exposedTools": "toolName",
        "mcpRouting.backendServers": "name",
        "mcpRouting.allowedToolNames": "",
        "a2aRouting.backendServers": "name",
        "a2aRouting.allowedSkillNames": "",
        "a2aRouting.agentCard.skills": "id",
        "trafficLog.*.methods": "endpoint+httpMethod",
        "deployments": "environment",
    },
    immutable=("type", "source.soapToRest"),
    merges=(
        "metadata",
        "routing",
        "settings",
        "settings.connection",
        "settings.circuitBreaker",
        "settings.mtls",
        "settings.proxyServer",
        "settings.keys",
        "settings.errorHandling",
        "settings.customMessage",
        "settings.maintenanceMode",
        "settings.grpc",
        "settings.websocket",
        "settings.specAccess",
        "trafficLog",
        "trafficLog.*",
    ),
    files=("source.file",),
    deployable=True,
)

_CREDENTIAL = Kind(
    name="Credential",
    model="apiops.model.kinds.credential:CredentialSpec",
    home=Home.PROJECT,
    tier=Tier.TEAM,
    category=Category.IDENTITY,
    wave=10,
    summary="A client of the gateway: its password, and the proxies it may call.",
    secrets=(
        SecretField("password"),
        SecretField("metadata.*.value", switch=Switch("secret", secret_when=True, default=False)),
    ),
    references=(
        Reference("assignments.certificate", "Certificate"),
        Reference("access.*.name", "ApiProxy", only=("type", "API_PROXY")),
    ),
    keyed={"roleNameList": "", "ipList": "", "metadata": "key", "access": "name+type"},
    names=LOGIN,
)

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        _ENVIRONMENT,
        _PROJECT,
        _USER,
        _ROLE,
        _TEAM,
        _MEMBERSHIP,
        _ENVIRONMENT_VARIABLE,
        _IP_GROUP,
        _CERTIFICATE,
        _CONNECTION,
        _LLM_PROVIDER,
        _API_PROXY,
        _CREDENTIAL,
    )
}
"""Kind name → kind, in wave order."""
