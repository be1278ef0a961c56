"""Connections of all fourteen types, with what each must have and some of what it may (2.9, C)."""

from typing import Any

from hypothesis import strategies as st

from tests.remote.gateway import secret
from tests.remote.shapes import Specs, words

flags = st.booleans()
COMMON = {"description": words, "deployToWorker": flags, "enabled": flags}
HIDDEN = st.sampled_from([secret("one"), secret("two"), "${VARIABLE}"])
TEXT = st.sampled_from(["one", "two"])
PORT = st.sampled_from([21, 22, 514, 6514])

HEADERS = st.lists(
    st.sampled_from(
        [
            {"name": "Content-Type", "value": "application/json"},
            {"name": "X-Token", "value": secret("t")},
            {"name": "X-Variable", "value": "${VARIABLE}"},
        ]
    ),
    unique_by=lambda header: header["name"],
)

TYPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "activeMq": (
        {
            "activeMqConnectionProtocolType": TEXT,
            "brokerURL": TEXT,
            "destinationType": st.sampled_from(["QUEUE", "TOPIC"]),
            "destinationName": TEXT,
        },
        {"username": TEXT, "password": HIDDEN, "sendTimeout": PORT},
    ),
    "database": (
        {"dbType": st.just("POSTGRES"), "jdbcUrl": st.just("jdbc:x")},
        {"password": HIDDEN, "maxPoolSize": st.integers(1, 9), "username": TEXT},
    ),
    "elasticsearch": (
        {"elasticHostList": st.just([{"host": "a.example", "port": 9200}])},
        {
            "elasticPassword": HIDDEN,
            "elasticsearchType": st.sampled_from(["READ", "READ_WRITE"]),
            "caTruststoreFilePass": HIDDEN,
            "authenticate": flags,
        },
    ),
    "email": (
        {"host": TEXT},
        {"port": PORT, "auth": flags, "password": HIDDEN, "enableStartTls": flags},
    ),
    "ftp": (
        {
            "host": TEXT,
            "username": TEXT,
            "password": HIDDEN,
            "protocol": st.sampled_from(["ftp", "sftp", "FTPS"]),
        },
        {"port": PORT, "workingDir": TEXT},
    ),
    "graylog": (
        {"hostname": TEXT},
        {
            "tlsEnabled": flags,
            "tlsTrustCertChainFile": st.one_of(HIDDEN, st.sampled_from(["QUJD", "REVG"])),
            "queueSize": PORT,
        },
    ),
    "kafka": (
        {
            "topicName": TEXT,
            "propertiesMap": st.sampled_from([{"acks": "all"}, {"sasl.jaas.config": secret("s")}]),
        },
        {"enableSecure": flags, "keyStoreName": TEXT},
    ),
    "ldap": (
        {"serverAddress": TEXT, "username": TEXT, "password": HIDDEN, "baseDn": TEXT},
        {"useSsl": flags, "customFilter": TEXT},
    ),
    "linux-script": ({"hostName": TEXT, "username": TEXT, "password": HIDDEN}, {"sshPort": PORT}),
    "logback": (
        {
            "logPath": TEXT,
            "logFileName": TEXT,
            "logPodName": words,
            "logFilenamePattern": TEXT,
            "logPattern": TEXT,
            "maxFileSize": PORT,
            "maxHistory": PORT,
            "totalSizeCap": PORT,
        },
        {},
    ),
    "rabbitMq": (
        {"hostPortList": st.just([{"host": "a.example", "port": 5672}])},
        {"connectionFactoryPassword": HIDDEN, "authenticationEnabled": flags},
    ),
    "snmp": (
        {
            "version": st.just("V3"),
            "connectionString": TEXT,
            "securityOrCommunityName": st.one_of(HIDDEN, TEXT),
            "pduOidForMessage": TEXT,
        },
        {"authPassphrase": HIDDEN, "privPassphrase": HIDDEN, "pduVariableMap": st.just({"a": "b"})},
    ),
    "syslog": (
        {"syslogServerHostname": st.just("logs.example")},
        {
            "syslogPort": PORT,
            "syslogSslEnabled": flags,
            "syslogMessageHostname": st.one_of(HIDDEN, TEXT),
        },
    ),
    "webhook": (
        {"fullUrl": st.one_of(HIDDEN, st.just("https://hook.example")), "value": TEXT},
        {"timeout": st.sampled_from([2, 5]), "headerList": HEADERS},
    ),
}
"""Type → fields that it must have, and such as it may."""


def of_type(name: str) -> Specs:
    needed, more = TYPES[name]
    return st.fixed_dictionaries({"type": st.just(name), **needed}, optional={**COMMON, **more})


connections = st.one_of(of_type(name) for name in TYPES)
