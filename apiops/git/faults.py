"""What can be wrong with a Git repository, each as an error with a code and a way out."""

from collections.abc import Iterable

from apiops.errors import SourceError, SourceUnavailable


def not_a_repository(path: str) -> SourceError:
    """No Git repository at or above `path`."""
    return SourceError(
        f"{path} is not a Git repository, and neither is a folder above it.",
        code="AO801",
        hint="Give the folder with --directory, or make a repository with `git init`.",
    )


def foreign_owner(path: str) -> SourceError:
    """The Git directory belongs to another user of this machine."""
    return SourceError(
        f"The Git repository {path} belongs to another user, so Git does not trust it.",
        code="AO802",
        hint=f"If you do trust it, say so for this path alone: "
        f"`git config --global --add safe.directory {path}`.",
    )


def unsupported_format(path: str, detail: str) -> SourceError:
    """The repository's format is one that libgit2 cannot read."""
    return SourceError(
        f"The Git repository {path} has a format that apiops cannot read: {detail}.",
        code="AO803",
        hint="apiops reads SHA-1 repositories without partial clone or reftable: clone it again "
        "with `git clone --ref-format=files`, without --filter.",
    )


def unborn(path: str) -> SourceError:
    """The branch has no commits yet."""
    return SourceError(
        f"The Git repository {path} has no commit yet on this branch.",
        code="AO804",
        hint="Commit your specifications first, or look at the work tree with --worktree.",
    )


def unknown_revision(ref: str, near: Iterable[str]) -> SourceError:
    """No branch, tag or commit of that name; `near` are names that look like it."""
    names = ", ".join(near)
    return SourceError(
        f"The repository has no branch, tag or commit {ref!r}.",
        code="AO805",
        hint=f"Did you mean {names}?"
        if names
        else "List what there is with `git branch --all` and `git tag`; "
        "a remote branch may need `git fetch` first.",
    )


def ambiguous(ref: str, meanings: Iterable[str]) -> SourceError:
    """Several things go by that name."""
    names = ", ".join(meanings)
    return SourceError(
        f"{ref!r} names more than one thing in the repository{f': {names}' if names else ''}.",
        code="AO806",
        hint="Write the full name (refs/heads/… or refs/tags/…) or more digits of the commit id.",
    )


def not_a_commit(ref: str, kind: str) -> SourceError:
    """The name leads to an object that is no commit."""
    return SourceError(
        f"{ref!r} is a {kind}, not a commit.",
        code="AO807",
        hint="Name a branch, a tag of a commit, or a commit id.",
    )


def shallow(commit: str) -> SourceError:
    """The clone is shallow and what is needed lies beyond its edge."""
    return SourceError(
        f"The clone is shallow and its history is cut off before commit {commit[:12]} is reached.",
        code="AO808",
        hint="Fetch more history with `git fetch --unshallow` (GitHub Actions: checkout with "
        "fetch-depth: 0; GitLab CI: GIT_DEPTH: 0).",
    )


def unreadable(object_id: str, why: Exception | str) -> SourceError:
    """An object is missing (libgit2 raises KeyError) or damaged."""
    detail = "it is missing" if isinstance(why, KeyError) else str(why)
    return SourceError(
        f"The Git object {object_id[:12]} cannot be read: {detail}.",
        code="AO809",
        hint="Check the repository with `git fsck`; if it is damaged, clone it again.",
    )


def too_large(what: str, limit: str) -> SourceError:
    """Something is larger than apiops is willing to read."""
    return SourceError(
        f"{what} is larger than apiops reads ({limit}).",
        code="AO810",
        hint="Keep large files out of the specification repository.",
    )


def unusable_name(where: str, name: str) -> SourceError:
    """A folder has an entry that no file system could hold safely."""
    return SourceError(
        f"A folder of {where} has an entry named {name!r}.",
        code="AO811",
        hint="Such a name is made by tools, not by hand: find who wrote it with `git fsck`, and "
        "remove it.",
    )


def no_work_tree(path: str) -> SourceError:
    """A bare repository has no work tree to look at."""
    return SourceError(
        f"The Git repository {path} is bare and has no work tree.",
        code="AO814",
        hint="Leave out --worktree, and name a revision.",
    )


def unreadable_file(path: str, detail: str) -> SourceError:
    """A file of the work tree cannot be read, or not twice the same."""
    return SourceError(
        f"{path or 'The work tree'} cannot be read: {detail}.",
        code="AO817",
        hint="Check its permissions, and that nothing rewrites it meanwhile; then run again.",
    )


def no_remote(name: str, names: Iterable[str]) -> SourceError:
    """The repository has no remote of that name."""
    known = ", ".join(names)
    return SourceError(
        f"The repository has no remote {name!r}.",
        code="AO813",
        hint=f"It has {known}." if known else f"Add it with `git remote add {name} URL`.",
    )


def refused_transport(name: str) -> SourceError:
    """The remote's address uses a transport that proves nothing about who answers."""
    return SourceError(
        f"The address of remote {name!r} uses a transport without authentication.",
        code="AO813",
        hint=f"Use https or ssh: `git remote set-url {name} https://…`.",
    )


def unknown_host(host: str) -> SourceError:
    """An SSH server whose key is not among those that are known."""
    return SourceError(
        f"The SSH server {host} shows a key that is not known for it.",
        code="AO825",
        hint="Get its key from whoever runs it and put the line into the known hosts "
        "(--git-known-hosts or APIOPS_GIT_KNOWN_HOSTS); if it was another key "
        "before, somebody may stand in between.",
    )


def unreachable(name: str, detail: str) -> SourceUnavailable:
    """The remote does not answer, or does not let us in."""
    return SourceUnavailable(
        f"The Git remote {name!r} cannot be fetched: {detail}.",
        code="AO812",
        hint=f"Try `git fetch {name}` by hand; if that works, run apiops on the fetched branch.",
    )


def too_late(name: str, seconds: float) -> SourceUnavailable:
    """The remote goes on and on."""
    return SourceUnavailable(
        f"The Git remote {name!r} is not done after {seconds:.0f} s.",
        code="AO812",
        hint=f"See how long `git fetch {name}` takes by hand. Over a slow line clone by hand once; "
        "what is there already is not fetched again.",
    )


def not_writable(detail: str, hint: str = "") -> SourceError:
    """A commit cannot be written."""
    return SourceError(
        f"The commit cannot be made: {detail}.",
        code="AO815",
        hint=hint or "Look at the repository with `git status` and `git log --all --graph`.",
    )
