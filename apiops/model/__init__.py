"""The vocabulary: frozen values without I/O that every floor shares.

Each station of the line takes one of these values and returns another. A value can be written
as JSON and read back with `model.codec`; a secret's plaintext never is.
"""
