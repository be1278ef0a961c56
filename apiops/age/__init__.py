"""Secrets in Git: sops files for age recipients, read and written in place.

`identities.gather` finds private keys, `keyring.AgeKeyring` is the Keyring port over them,
`writing.encrypt`, `editing.decrypt`, `editing.reencrypt` and `editing.rekey` work on whole files,
`rules.for_file` reads `.sops.yaml`. Format: docs/explanation/secrets.md; why it is our own codec:
docs/adr/0010.
"""
