"""The line itself: commit → plan → verdicts → writes. It talks to the world through ports only.

Start with `line.py` and read from top to bottom, then `apply.py`.
"""
