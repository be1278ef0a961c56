"""Text → resources: reading YAML with positions, schemas, secrets as leaves, references.

`load.load` is the station; `views.Reader` shows the commits of a range to access. Nothing here
does I/O: files come through the snapshot, and faults are values.
"""
