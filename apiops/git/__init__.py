"""Git: revisions, snapshots and commits out of objects, signatures verified in process.

`repository.open(path)` is the real `ports.Repository`, `worktree.snapshot(path)` looks at files
not yet committed, `signing` and `author` make signed commits. The only door to pygit2.
"""
