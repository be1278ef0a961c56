"""The way back: a signed commit, on a branch of its own, with an earlier revision's files.

Nothing in the engine knows of it. It is planned, judged by who signed it, reviewed, merged and
applied as any other commit, and its subject is the reason in the audit log. Encrypted values come
back as they were, for they lie in the same files.
"""

from collections.abc import Sequence
from pathlib import Path

from apiops.errors import UsageError
from apiops.model.revision import Relation, Revision
from apiops.wiring import admin, assemble, files


def commit(
    directory: Path, to: str, *, ref: str, only: Sequence[str], sign_key: Path, branch: str
) -> tuple[str, Revision]:
    """Make the commit; gives the branch and its revision.

    Raises SourceError for a revision that is none, UsageError AO910 for one that is no earlier
    one, or when Git knows no name to commit with.
    """
    from apiops.git import author
    from apiops.git.signing import SigningKey

    repository = assemble.repository(directory)
    base, back = repository.resolve(ref), repository.resolve(to)
    if repository.relation(back.commit, base.commit) is not Relation.FORWARD:
        raise UsageError(
            f"{back.short} is no earlier revision of {ref}",
            code="AO910",
            hint="name a commit, tag or branch below it: `git log --oneline` lists them",
        )
    who = author.identity(repository.path)
    if who is None:
        raise UsageError(
            "Git knows no name and address to commit with",
            code="AO910",
            hint='git config user.name "Your Name" && git config user.email you@bank.example',
        )
    name = branch or f"rollback-{back.short}"
    author.go_back(
        repository.path,
        back.commit,
        base=base.commit,
        only=only,
        message=_message(back, only),
        author=who,
        key=SigningKey.load(files.read(sign_key, admin.MAX_KEY_FILE)),
        branch=name,
    )
    return name, repository.resolve(name)


def _message(back: Revision, only: Sequence[str]) -> str:
    where = f" in {', '.join(only)}" if only else ""
    return f"Roll back to {back.short}{where}: {back.subject}\n\napiops-rollback-to: {back.commit}"
