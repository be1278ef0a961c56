"""The vendor's Manager: its Management API as the Manager port.

api.py       one call: envelopes, refusals and their meaning
codec.py     what a kind's adapter gives and takes; a module per family beside it
reading.py   the live state: lists, details, settled with the book
waves.py     what may go side by side
unit.py      one project's changes: their calls, each in the journal
manager.py   the port
"""
