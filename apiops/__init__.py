"""apiops: a GitOps sync engine for API management platforms.

The package is a house of five floors (words, thought, world, wiring, doors); imports go down
only, which import-linter holds in CI. Read `reconcile/line.py` from top to bottom to follow one
run from the commit to the audit row.
"""

__version__ = "0.1.0"
