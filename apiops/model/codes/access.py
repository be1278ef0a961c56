"""Codes AO5xx: signatures, principals and permission."""

from apiops.model.diagnostic import Code

_SIGN = (
    "Sign with a key that is registered on your User: `git config gpg.format ssh`, "
    "`git config user.signingkey ~/.ssh/id_ed25519.pub`, `git config commit.gpgsign true`."
)
_APPROVE = (
    "Somebody who holds the right can approve the content as it stands, with a signed commit "
    "whose last lines say `apiops-approve: KIND/PROJECT/NAME`. Or bring the content back to what "
    "was applied: that needs no right."
)

CODES: tuple[Code, ...] = (
    Code(
        "AO501",
        "commit is not signed",
        "Author and committer names in a commit are free text, so only a signature proves who "
        "made a change. An unsigned commit is nobody's, and nobody holds no right.",
        f"{_SIGN} {_APPROVE}",
    ),
    Code(
        "AO502",
        "commit is signed by a key that nobody has registered",
        "The key stands on no User as the Manager knew them before this run. A key that the same "
        "range of commits adds counts from the next run on; a key that two Users list proves "
        "neither of them.",
        f"Register the key under `spec.keys` of your User and apply that first. {_APPROVE}",
    ),
    Code(
        "AO503",
        "signature does not verify",
        "The commit's signature does not match its content or its key: the commit was altered "
        "after it was signed, or the signature belongs to another one.",
        f"Make the commit anew from a branch that you trust. {_APPROVE}",
    ),
    Code(
        "AO504",
        "signature was made for another purpose",
        "An SSH signature names what it is for. Git uses the namespace `git`; a signature for a "
        "file or an e-mail must not pass for a commit.",
        f"Sign the commit with Git itself. {_SIGN}",
    ),
    Code(
        "AO505",
        "signing key is outside its validity",
        "The key is registered with `validFrom` or `validUntil`, and now lies outside of it; or "
        "the OpenPGP certificate, or the subkey that signed, has expired by its own word. "
        "The time of the run counts, not the commit's date: the signer chooses that.",
        f"Register a new key, or extend the validity of this one. {_APPROVE}",
    ),
    Code(
        "AO506",
        "signing key is revoked",
        "The key's owner or an administrator revoked it, before this run or with an authorised "
        "commit below this one, or the OpenPGP certificate carries its own revocation. Commits "
        "that are not applied yet no longer count as its owner's.",
        f"Register a new key and sign with it. {_APPROVE}",
    ),
    Code(
        "AO507",
        "signature is too weak",
        "SHA-1, DSA and RSA keys below 3072 bits can be forged with means that exist.",
        "Use an Ed25519 key: `ssh-keygen -t ed25519`. Register it on your User and sign anew.",
    ),
    Code(
        "AO508",
        "commit carries several signatures",
        "With two signatures on one commit, tools can disagree about which of them counts.",
        f"Make the commit anew with one signature. {_APPROVE}",
    ),
    Code(
        "AO509",
        "kind of signature is not supported",
        "apiops verifies SSH and OpenPGP signatures, not X.509 (S/MIME, gitsign) nor signatures "
        "for SHA-256 repositories. It does not guess about what it cannot verify.",
        _SIGN,
    ),
    Code(
        "AO510",
        "signature cannot be read",
        "The commit has a signature header that is not well formed.",
        f"Make the commit anew. {_APPROVE}",
    ),
    Code(
        "AO511",
        "committer is not known",
        "The target believes names (`trust: committer`), but no User, or more than one, has the "
        "committer's e-mail address.",
        "Set `git config user.email` to the address on your User, or add the address there.",
    ),
    Code(
        "AO512",
        "OpenPGP support is not installed",
        "The commit has an OpenPGP signature. The library that verifies those is an extra, and "
        "it is not installed where apiops runs, so the signature proves nothing here.",
        "Install it: `pip install 'apiops[openpgp]'`. Or sign with an SSH key.",
    ),
    Code(
        "AO513",
        "nobody is named for a commit that the forge made",
        "The commit is a merge or a squash that was made in the forge's web UI: the forge signed "
        "it, with a key of a User that `attests`. That proves where it was made, not by whom, "
        "and the evidence that the CI job gave has no entry for it.",
        "Give `--evidence FILE` (or APIOPS_EVIDENCE) with an entry for the commit: "
        f'`{{"commit": …, "mergedBy": …, "pullRequest": …, "head": …}}`. {_APPROVE}',
    ),
    Code(
        "AO514",
        "whoever merged is not known",
        "The evidence names who merged the pull request, but no User, or more than one, has that "
        "address.",
        "List the address under `spec.identities` of the person's User and apply that first. For "
        "a login write `login@forge-host`, in the evidence too.",
    ),
    Code(
        "AO515",
        "commit is signed by a forge, and forges are not believed here",
        "The key belongs to a User that `attests`: a forge, which signs whatever is merged in "
        "its web UI. This Manager's trust is `signed`, so only people's own keys count.",
        f"Merge on the command line and sign, or set up the Manager host-attested. {_APPROVE}",
    ),
    Code(
        "AO516",
        "host evidence cannot be used",
        "The evidence says who answers for merges that the forge made. It must be a JSON list of "
        "entries with full commit ids, each commit once, and nothing else in them.",
        "Look at what the CI job writes; docs/explanation/permission.md shows an entry.",
    ),
    Code(
        "AO520",
        "right is not held",
        "Every change needs a right, held before the run by whoever made the commit. Rights come "
        "from roles in a project, held directly or through a team, or from system roles; a right "
        "that the same range of commits grants counts from the next run on.",
        f"{_APPROVE} `apiops access who` lists who holds a right.",
    ),
    Code(
        "AO521",
        "approval does not count",
        "An approval is believed when its commit is signed by somebody who holds every right "
        "that the approved content needs. Behind a forge's merge key, anybody could have written "
        "the line, so there it never counts.",
        "Ask one of those who could approve to make the commit, signed with their own key.",
    ),
    Code(
        "AO530",
        "change is not explained by any commit",
        "The plan would change this resource, but no commit of the range did. What nobody "
        "answers for is not applied.",
        "Compare the head with the last applied commit. If the content was lost in a merge, "
        "commit it again; if a shared parameter moved, commit that with a signature.",
    ),
    Code(
        "AO531",
        "nothing is trusted on first use",
        "This project was never applied to this target, so there is no commit to start judging "
        "from. A person must say where trust begins and answer for all of it.",
        "Name the introduction once: `apiops apply --introduction COMMIT --approver NAME`. The "
        "commit must be signed by NAME's key, and NAME must hold every right its content needs.",
    ),
    Code(
        "AO532",
        "introduction is not signed by its approver",
        "The introduction charges its approver with the whole tree of the commit. Only the "
        "approver's own signature on that commit shows that they mean it.",
        "Let the approver make a signed commit (an empty one will do: "
        "`git commit -S --allow-empty`) and name that commit as the introduction.",
    ),
    Code(
        "AO533",
        "starting point is not in the history",
        "The last applied commit, or the introduction, is not an ancestor of the head: the "
        "branch was rewritten, another one is being applied, or the clone is shallow.",
        "Fetch the whole history, or bring the applied commit back into the branch with a merge.",
    ),
    Code(
        "AO534",
        "nobody answers for a correction",
        "The Manager's state was changed behind the repository's back and would be set right. "
        "The content is authorised, but a write needs a person who holds the right today: the "
        "signer of the head commit, or the approver of the introduction.",
        "Let somebody who holds the right sign the newest commit (an empty one will do), or "
        "change the state back in the Manager.",
    ),
    Code(
        "AO540",
        "line of allowed_signers cannot be read",
        "A line names principals, then options, then a public key. What cannot be read for "
        "certain is not guessed, because it would decide whose commits are believed.",
        "Mend the line as ssh-keygen(1) describes it under ALLOWED SIGNERS, or leave it out.",
    ),
    Code(
        "AO541",
        "allowed_signers names a pattern, not a person",
        "A pattern such as `*@bank.example` lets Git say that a signature is good, and not whose "
        "it is. apiops judges people, so every key needs exactly one.",
        "Write one line for each person, with their own key.",
    ),
    Code(
        "AO542",
        "certificate authorities are not imported",
        "With `cert-authority` anybody whom the authority certifies may sign. apiops verifies "
        "plain keys only, each registered on one User.",
        "List each person's own key.",
    ),
    Code(
        "AO543",
        "key of allowed_signers cannot be used",
        "The key is damaged, of a kind that apiops does not verify, or too weak: DSA, or RSA "
        "below 3072 bits.",
        "Make an Ed25519 key with `ssh-keygen -t ed25519`, or leave the line out.",
    ),
    Code(
        "AO544",
        "key of allowed_signers is not for Git",
        "Its `namespaces` leave out `git`, so it must not prove who made a commit.",
        "Leave the line out, or add git to its namespaces if the key signs commits.",
    ),
    Code(
        "AO545",
        "time in allowed_signers is not in UTC",
        "A time without Z means the zone of whatever machine reads it. A User's key has its "
        "validity in UTC.",
        "Write the time as YYYYMMDDZ or YYYYMMDDHHMMSSZ.",
    ),
    Code(
        "AO546",
        "key stands in allowed_signers twice",
        "A key that two people list proves neither of them.",
        "Keep one line for each key. It may name several addresses of one person.",
    ),
)
