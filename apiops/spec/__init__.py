"""Text → resources: reading YAML with positions, schemas, secrets as leaves, references.

`load.load` is the station; `views.view` shows what it loaded to access. Nothing here does I/O:
files come through the snapshot, and faults are values.
"""
