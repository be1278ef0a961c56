"""Codes AO8xx: the Git repository."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO801",
        "not a Git repository",
        "apiops reads specifications from Git objects, so that what is judged is exactly what "
        "was committed. There is no repository at the path that was given or above it.",
        "Give the folder with --directory PATH, or make a repository: `git init`, add, commit.",
    ),
    Code(
        "AO802",
        "the Git directory belongs to another user",
        "Git refuses repositories of other users, because their configuration could make it run "
        "their programs. In containers this happens when the checkout was made by another uid.",
        "If you trust it: `git config --global --add safe.directory PATH` with the path that the "
        "message names. Or run apiops as the user who owns it.",
    ),
    Code(
        "AO803",
        "the repository's format is not supported",
        "libgit2 reads SHA-1 repositories with ordinary refs. SHA-256 repositories, reftables "
        "and partial clones are extensions that it does not know.",
        "Clone again without these extensions: no --object-format=sha256, no "
        "--ref-format=reftable, no --filter.",
    ),
    Code(
        "AO804",
        "the branch has no commit yet",
        "A repository that was just made has a branch in name only; there is nothing to read.",
        "Commit (and sign) your specifications. Until then `--worktree` validates what is on disk.",
    ),
    Code(
        "AO805",
        "unknown revision",
        "No branch, remote branch, tag or commit goes by that name in this clone. CI systems "
        "often fetch one branch only.",
        "Check the spelling (the message names what looks similar), or fetch it: "
        "`git fetch origin BRANCH`.",
    ),
    Code(
        "AO806",
        "the revision is ambiguous",
        "The name means several things: a tag and a branch, or the beginning of several ids. "
        "Git would pick one; apiops does not guess about what it applies.",
        "Write the full name (refs/heads/main, refs/tags/v1) or more digits of the commit id.",
    ),
    Code(
        "AO807",
        "not a commit",
        "The name leads to a file or a folder object (or a tag of one), which has no author, "
        "no signature and no history.",
        "Name a branch, a tag of a commit, or a commit id.",
    ),
    Code(
        "AO808",
        "the clone is too shallow",
        "Permission is judged for every commit since the last applied one. In a shallow clone "
        "those commits, or the way to them, are missing, and nothing is assumed about them.",
        "`git fetch --unshallow`. GitHub Actions: actions/checkout with fetch-depth: 0. "
        "GitLab CI: GIT_DEPTH: 0.",
    ),
    Code(
        "AO809",
        "a Git object is missing or damaged",
        "An object that a commit refers to is not in the clone, or its bytes do not match its id.",
        "`git fsck` says how far the damage goes; a fresh clone mends it.",
    ),
    Code(
        "AO810",
        "larger than apiops reads",
        "Files above 16 MiB, commit objects above 1 MiB, more than 250,000 files or 50,000 "
        "folders, and folders more than 64 deep are refused, so that one commit cannot exhaust "
        "the machine that judges it.",
        "Keep large files elsewhere and out of the specification repository.",
    ),
    Code(
        "AO811",
        "a name that no folder may contain",
        "A file or folder is called `..`, `.git`, contains a slash or is not UTF-8. Git clients "
        "do not make such entries; programs that mean to escape a checkout do.",
        "Find the commit with `git log --all --raw` and remove the entry; ask who made it.",
    ),
    Code(
        "AO812",
        "the Git remote cannot be reached",
        "The remote did not answer, or not in time, or did not let apiops in. Nothing was changed.",
        "Try `git fetch REMOTE` by hand. The command exits with 7: it is safe to run it again.",
    ),
    Code(
        "AO813",
        "the Git remote is not usable",
        "There is no remote of that name, or its address uses http or git, with which nobody can "
        "tell who answers.",
        "`git remote -v` lists the remotes; use an https or ssh address, or a local path.",
    ),
    Code(
        "AO814",
        "there is no work tree",
        "--worktree looks at the files on disk, and a bare repository has none.",
        "Leave out --worktree and name a revision instead.",
    ),
    Code(
        "AO815",
        "the commit cannot be made",
        "`apiops demo` writes commits itself. A merge has a conflict, or a parent is not there.",
        "Start again in an empty folder: `apiops demo --keep DIR`.",
    ),
    Code(
        "AO816",
        "the signing key cannot be used",
        "apiops signs with an unencrypted OpenSSH private key: Ed25519, ECDSA on a NIST curve, or "
        "RSA with at least 3072 bits.",
        "`ssh-keygen -t ed25519 -N '' -f KEY` makes one. Commits are best signed by git itself, "
        "which can use ssh-agent and hardware keys.",
    ),
    Code(
        "AO817",
        "a file of the work tree cannot be read",
        "The file is not readable, or it changed between being listed and being read.",
        "Check its permissions, wait until your editor or generator is done, and run again.",
    ),
    Code(
        "AO818",
        "the last applied commit is not in this clone",
        "apiops judges every commit since the one that was applied last. That commit is known to "
        "the Manager but not to this clone: the clone is shallow, or of another repository.",
        "Fetch the whole history (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`).",
    ),
    Code(
        "AO820",
        "Too much for one submission",
        "A submission carries what the Manager does not have yet of the history, and there is a "
        "largest size.",
        "Submit the history in steps: `--ref` an older commit first. Keep large files out of it.",
    ),
    Code(
        "AO821",
        "Not a pack",
        "What was submitted is not a whole, sound Git pack within the caps, so nothing of it was "
        "taken.",
        "Submit again with `apiops plan --manager` or `apiops apply --manager`.",
    ),
    Code(
        "AO822",
        "Another repository",
        "A repository is known by the id of its first commit. The submitted head does not lead "
        "back to the one that was named.",
        "Submit from a whole clone of the repository that is meant.",
    ),
    Code(
        "AO823",
        "Submitted repositories cannot be kept",
        "The Manager keeps the commits that it applied, to compare with them later. Their folder "
        "is not there or cannot be written to.",
        "Check owner, mode and free space of the folder that `--repositories` names.",
    ),
    Code(
        "AO824",
        "On no branch of the repository",
        "A submission named a commit for the server to fetch, and no branch of the repository that "
        "it fetches from leads there.",
        "Push the commit first. `apiops plan --manager` from a clone carries the commits along.",
    ),
    Code(
        "AO825",
        "The SSH server is not known",
        "An SSH server proves itself by its key. This one is not in the known hosts for that name "
        "and port, or another one is. apiops trusts no key because it is the first that it sees.",
        "Ask whoever runs the server for the key (`ssh-keyscan` shows one, from a network that you "
        "do not trust yet), and name the file with `--git-known-hosts`.",
    ),
    Code(
        "AO826",
        "A file for SSH cannot be used",
        "The known hosts have a line that would not be heeded as it is meant (@revoked and "
        "@cert-authority are not supported) or that is no host with its key; or the private key "
        "is no Ed25519 or ECDSA key in OpenSSH's form. RSA keys are refused: the SSH library that "
        "comes with libgit2 damages its memory with them.",
        "List the keys that count, one host and key a line; plain and hashed names are known. "
        "Make a key with `ssh-keygen -t ed25519`.",
    ),
    Code(
        "AO827",
        "The SSH key stays locked",
        "The private key is encrypted, and there is no passphrase for it or another one. It is "
        "found before the server is asked to let apiops in, so trying again would end the same.",
        "Put the passphrase, and nothing else, into the file that `--git-ssh-passphrase-file` "
        "names. `ssh-keygen -y -f KEY` tells whether a passphrase is the right one.",
    ),
    Code(
        "AO828",
        "The server cannot fetch what it follows",
        "A submission named a commit, and the server that was started with `--fetch-from` cannot "
        "fetch it for a reason that only whoever runs it can mend: its Git server shows another "
        "key (AO825), or a file of its own is gone or cannot be used (AO907, AO826, AO827).",
        'Look for `"event":"fetch"` in the server\'s log and mend what it says there; files of '
        "keys, tokens and known hosts are read anew for each fetch, so no restart is needed.",
    ),
    Code(
        "AO829",
        "The remote does not take the ledger",
        "The ledger is a Git ref, and the remote refuses the push of it although nobody else moved "
        "the ref: a hook declines it, the ref is protected or hidden, or the account may not push.",
        "Let the account that the runner uses push `refs/apiops/…`; the remote's own words are in "
        "the message. Nothing that the push was to record has been sent to the Manager.",
    ),
)
