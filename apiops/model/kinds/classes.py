"""What the Manager calls policies that stand by themselves.

A policy on a proxy has a `type`, a global policy and a policy in a group have a `_class`; both
mean the same schemas (vendor document, 2.6 and 2.7). The class `cache` is left out: nothing says
which fields it has, and a proxy's cache is a setting.
"""

from typing import Final

_RENAMED: Final = {
    "allowed-hours": "policy-time-restriction",
    "api-authentication": "policy-api-authentication",
    "api-based-quota": "policy-api-based-quota",
    "api-based-throttling": "policy-api-based-throttling",
    "base64-auth": "policy-auth-basic",
    "basic-auth": "policy-auth-clear-text",
    "business-rule": "policy-business-rule",
    "content-filter": "policy-content-filter",
    "digest-auth": "policy-auth-digest",
    "ip-black": "policy-black-ip",
    "ip-white": "policy-white-ip",
    "json-schema-validation": "policy-json-schema-validation",
    "jwt-auth": "policy-auth-jwt",
    "max-message-size": "policy-max-message-size",
    "message-builder": "policy-message-builder",
    "min-message-size": "policy-min-message-size",
    "oauth-2-auth": "policy-auth-oauth2",
    "oidc-auth": "policy-oidc",
    "policy-mtls-authentication": "policy-auth-mtls",
    "protocol-transformation-request": "policy-request-protocol-transformation",
    "protocol-transformation-response": "policy-response-protocol-transformation",
    "redaction": "policy-redaction",
    "rest-api-call": "policy-api-call",
    "saml-validation": "policy-saml-validation",
    "script": "policy-script",
    "xml-schema-validation": "policy-xml-schema-validation",
}

_SAME: Final = (
    "ai-a2a-call-fixed",
    "ai-a2a-call-llm",
    "ai-context-integrity",
    "ai-dlp-guard",
    "ai-loop-guard",
    "ai-mcp-call-fixed",
    "ai-mcp-call-llm",
    "ai-pii-mask",
    "ai-prompt-guard",
    "ai-proxy",
    "ai-rag-injection",
    "ai-semantic-cache",
    "ai-token-rate-limit",
    "ai-topic-guard",
    "policy-client-banner",
    "policy-decryption",
    "policy-digital-sign",
    "policy-digital-sign-verification",
    "policy-encryption",
    "policy-endpoint-rate-limit",
    "policy-jose-implementation",
    "policy-jose-validation",
    "policy-json-transformation",
    "policy-log",
    "policy-ws-security-decrypt",
    "policy-ws-security-encrypt",
    "policy-ws-security-from-target",
    "policy-ws-security-sign",
    "policy-ws-security-sign-validation",
    "policy-ws-security-sts-token",
    "policy-ws-security-timestamp",
    "policy-ws-security-to-target",
    "policy-ws-security-username",
    "policy-xml-transformation",
)

POLICY_CLASSES: Final = dict(sorted({**_RENAMED, **{name: name for name in _SAME}}.items()))
"""`_class` → policy type, whose schema it has."""
