"""Managers on the other side of a network: the HTTP client, and who speaks through it."""
