"""Projects, environments, variables, IP groups, connections, certificates (§2.4, §2.9–§2.14)."""

import base64
import hashlib
from typing import Any

from tests.standin.wire import Call, Refused, Saved, route
from tests.standin.world import Json, Project

TYPES = (
    "email", "kafka", "elasticsearch", "database", "ldap", "ftp", "rabbitMq", "activeMq", "snmp",
    "linux-script", "graylog", "syslog", "webhook", "logback",
)  # fmt: skip
SECRETS = frozenset(
    {
        "password", "connectionFactoryPassword", "elasticPassword", "caTruststoreFilePass",
        "caKeystoreFilePass", "authPassphrase", "privPassphrase",
    }
)  # fmt: skip
DEFAULTS: dict[str, Json] = {
    "database": {"useCredentials": True, "minPoolSize": 1, "maxPoolSize": 5, "connectionTimeout": 30000},
    "webhook": {"httpMethod": "GET", "timeout": 2, "connectionPoolMaxConnectionPerHost": 24, "headerList": []},
    "syslog": {"syslogProtocolType": "TCP", "syslogPort": 514, "syslogSslEnabled": False},
    "email": {"port": 587, "auth": False, "enableStartTls": False, "defaultEncoding": "UTF-8"},
}  # fmt: skip
ADMIN_ONLY = "Admin role required"


def everywhere(call: Call) -> Saved:
    """Kinds that deploy by themselves go to all environments at once (7 #25)."""
    return Saved(deployment=call.world.result(dict.fromkeys(call.world.environments, True)))


@route("GET", "/projects/")
def projects(call: Call) -> Any:
    """§2.4: only those whose member the caller is; 1.10 #15: pages show more than openapi."""
    mine = [one for name, one in call.world.projects.items() if call.user.sees(name)]
    full = "projects-in-full" in call.world.quirks
    return [
        {"name": one.name, "description": one.description}
        | (
            {
                "id": one.id,
                "relativePath": one.path,
                "enableRelativePath": bool(one.path),
                "tags": [],
            }
            if full or one.path
            else {}
        )
        for one in mine
    ]


@route("GET", "/environments/")
def environments(call: Call) -> Any:
    if "environments-for-admins" in call.world.quirks and not call.user.admin:
        raise Refused(ADMIN_ONLY)
    return [
        {**one, "deployed": None, "redeployRequired": None}
        for one in call.world.environments.values()
    ]


@route("GET", "/projects/{p}/environments/")
def project_environments(call: Call) -> Any:
    assert call.project
    return [
        {**one, "deployed": None, "redeployRequired": None}
        for one in call.world.environments.values()
    ]


# --- environment variables (§2.13) -----------------------------------------------------------

V = "/projects/{p}/environmentVariables"


@route("GET", V + "/", "GLOBAL_SETTINGS.VIEW")
def variables(call: Call) -> Any:
    """§1.7: `admin` lists those of every project."""
    projects = call.world.projects.values() if call.names["p"] == "admin" else [call.project]
    return [
        shown_variable(project, one) for project in projects for one in project.variables.values()
    ]


def shown_variable(project: Project, one: Json) -> Json:
    """Secret values are null in every read."""
    return {
        **one, "projectId": project.id, "projectName": project.name,
        "globalValue": one.get("globalValue") if one.get("globalVisible", True) else None,
        "environmentValueList": [
            {**value, "value": value["value"] if value.get("visible") else None}
            for value in one.get("environmentValueList") or []
        ],
    }  # fmt: skip


@route("POST", V + "/{n}/", "GLOBAL_SETTINGS.MANAGE")
def add_variable(call: Call) -> Any:
    name = named(call, "Environment variable")
    if any(name in project.variables for project in call.world.projects.values()):
        raise Refused(f"Environment variable (name: {name}) already exists!")
    call.project.variables[name] = variable(call, {})
    return everywhere(call)


@route("PUT", V + "/{n}/", "GLOBAL_SETTINGS.MANAGE")
def set_variable(call: Call) -> Any:
    name = named(call, "Environment variable")
    held = call.project.variables.get(name)
    if held is None:
        raise Refused(f"Environment variable ({name}) is not found!")
    call.project.variables[name] = variable(call, held)
    return everywhere(call)


def variable(call: Call, held: Json) -> Json:
    """null keeps a value, "" clears it."""
    sent = {
        "global": False,
        "globalVisible": True,
        "description": None,
        **call.body,
        "name": call.names["n"],
    }
    was = {one["environmentName"]: one for one in held.get("environmentValueList") or []}
    values = []
    for one in sent.get("environmentValueList") or []:
        if one["environmentName"] not in call.world.environments:
            raise Refused(f"Environment ({one['environmentName']}) is not found!")
        value = one.get("value")
        if value is None:
            value = was.get(one["environmentName"], {}).get("value")
        values.append(
            {
                "environmentName": one["environmentName"],
                "value": value,
                "visible": bool(one.get("visible")),
            }
        )
    if not sent["global"] and not values:
        raise Refused("environmentValueList value can not be empty!")
    sent["environmentValueList"] = values
    if sent.get("globalValue") is None:
        sent["globalValue"] = held.get("globalValue") if sent["global"] else None
    return sent


@route("DELETE", V + "/{n}/", "GLOBAL_SETTINGS.MANAGE")
def drop_variable(call: Call) -> Any:
    gone(
        call.project.variables,
        call.names["n"],
        f"Environment variable ({call.names['n']}) is not found!",
    )
    return everywhere(call)


def named(call: Call, what: str) -> str:
    """§1.7: a name in the body must be the path's."""
    name = call.names["n"]
    inside = call.body.get("name", name)
    if inside.casefold() != name.casefold():
        raise Refused(f"{what} name in path ({name}) does not match name in body ({inside})!")
    return name


def gone(held: dict[str, Any], name: str, otherwise: str) -> None:
    if held.pop(name, None) is None:
        raise Refused(otherwise)


# --- IP groups (§2.14; the reads are in the pages only, 1.10 #13) ------------------------------

G = "/projects/{p}/ipGroups"


@route("GET", G + "/", "GLOBAL_SETTINGS.VIEW")
def ip_groups(call: Call) -> Any:
    shown = "ip-groups-with-ids" in call.world.quirks
    return [
        {key: value for key, value in one.items() if shown or key != "id"}
        for one in sorted(call.project.ip_groups.values(), key=lambda one: one["name"])
    ]


@route("POST", G + "/", "GLOBAL_SETTINGS.MANAGE")
def add_ip_group(call: Call) -> Any:
    name = call.body.get("name")
    if not name:
        raise Refused("ipGroupName value can not be empty!")
    if name in call.project.ip_groups:
        raise Refused(f"An IP Group with same name ({name}) already exists in project!")
    call.project.ip_groups[name] = {"id": call.world.id(), **ip_group(name, call.body)}
    return everywhere(call)


@route("PUT", G + "/{n}/", "GLOBAL_SETTINGS.MANAGE")
def set_ip_group(call: Call) -> Any:
    """A list that is left out is cleared."""
    name = call.names["n"]
    if name not in call.project.ip_groups:
        raise Refused(f"IP Group ({name}) is not found!")
    call.project.ip_groups[name].update(ip_group(name, call.body))
    return everywhere(call)


def ip_group(name: str, sent: Json) -> Json:
    return {
        "name": name,
        "description": sent.get("description"),
        "ipList": list(dict.fromkeys(sent.get("ipList") or [])),
    }


@route("DELETE", G + "/{n}/", "GLOBAL_SETTINGS.MANAGE")
def drop_ip_group(call: Call) -> Any:
    gone(call.project.ip_groups, call.names["n"], f"IP Group ({call.names['n']}) is not found!")
    return everywhere(call)


# --- connections (§2.9) ----------------------------------------------------------------------

C = "/projects/{p}/connections"


@route("GET", C + "/", "CONNECTIONS.VIEW")
def connections(call: Call) -> Any:
    if call.query.get("type") not in TYPES:
        raise Refused("Connection type parameter is required!")
    return [
        shown_connection(call, one)
        for one in call.project.connections.values()
        if one["type"] == call.query["type"]
    ]


def shown_connection(call: Call, one: Json) -> Json:
    """§2.9: secrets are null in lists, and the certificates of Graylog are masked."""
    quirks = call.world.quirks
    mask = "********" if "connection-secrets-masked" in quirks else None
    shown = {key: (mask if key in SECRETS else value) for key, value in one.items()}
    if shown.get("tlsTrustCertChainFile"):
        shown["tlsTrustCertChainFile"] = "********"
    if "types-collide" in quirks and "elasticsearchType" in shown:
        shown["type"] = shown.pop("elasticsearchType")
    if "protocols-in-capitals" in quirks and "protocol" in shown:
        shown["protocol"] = shown["protocol"].upper()
    for header in shown.get("headerList") or []:
        assert isinstance(header, dict)
    if shown.get("headerList"):
        shown["headerList"] = [
            {**h, "value": mask} if h["name"].startswith("X-") else h for h in shown["headerList"]
        ]
    return shown


@route("GET", C + "/{n}/", "CONNECTIONS.VIEW")
def connection(call: Call) -> Any:
    """1.10 #46: the secrets in full."""
    return [connection_of(call)[1]]


def connection_of(call: Call) -> tuple[str, Json]:
    """Names mean the same in any case (§1.7)."""
    for name, one in call.project.connections.items():
        if name.casefold() == call.names["n"].casefold():
            return name, one
    raise Refused(f"Connection (name: {call.names['n']}) was not found!")


@route("POST", C + "/{n}/", "CONNECTIONS.MANAGE")
def add_connection(call: Call) -> Any:
    """1.10 #47: an upsert, or a refusal."""
    twins = [
        name for name in call.project.connections if name.casefold() == call.names["n"].casefold()
    ]
    if twins and "connections-unupserted" in call.world.quirks:
        raise Refused(f"Connection (name: {call.names['n']}) already exists!")
    return put_connection(call, twins[0] if twins else call.names["n"])


@route("PUT", C + "/{n}/", "CONNECTIONS.MANAGE")
def set_connection(call: Call) -> Any:
    name, held = connection_of(call)
    if call.body.get("type") != held["type"]:
        raise Refused("Connection type can not be changed!")
    return put_connection(call, name)


def put_connection(call: Call, name: str) -> Saved:
    sent = call.body
    if sent.get("type") not in TYPES:
        raise Refused("Connection type parameter is required!")
    filled = DEFAULTS.get(sent["type"], {}) if "defaults-filled" in call.world.quirks else {}
    new = sent.get("name", name)
    if "ldap-by-certificate-id" in call.world.quirks:
        sent = {key: value for key, value in sent.items() if key != "certificateName"}
    call.project.connections.pop(name, None)
    call.project.connections[new] = {
        "deployToWorker": True, "enabled": True, "description": None, **filled, **sent, "name": new,
    }  # fmt: skip
    return everywhere(call)


@route("DELETE", C + "/{n}/", "CONNECTIONS.MANAGE")
def drop_connection(call: Call) -> Any:
    del call.project.connections[connection_of(call)[0]]
    return everywhere(call)


# --- certificates (§2.12) --------------------------------------------------------------------

K = "/projects/{p}/certificates"


@route("GET", K + "/", "SECRETS.VIEW")
def certificates(call: Call) -> Any:
    shown = "ldap-by-certificate-id" in call.world.quirks
    return [
        {key: value for key, value in with_content(call, one).items() if shown or key != "id"}
        for one in call.project.certificates.values()
    ]


def with_content(call: Call, one: Json) -> Json:
    """1.10 #49: lists are said to leave the content out, and an example has it."""
    if "certificates-in-full" not in call.world.quirks:
        return one
    rows = one["certificateEnvironmentList"]
    return {
        **one,
        "certificateEnvironmentList": [{**row, "base64EncodedContent": "QUJD"} for row in rows],
    }


@route("POST", K + "/import-file/", "SECRETS.EXPORT_IMPORT")
def import_certificate(call: Call) -> Any:
    """Replaces just the environments that it names; fields as form parts or query (1.10 #8)."""
    given = {
        **call.query,
        **{k: v.decode() for k, v in call.files.items() if k != "certificateFile"},
    }
    name = given.get("certificateName")
    if not name:
        raise Refused("certificateName value can not be empty!")
    if not given.get("alias"):
        raise Refused("alias value can not be empty!")
    pem = call.files.get("certificateFile", b"")
    body = "".join(
        line for line in pem.decode("ascii", "replace").splitlines() if not line.startswith("-----")
    )
    try:
        der = base64.b64decode(body, validate=True)
    except ValueError:
        der = b""
    if not der:
        raise Refused("pemEncodedFile value can not be empty!")
    held = call.project.certificates.get(name) or {
        "id": call.world.id(),
        "name": name,
        "description": None,
        "certificateEnvironmentList": [],
    }
    if "certificateDescription" in given:
        held["description"] = given["certificateDescription"]
    for environment in filter(None, given.get("environmentList", "").split(",")):
        if environment not in call.world.environments and environment != "apimanager":
            raise Refused(f"Environment ({environment}) is not found!")
        check_alias(call, name, given["alias"], environment)
        kept = [
            one
            for one in held["certificateEnvironmentList"]
            if one["environmentName"] != environment
        ]
        held["certificateEnvironmentList"] = [*kept, {
            "environmentName": environment, "alias": given["alias"],
            "sha1Thumbprint": hashlib.sha1(der).hexdigest().upper(),
            "startDate": "2026-01-01T00:00:00Z", "endDate": "2030-01-01T00:00:00Z",
            "subjectDn": "CN=stand-in", "base64EncodedContent": None,
        }]  # fmt: skip
    call.project.certificates[name] = held
    return everywhere(call)


def check_alias(call: Call, name: str, alias: str, environment: str) -> None:
    for project in call.world.projects.values():
        for other in project.certificates.values():
            for one in other["certificateEnvironmentList"]:
                if other["name"] != name and (one["environmentName"], one["alias"]) == (
                    environment,
                    alias,
                ):
                    raise Refused(
                        f"Alias ({alias}) is already used for another certificate, try changing this value!"
                    )


@route("PUT", K + "/{n}/", "SECRETS.MANAGE")
def recreate_certificate(call: Call) -> Any:
    """Drops it and makes it anew with what is sent (7 #9)."""
    gone(
        call.project.certificates,
        call.names["n"],
        f"Certificate (name: {call.names['n']}) is not found!",
    )
    call.files.setdefault("certificateFile", call.files.pop("pemEncodedFile", b""))
    call.files["certificateName"] = call.names["n"].encode()
    return import_certificate(call)


@route("DELETE", K + "/{n}/", "SECRETS.MANAGE")
def drop_certificate(call: Call) -> Any:
    """Whatever used it is detached and says nothing of it (7 #27)."""
    name = call.names["n"]
    id = call.project.certificates.get(name, {}).get("id")
    gone(call.project.certificates, name, f"Certificate (name: {name}) is not found!")
    for one in call.project.credentials.values():
        if one["slots"].get("certificate") == name:
            del one["slots"]["certificate"]
    policies = [rows for proxy in call.project.proxies.values() for rows in proxy.policies.values()]
    detach([*call.project.connections.values(), policies, call.project.shared], name, id)
    return everywhere(call)


def detach(node: Any, name: str, id: str) -> None:
    if isinstance(node, dict):
        for field, value in (("certificateName", name), ("certificateId", id)):
            if node.get(field) == value:
                del node[field]
        for inner in node.values():
            detach(inner, name, id)
    elif isinstance(node, list):
        for inner in node:
            detach(inner, name, id)
