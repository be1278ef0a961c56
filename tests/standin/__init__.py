"""A stand-in for the vendor's Manager: its Management API on loopback, with state and quirks.

Written from the reference of that API, and importing nothing of `apiops`, so that it cannot share
a misunderstanding with the client. Each behaviour names the section of the reference that it
follows (`§2.5.6`), a contradiction its number there (`1.10 #38`).

    with Standin() as standin:
        standin.world.add_project("payments")
        ...  standin.url, standin.token
"""

from tests.standin.quirks import QUIRKS
from tests.standin.server import Standin
from tests.standin.world import World

__all__ = ["QUIRKS", "Standin", "World"]
