"""Codes AO6xx: plans, guards and staleness."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO601",
        "The revision describes nothing",
        "The revision has no resource at all for this target, while the inventory is not empty. "
        "Carried out, the plan would delete everything. Almost always the ref is wrong, the path "
        "in `apiops.toml` is wrong, or a merge lost the files.",
        "Look at the ref and the path that the plan names. If the inventory is really to be "
        "emptied, plan again with `--allow empty` (and `--allow mass-delete` if it says so).",
    ),
    Code(
        "AO602",
        "A large part of the inventory would be deleted",
        "At least 10 resources and more than 30 % of the inventory (of one project, of the System "
        "tier, or of all) would be deleted or replaced by one plan. A mistake of this size is "
        "cheaper to stop than to repair.",
        "Read the deletes in the plan. If they are meant, plan again with `--allow mass-delete`; "
        "or delete in smaller steps, each a commit that can be reviewed.",
    ),
    Code(
        "AO603",
        "A protected resource would be deleted",
        "The resource is protected in the Manager, and the plan would delete it, or delete it and "
        "make it again. Protection is taken from the live state, so one commit cannot both lift "
        "it and delete.",
        "Keep the resource in the repository; or lift its protection in a commit, apply it, and "
        "delete in the next; or plan again with `--allow protected`.",
    ),
    Code(
        "AO604",
        "A resource would be deleted and made again",
        "A field that the Manager cannot change in place has changed (the type of a proxy, say). "
        "The only way is to delete the resource and to create it anew: for a moment it is not "
        "there, and what the Manager keeps beside it (statistics, history) is lost.",
        "Give the new resource another name, move its users, then delete the old one. If the gap "
        "is acceptable, plan again with `--allow replace`.",
    ),
    Code(
        "AO605",
        "The resource belongs to another repository",
        "The live resource is in the inventory of another repository, or would have to be replaced "
        "while it is in nobody's. Two repositories that describe one resource would undo each "
        "other's work in turn.",
        "Take the resource out of one of the two repositories. To take it over on purpose, plan "
        "once with `--allow adopt`; the other repository must no longer describe it.",
    ),
    Code(
        "AO606",
        "A delete outside of the inventory",
        "Only what this repository created or adopted is ever pruned. This guard looks at the "
        "finished plan, whatever chose its deletes, and cannot be overridden. When it speaks, "
        "apiops itself is at fault.",
        "Nothing was changed. Please report it with the plan as JSON (`-o json`); a plan holds no "
        "secret.",
    ),
    Code(
        "AO607",
        "Resources need each other in a circle",
        "Each of the resources refers to the next and the last to the first, so there is no order "
        "in which every resource is written after those that it needs.",
        "Take one of the references out; or create the resources without it and add it in a later "
        "commit.",
    ),
    Code(
        "AO608",
        "Plaintext that looks like a secret",
        "A field that is no secret field is about to be written with a value in a form that only "
        "secrets have: a private key, a token with its maker's prefix, a password in a URL. It is "
        "readable in Git already, and would be in the Manager, in plans and in the audit log.",
        "Replace the secret, for the history keeps it. Put the new one into a secret field, or "
        "into an EnvironmentVariable that is not visible, and write `${NAME}` here. If it is no "
        "secret, plan once with `--allow plaintext`.",
    ),
    Code(
        "AO609",
        "A step that cannot be taken",
        "The field says where a resource stands, and from there it can only go certain ways: a "
        "subscription that was rejected cannot become approved without being requested again. So "
        "the audit log has each decision.",
        "Take the step in between in a commit of its own, or go another way. `apiops explain` with "
        "the field's name lists the ways. This guard cannot be overridden.",
    ),
    Code(
        "AO610",
        "Nothing can be renamed: both names exist",
        "`renamedFrom` names a resource of the inventory, but the new name exists in the Manager "
        "as well. The old resource would be deleted, with its secrets and deployments.",
        "Find out where the resource with the new name comes from. If the old one shall go, remove "
        "`renamedFrom`, or plan once with `--allow rename`.",
    ),
    Code(
        "AO611",
        "The change waits for its project",
        "Another change of the same project (or of the System tier) was denied, so the whole unit "
        "stays at its last applied commit: a project is applied completely or not at all.",
        "See the denied change in the same report; when it is allowed, approved or taken back, "
        "this one goes with it.",
    ),
    Code(
        "AO612",
        "The change needs something that was not done",
        "What the change needs (its project, an environment) was to be made by a part of the plan "
        "that was denied or failed, so the change was not tried. On a vendor's Manager, which "
        "has no transactions, no further change of a project is begun after one that failed. A "
        "project is deleted only when nothing is left in it.",
        "Mend what failed first; the next run does both. Move or delete what the project holds.",
    ),
    Code(
        "AO613",
        "The environment is frozen",
        "Its Environment in the Manager names a time in which nothing is applied. Plans can be "
        "made and approved meanwhile. A commit cannot end a freeze for its own batch.",
        "Wait until it ends; `apiops plan` says when. What cannot wait goes with `--allow "
        "freeze`, which every audit entry of the run then records.",
    ),
    Code(
        "AO614",
        "The plan needs somebody else's approval",
        "Its Environment in the Manager says how many people, none of whom made the changes, must "
        "approve a plan before it is applied. A word counts when it names all 64 digits of the "
        "plan's digest, when it is signed by a known key that counts now (or was given in the "
        "Manager within seven days), and when that person holds every right the plan needs. A "
        "digest is bound to commit, live state and permissions: when one moves, so must the word.",
        "Let one of those who are named run `apiops approve DIGEST`; or sign a tag of the commit "
        'that was planned, `git tag -s NAME -m "apiops-approve-plan: DIGEST"`, and push it; or '
        "sign an empty commit on top whose message ends in that line. If nobody can, because the "
        "plan takes rights that only its makers hold together, apply an earlier commit first "
        "(`--ref`), or give a second person the right. Over HTTP, whoever does not see all is "
        "shown a part of the plan, under a digest of its own: approve the digest that the pipeline "
        "was shown, and let the pipeline apply it. The same goes for a plan that was made without "
        "the age keys, whose secrets were not compared.",
    ),
    Code(
        "AO615",
        "Nobody has to approve the plan",
        "An approval was given for a plan of an environment that asks for none, or of which "
        "nothing would be carried out.",
        "Apply it. To ask for approvals, set spec.approvals of the Environment.",
    ),
    Code(
        "AO616",
        "The approval does not count",
        "Whoever made one of the changes cannot approve them, nor can anybody who lacks a right "
        "that the plan needs: their word would be worth nothing. The attempt is in the audit log.",
        "Let one of those who are named approve the plan.",
    ),
    Code(
        "AO617",
        "The target is suspended",
        "Somebody said in the Manager that nothing is to be applied to it, until a time that they "
        "named or until somebody resumes it. Plans can be made meanwhile.",
        "Wait, or end it with `apiops resume`. What cannot wait goes with `--allow suspension`, "
        "which every audit entry of the run then records.",
    ),
    Code(
        "AO618",
        "The new API document breaks those who call it",
        "What a client of the document that was applied last may rely on is no longer there: a "
        "path, a method, a value that could be sent, a field of an answer, a way to be let in. "
        "The environment (`breakingChanges: REFUSE`) says that this stops the plan.",
        "Keep what was there beside what is new; or, if it is meant, say why in the message of "
        "the commit: `apiops-break: ApiProxy/PROJECT/NAME REASON`. `--allow breaking` lets all of "
        "a run through. Both are recorded.",
    ),
    Code(
        "AO619",
        "A secret cannot be taken away from what is in use",
        "A vendor's Manager keeps a secret that is left out of a provider. To take one away, the "
        "provider is deleted and made again, and the Manager refuses to delete what something "
        "still uses. So the plan stops before anything is sent.",
        "Give the secret a new value instead; or describe a provider of another name without it, "
        "let everything that is named follow that one, and apply; then leave the old one out in a "
        "later commit. This guard cannot be overridden.",
    ),
    Code(
        "AO620",
        "The plan is not the one that was approved",
        "The digest of the plan as it is now differs from the approved one. A plan is bound to the "
        "commit, the last applied commits, the live state, the permissions and the version of "
        "apiops; when one of them moves, the approval no longer fits.",
        "Run `apiops plan`, review what it shows now, and approve its digest.",
    ),
    Code(
        "AO621",
        "The approved digest cannot be one",
        "A digest is given as its first 8 to 64 hexadecimal digits, in lower case. Fewer would be "
        "too easy to hit by chance. A second person's approval (`apiops approve`) takes all 64: "
        "whoever makes the plan could try until another one begins with the same eight.",
        "Copy the digest from `apiops plan`: its last line has eight digits, and while an approval "
        "is missing a note has all 64.",
    ),
    Code(
        "AO622",
        "The stored plan is stale",
        "The plan file was made from a state that is no longer there. The message names what "
        "moved: the head, an applied revision, a live resource, the permissions, the Manager or "
        "the version of apiops.",
        "Make the plan again with `apiops plan` and have the new one approved.",
    ),
    Code(
        "AO623",
        "The plan file cannot be read",
        "The file is not a plan of this version of apiops: it is not JSON, lacks fields, "
        "is of another format version, or is larger than a plan can be.",
        "Write it again with `apiops plan --out FILE`, with the version of apiops that applies it.",
    ),
    Code(
        "AO624",
        "The plan file was altered",
        "The digest in the file is not that of the plan in it. Somebody or something has changed "
        "the file after it was written, so nothing in it can be relied upon.",
        "Do not apply it. Make the plan again and find out how the file was changed.",
    ),
    Code(
        "AO625",
        "The branch was rewritten, or the commit is older than what is applied",
        "The commit that was applied last is not an ancestor of the one that is asked for. A "
        "force push, or an old plan, could bring back what was revoked, so apiops does not follow "
        "it by itself.",
        "To go back, commit the older content anew (git revert). After a force push, bring the "
        "applied commit back into the branch, for example with a merge.",
    ),
    Code(
        "AO626",
        "No such run to undo",
        "A run is named by its id, or by its beginning (six characters or more) while only one run "
        "of the target begins so. Runs that changed nothing and runs of other targets are none.",
        "Run `apiops undo` without a run: it lists those that can be undone.",
    ),
    Code(
        "AO627",
        "The target is not suspended",
        "What `undo` puts back is in no commit, so the next sync would set it right again: back to "
        "what is to be undone.",
        "Suspend the target first, with `apiops suspend`. Then undo, mend the repository, and end "
        "the suspension with `apiops resume`.",
    ),
    Code(
        "AO628",
        "One person is not enough here",
        "The Environment asks for approvals, and an undo or a change by hand (`apiops manager "
        "set`, the vendor-shaped calls) is that of one person, which nobody else can approve.",
        "Make a commit, whose plan can be approved; `apiops rollback --to REVISION` makes one that "
        "goes back. In an emergency, whoever may change the Environment sets its `approvals` to 0 "
        "by hand first.",
    ),
    Code(
        "AO629",
        "A secret is no longer kept",
        "Secrets that a run replaced or took away are kept, sealed, for a number of runs "
        "(`undo-runs` of the target). This one was replaced longer ago, or in the ledger of a "
        "vendor's Manager, which keeps no secret.",
        "Go back with a commit, `apiops rollback --to REVISION`: encrypted values lie in the "
        "repository. What was never there has to be set anew.",
    ),
)
