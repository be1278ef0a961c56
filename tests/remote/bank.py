"""A small bank whose gateway is a vendor's Manager: the stand-in, and a ledger beside it.

with VendorShop(tmp_path, "policies-nameless") as shop:
    shop.begin(the_vendor_bank())
    shop.run("plan", "-o", "json").json
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.shop import AYSE, DENIZ, MERT, Shop, a_member, a_project, a_user
from tests.standin import Standin, World

SETTINGS = """
[targets.dev]
manager = "%(manager)s"
ledger = "sqlite:///../dev.db"
"""

HEAD = "apiVersion: apiops/v1\nkind: %s\nmetadata: {name: %s, project: %s}\n"

PROXY = """\
spec:
  description: Orders
  type: OPEN_API
  source: {file: orders.openapi.yaml}
  clientRoute: {relativePathList: [/orders], methodList: [GET, POST]}
  routing:
    loadBalanceAlgorithm: ROUND_ROBIN
    addresses:
      - {address: "https://orders.bank.example"}
  metadata: {categoryList: [pay, core], sharingType: INTERNAL}
  settings:
    connection: {connectTimeout: 10, readTimeout: 60}
    cors: {corsActive: true, allowOriginList: ["https://app.bank.example"]}
  endpoints:
    - {name: /orders, httpMethod: GET, active: false}
  policies:
    request:
      - name: throttle
        type: policy-api-based-throttling
        spec:
          targetVariableForIdentity: {name: client, type: HEADER, headerName: X-Client}
          messageCountForInterval: 100
          throttlingInterval: ONE_MINUTE
      - name: size
        type: policy-max-message-size
        at: {endpoint: /orders, httpMethod: GET}
        spec: {maxMessageSize: 10}
  deployments:
    - {environment: dev}
"""

DOCUMENT = """\
openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {summary: All orders, responses: {}}
    post: {summary: A new order, responses: {}}
"""

VARIABLE = """\
spec:
  description: Where orders are
  values:
    dev: {value: orders.dev.bank.example, visible: true}
"""

CONNECTION = """\
spec:
  type: syslog
  description: Audit trail
  syslogServerHostname: logs.bank.example
  syslogPort: 6514
"""

CREDENTIAL = """\
spec:
  email: api@partner.example
  fullName: Partner
  password: ${PARTNER_PASSWORD}
  ipList: [198.51.100.0/28, 203.0.113.9]
  expireDate: "2027-12-31T23:59:59Z"
  metadata:
    - {key: contract, value: gold}
  access:
    - {name: orders}
"""

IP_GROUP = """\
spec:
  description: The bank's offices
  ipList: [203.0.113.0/24, 198.51.100.7]
"""


def manifest(kind: str, name: str, spec: str, project: str = "payments") -> str:
    return HEAD % (kind, name, project) + spec


def the_vendor_bank() -> dict[str, str]:
    """One project with a thing of each kind."""
    environment = (
        "apiVersion: apiops/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {type: TEST}\n"
    )
    return {
        "system/dev.yaml": environment,
        "system/ayse.yaml": a_user(AYSE, "sysAdmin, sysProjectManager"),
        "system/mert.yaml": a_user(MERT),
        "system/deniz.yaml": a_user(DENIZ),
        "payments/project.yaml": a_project("payments"),
        "payments/mert.yaml": a_member(MERT, "payments", "Project Owner"),
        "payments/orders.yaml": manifest("ApiProxy", "orders", PROXY),
        "payments/orders.openapi.yaml": DOCUMENT,
        "payments/variable.yaml": manifest("EnvironmentVariable", "ORDERS_HOST", VARIABLE),
        "payments/connection.yaml": manifest("Connection", "audit", CONNECTION),
        "payments/partner.yaml": manifest("Credential", "partner", CREDENTIAL),
        "payments/offices.yaml": manifest("IpGroup", "offices", IP_GROUP),
    }


class VendorShop(Shop):
    """A bank with a stand-in. `world` is what the stand-in holds."""

    def __init__(self, folder: Path, *quirks: str) -> None:
        super().__init__(folder)
        self.standin = Standin(*quirks)
        self.variables["APIOPS_TOKEN"] = self.standin.token
        self.world.add_environment("dev")
        self.world.add_project("payments")

    @property
    def world(self) -> World:
        return self.standin.world

    def __enter__(self) -> Self:
        self.standin.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.standin.__exit__(*exception)

    def settings(self, url: str) -> str:
        return SETTINGS % {"manager": url}

    def commit_settings(self, url: str) -> None:
        """The target is elsewhere now."""
        self.commit(AYSE, {"apiops.toml": self.settings(url)})

    def begin(self, files: Mapping[str, Any] | None = None) -> str:
        settled = {"apiops.toml": self.settings(self.standin.url), **(files or the_vendor_bank())}
        return super().begin(settled)
