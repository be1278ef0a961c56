"""Codes AO7xx: the Manager, its database and its audit log."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO700",
        "The database refused",
        "The Manager's database answered with an error that apiops has no better name for. "
        "The transaction was taken back.",
        "Run `apiops doctor`. If it finds nothing, report the message: it holds no values.",
    ),
    Code(
        "AO701",
        "The Manager does not answer",
        "The database server could not be reached, or went away during the run. Units that were "
        "already applied stay applied; the others are as they were.",
        "Check host, port and network, then run the command again: it goes on where it stopped.",
    ),
    Code(
        "AO702",
        "Unusable database URL",
        "The Manager keeps its state in SQLite or PostgreSQL; the URL names neither, or cannot be "
        "read. A database in memory would forget the audit log.",
        "Write `sqlite:////var/lib/apiops/manager.db` or `postgresql://user@host/database`.",
    ),
    Code(
        "AO703",
        "Damaged database",
        "The file is not a database, or the database server found damaged pages.",
        "Restore the database from a backup, then run `apiops audit verify`.",
    ),
    Code(
        "AO704",
        "Locked database",
        "Another process held the database's write lock, or other clients of a server all its "
        "connections, for longer than apiops waits.",
        "Run the command again when the other one has ended. For many writers use PostgreSQL.",
    ),
    Code(
        "AO705",
        "The database cannot be opened",
        "The file or its directory is missing or may not be written, or the server refused the "
        "role or its password. SQLite needs to write beside the file too.",
        "Check path, owner and mode of the file and its directory, or role and password.",
    ),
    Code(
        "AO706",
        "No space left",
        "The database could not grow. The transaction was taken back as a whole: no change "
        "without its audit entry, no entry without its change.",
        "Free some space and run the command again.",
    ),
    Code(
        "AO707",
        "PostgreSQL driver missing",
        "The driver is an extra, so that an installation on SQLite need not carry it.",
        "Install it: `pip install 'apiops[postgres]'`.",
    ),
    Code(
        "AO708",
        "Not an apiops Manager",
        "The database is empty, holds tables of something else, or was migrated but never "
        "initialised. Apiops does not write into what it does not know.",
        "Check the URL. `apiops manager init` makes a Manager in an empty database.",
    ),
    Code(
        "AO709",
        "Migration needed",
        "The database has an older schema than this version of apiops works with.",
        "Make a backup, then run `apiops manager migrate`.",
    ),
    Code(
        "AO710",
        "Unaudited write refused",
        "Every change of the Manager carries who, why and in which run. A write without that was "
        "refused by apiops itself or by the database's triggers.",
        "Change resources through a commit, or with `apiops manager set`.",
    ),
    Code(
        "AO711",
        "Changed in the meantime",
        "Between the plan and the write somebody else changed the same resource, so its serial or "
        "content is not what the plan was made from. Nothing of this unit was written.",
        "Plan again and look at what changed.",
    ),
    Code(
        "AO712",
        "Applied revision moved on",
        "Another run applied a revision to this unit after the plan was made.",
        "Plan again: it begins from the revision that is applied now.",
    ),
    Code(
        "AO713",
        "Introduction refused",
        "Where trust begins is recorded once for a repository and target, with a person who is "
        "known to the Manager. It cannot be replaced by a later run.",
        "Leave out `--introduce`, or name an approver who has a User in the Manager.",
    ),
    Code(
        "AO714",
        "Database newer than apiops",
        "A newer apiops migrated this database. An older one could misread it, so it does not try.",
        "Use the apiops version that migrated it, or a newer one.",
    ),
    Code(
        "AO715",
        "The audit log did not record a change",
        "After a write the log must have grown by exactly one entry per changed row. It had not: "
        "the audit triggers of the database were dropped or altered. The write was taken back.",
        "Keep the database as evidence, find out who altered it, and restore a backup.",
    ),
    Code(
        "AO716",
        "Nobody holds a permit for the write",
        "The store writes a resource only for a permit that was given in the same transaction.",
        "A change needs a principal: the person whose signature proves the commit.",
    ),
    Code(
        "AO717",
        "Already initialised",
        "The database holds a Manager. A second one would orphan its audit log and its keys.",
        "Nothing was changed. Give another database URL to make another Manager.",
    ),
    Code(
        "AO718",
        "Lease held",
        "One run at a time writes to a repository's target. Another one is at work, or somebody "
        "keeps runs off over HTTP: their holder begins with a person's name.",
        "Wait for it to end. A run that crashed loses its lease by itself within minutes, by the "
        "clocks of the machines: where the hint says that they differ, set them by a time server.",
    ),
    Code(
        "AO719",
        "Lease lost",
        "It took longer than its lease, another run took over, or somebody broke the lease over "
        "HTTP. A late writer is refused so that two runs can never mix: with a vendor's Manager it "
        "sends nothing more.",
        "Run the command again. `apiops audit list --action lease` says who broke one.",
    ),
    Code(
        "AO720",
        "In another repository's inventory",
        "Each resource is described by one repository. This one belongs to another's inventory.",
        "Describe it in one repository only; take it out of the other one first.",
    ),
    Code(
        "AO721",
        "Key file missing",
        "The keys that seal secrets are wrapped by a key in a file, never kept in the database.",
        "Name the file that `apiops manager init` made, or restore it from its backup.",
    ),
    Code(
        "AO722",
        "Key file readable by others",
        "Whoever reads the key file and the database can open every secret.",
        "Run `chmod 600` on the key file, and give it to the user that runs apiops. A file of "
        "root's may be readable by its group too, as a cluster mounts a secret (mode 0440).",
    ),
    Code(
        "AO723",
        "Wrong key file",
        "The file does not hold a key of 32 bytes in base64, or it is the key of another Manager. "
        "A new key cannot open what another one sealed.",
        "Restore the key file that belongs to this database.",
    ),
    Code(
        "AO724",
        "A sealed value does not open",
        "The token was sealed with another key, moved from another row, field or environment, or "
        "is damaged. Apiops never gives out what it cannot authenticate.",
        "Run `apiops audit verify`, then apply the resource again or restore a backup.",
    ),
    Code(
        "AO725",
        "Unknown or retired key",
        "A sealed value names a key version that is not in the keyring, or was retired.",
        "Restore database and keyring from one and the same backup.",
    ),
    Code(
        "AO726",
        "A secret without its value",
        "The resource has a secret that is new or changed, but its plaintext was not opened, so it "
        "cannot be sealed.",
        "Apply with an age identity that opens the file the secret stands in.",
    ),
    Code(
        "AO727",
        "No such resource",
        "The Manager holds no resource of that kind, project and name.",
        "Check the spelling; names are case-sensitive.",
    ),
    Code(
        "AO730",
        "Another Manager",
        "The database has another lineage than the plan or the settings expect. A plan belongs to "
        "the one Manager that it was made from.",
        "Check the target's database URL, and plan again.",
    ),
    Code(
        "AO731",
        "Unusable admin key",
        "The first admin is known by the public SSH key that signs their commits.",
        "Give the public key as one line, as in `~/.ssh/id_ed25519.pub`.",
    ),
    Code(
        "AO732",
        "No such key",
        "The keyring has no key of that environment, purpose and name, and no Environment that "
        "could be given one.",
        "`apiops manager keys list` shows all keys. Check the spelling of the environment.",
    ),
    Code(
        "AO733",
        "Key still in use",
        "A key is retired only when nothing needs it: it is not the active one, no value is "
        "sealed with it, and no token that it signed may still be alive.",
        "Rotate first, let the re-encryption end, and wait out the longest token life; "
        "`--compromised` ends a signing key at once.",
    ),
    Code(
        "AO734",
        "Nobody knows whether the commit was carried out",
        "The connection to the database broke after the commit was sent and before its answer "
        "came. Either all of the transaction is stored, with its audit entries, or none of it.",
        "Run the command again: it reads the state anew and does only what is missing. "
        "`apiops audit list --run RUN` shows what was stored.",
    ),
    Code(
        "AO770",
        "Not the public key of an audit log",
        "The line is not a verifier key (C2SP signed note: name, key id and Ed25519 key), or its "
        "key id does not belong to it.",
        "Give the line that `apiops audit key` printed, or the file it was kept in.",
    ),
    Code(
        "AO771",
        "Not a checkpoint or proof",
        "The file is not a signed note with a checkpoint, or not a proof; or a signature in it "
        "that claims to be by a known key is not genuine.",
        "Give the file as `apiops audit checkpoint` or `apiops audit prove` wrote it, unchanged.",
    ),
    Code(
        "AO772",
        "Checkpoint of another log, or by an unknown key",
        "A checkpoint proves something only about the log that it names, and only if one of the "
        "log's keys signed it. Without a database that key has to be given.",
        "Give the public key that was kept with it: `--key FILE`.",
    ),
    Code(
        "AO773",
        "The log contradicts a checkpoint",
        "The log is broken, or does not hold the entries that a checkpoint was signed for. "
        "Somebody with the database's own rights rewrote it. No checkpoint is signed for it.",
        "Keep the database as evidence. `apiops audit verify` names the first bad entry; compare "
        "with your exports, and restore a backup.",
    ),
    Code(
        "AO774",
        "Not an export of the audit log",
        "A line of the file is not an entry as `apiops audit export` writes it.",
        "Give the export itself: JSON lines, all entries, unchanged. CSV is for reading only.",
    ),
    Code(
        "AO775",
        "The proof does not hold",
        "The proof is well-formed and signed, but what it claims does not follow from it: the "
        "entry is not in that log, or the later log does not begin as the earlier one.",
        "Ask for a proof anew. If that fails as well, history was rewritten.",
    ),
    Code(
        "AO776",
        "Not a syslog receiver",
        "Entries are sent as RFC 5424 messages over TLS, TCP, UDP or a Unix socket; the URL names "
        "none of them.",
        "Write `syslog+tls://HOST:6514`, `syslog+tcp://HOST:514`, `syslog+udp://HOST:514` or "
        "`syslog+unix:///dev/log`.",
    ),
    Code(
        "AO777",
        "The syslog receiver does not take entries",
        "The connection was refused or broke. What was sent before is sent; over UDP nobody "
        "confirms anything.",
        "Run the command again. With `--position FILE` it goes on after the last entry.",
    ),
    Code(
        "AO778",
        "Unusable position file",
        "The file holds the number of the last entry that was sent. It cannot be read or written, "
        "or holds something else.",
        "Check its path and mode; remove it to send everything from the first entry on.",
    ),
    Code(
        "AO779",
        "Unreadable file of evidence",
        "A checkpoint, key or proof file is missing, too large, or no text.",
        "Check the path.",
    ),
)
