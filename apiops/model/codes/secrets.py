"""Codes AO4xx: sops files, age identities, sealed fields.

AO401–AO419 reading and writing files (age), AO430–AO449 secrets in manifests (spec), AO450–AO459
creation rules.
"""

from apiops.model.diagnostic import Code

FILES = (
    Code(
        "AO401",
        "No age identity was found",
        "A file is encrypted and must be opened, and none of the places where a private key may "
        "be had one: SOPS_AGE_SSH_PRIVATE_KEY_FILE, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY, the "
        "identity directory of the settings and, for a person at a terminal, the default key "
        "file of sops.",
        "Set SOPS_AGE_KEY_FILE to a key file, or mount one and name its directory in the "
        "settings. `apiops validate` and `apiops plan` work without a key and say what they "
        "could not compare.",
    ),
    Code(
        "AO402",
        "None of the identities opens the file",
        "The file is encrypted for other recipients than those whose private keys are at hand, "
        "or fewer key groups open than its threshold asks for. The message lists the recipients, "
        "the hint the public keys that were tried.",
        "Use the key of one of the recipients, or ask somebody who holds one to encrypt the file "
        "for you too: anew with `apiops secrets encrypt`, or with `sops updatekeys`.",
    ),
    Code(
        "AO403",
        "A key or key file cannot be used",
        "A place that was named to hold a private key cannot be read, or a line in it is no age "
        "identity. Keys with a passphrase are not used, and no program is run to get a key.",
        "Give a file as age-keygen writes it, or an Ed25519 or RSA key in OpenSSH format without "
        "passphrase. The content is never shown; the message names the line.",
    ),
    Code(
        "AO404",
        "No such secret in the file",
        "A reference names a value that the file does not have, that stands there unencrypted or "
        "empty, or that two keys of the file could mean.",
        "Correct the part behind `#` in the reference, or add the value with "
        "`apiops secrets edit`.",
    ),
    Code(
        "AO405",
        "The file is not encrypted",
        "A secret was expected, and the file has no sops metadata. If it was encrypted before, "
        "the metadata was lost; if it never was, its content is in the Git history in the clear.",
        "Encrypt it with `apiops secrets encrypt`. If a secret was ever committed in the clear, "
        "replace the secret itself: history keeps it.",
    ),
    Code(
        "AO406",
        "The MAC does not match",
        "sops files carry a code over all their values. It is missing, or it is not the code of "
        "the values that are there: the file was changed without its key, or damaged by a merge.",
        "Restore the file from the last good commit and make the change with "
        "`apiops secrets edit` or sops. There is no way to ignore the MAC.",
    ),
    Code(
        "AO407",
        "An encrypted value cannot be opened",
        "A value is malformed, was changed, was copied from another field or another file, or "
        "stands in the clear where the file's rule says it is encrypted, or is not the one that "
        "the plan was made from. Every encrypted value is bound to its place.",
        "Restore it from Git, or set it anew with `apiops secrets edit`.",
    ),
    Code(
        "AO408",
        "The file has no key that apiops can use",
        "The data key is encrypted only for services such as PGP or a cloud's key management; or "
        "also for these, and they would lose the file if apiops gave it a new data key.",
        "Add an age recipient (age1…) or an SSH key to the file with sops, or take the services "
        "out with sops first.",
    ),
    Code(
        "AO409",
        "The rule that selects encrypted values is not supported",
        "encrypted_comment_regex and unencrypted_comment_regex let comments decide what is "
        "encrypted, and a file has at most one rule.",
        "Use encrypted_regex, encrypted_suffix or their opposites.",
    ),
    Code(
        "AO410",
        "The sops entry is not acceptable",
        "Its pattern is not an RE2 pattern, or, in a manifest, it has unknown keys or "
        "mac_only_encrypted, with which the readable part of the manifest would not be verified.",
        "Correct .sops.yaml and encrypt the file anew.",
    ),
    Code(
        "AO411",
        "The recipients cannot be used",
        "Nobody to encrypt for was named, or a recipient is not an age recipient (age1…, "
        "age1pq1…) nor an SSH public key of type ssh-ed25519 or ssh-rsa.",
        "Give `--age RECIPIENT`, or correct the creation rule in .sops.yaml.",
    ),
    Code(
        "AO412",
        "A value that readers understand differently",
        "sops types YAML and JSON in its own way: `0777` is 511, `1_000` is 1000, `2024-01-02` a "
        "time. Where YAML 1.2 says otherwise, or a number is beyond what every reader keeps "
        "exactly, the same file would mean two things.",
        "Put the value in quotes, or write the number in plain decimal.",
    ),
    Code(
        "AO413",
        "The value cannot be written there",
        "The rule selects nothing in the file, the file is empty, or a value is not text and the "
        "format holds text only.",
        "Correct the rule in .sops.yaml, or encrypt the material as a binary file.",
    ),
    Code(
        "AO414",
        "The file is too large or too deep",
        "Secret files are small. A file above 1 MiB, nested deeper than 64 levels, with more "
        "than 50,000 values, 100 recipients, or 64 KiB for a recipient is not read.",
        "Split the file, or keep large material outside of Git.",
    ),
    Code(
        "AO415",
        "The file cannot be read",
        "It is not UTF-8, not valid in its format (by suffix: YAML, JSON, dotenv), or of a "
        "format that is not supported (INI).",
        "Correct the text at the place named; the text itself is not shown.",
    ),
    Code(
        "AO416",
        "Anchors, aliases and tags have no place in a secrets file",
        "sops expands aliases and drops tags when it encrypts, so the author's text and the "
        "encrypted file would differ.",
        "Write the values out.",
    ),
    Code(
        "AO417",
        "The file's shape does not fit sops",
        "sops encrypts mappings with unique string keys: not documents that are lists, single "
        "values or empty, and not numbers or null as keys. In YAML apiops writes into block "
        "mappings that begin in the first column.",
        "Put keys in quotes, remove duplicates and empty documents, write `key: value` lines.",
    ),
    Code(
        "AO418",
        "The file is encrypted already",
        "It has a sops entry, or is an age file. Encrypting it once more would hide the first "
        "encryption inside the second.",
        "Change it with `apiops secrets edit`. If `sops` is a key of yours, rename it.",
    ),
    Code(
        "AO419",
        "A comment among secrets stays readable",
        "apiops does not encrypt comments, because readers of sops files disagree about them. A "
        "comment beside encrypted values is as public as the repository. In a file whose "
        "comments sops encrypted, unchanged comments stay encrypted and new ones are refused.",
        "Move what is secret in the comment into a value.",
    ),
)
"""Reading and writing encrypted files."""

RULES = (
    Code(
        "AO450",
        "The creation rules cannot be read",
        ".sops.yaml is not YAML, or not of the shape that sops documents.",
        "Correct it at the place named; the reference is docs/explanation/secrets.md.",
    ),
    Code(
        "AO451",
        "No creation rule matches the file",
        ".sops.yaml has creation_rules and none of them has a path_regex that the file's path, "
        "relative to .sops.yaml, matches.",
        "Add a rule, or name the recipients with `--age`.",
    ),
    Code(
        "AO452",
        "A creation rule asks for what apiops does not write",
        "The rule encrypts comments or by comments, with mac_only_encrypted, or for keys that "
        "are not age keys.",
        "Change the rule; sops itself reads what apiops writes.",
    ),
    Code(
        "AO453",
        "No creation rules were found",
        "No recipients were named, and there is no .sops.yaml beside the file or above it.",
        "Write a .sops.yaml, or name the recipients with `--age`.",
    ),
)
"""Creation rules (.sops.yaml)."""

MANIFESTS = (
    Code(
        "AO430",
        "Reference to a secret has the wrong form",
        "`$secret` takes the text `file.sops.yaml#key/of/the/value` and `$secretFile` a path; "
        "either is the only key of its mapping. What stands there otherwise is made by apiops "
        "and cannot be written by hand.",
        "Write `{$secret: file.sops.yaml#key}` or `{$secretFile: path.age}`.",
    ),
    Code(
        "AO431",
        "Not a sops file",
        "`$secret` refers to a value of a sops file in YAML or JSON, and this file has no `sops` "
        "entry or cannot be read.",
        "Encrypt the file with `apiops secrets encrypt`, or refer to another.",
    ),
    Code(
        "AO432",
        "No such value in the sops file",
        "The keys after `#` lead to no value. They are the file's own keys, joined by `/`.",
        "Correct the keys; `apiops secrets decrypt` shows which there are.",
    ),
    Code(
        "AO433",
        "Secret in a field that is not secret",
        "Only fields that their kind marks as secret are sealed in the Manager and hidden in "
        "plans. In any other field the plaintext would be shown.",
        "Narrow `encrypted_regex` in `.sops.yaml` to the secret fields, or write the value in "
        "plain text if it is none.",
    ),
    Code(
        "AO435",
        "Secret in plain text",
        "The field always holds a secret, and everybody who can read the repository can read it "
        "now; the history keeps it.",
        "Encrypt the file with `apiops secrets encrypt`, refer to a sops file with `$secret`, or "
        "use a variable (`${NAME}`). Then change the secret itself.",
    ),
    Code(
        "AO436",
        "Manifest with mac_only_encrypted",
        "The option leaves the clear part of the file out of the MAC, so it could be changed "
        "around the secret: another backend, another project.",
        "Remove `mac_only_encrypted` from `.sops.yaml` and encrypt the file anew.",
    ),
    Code(
        "AO437",
        "Value that sops reads differently",
        "sops follows other rules than YAML 1.2 for a few plain values (`010`, `1_000`, "
        "`2024-01-01`). The MAC would cover another value than the one that is applied.",
        "Put the value in quotes, or write the number in decimal, and encrypt the file anew.",
    ),
    Code(
        "AO438",
        "Ciphertext in a document that is not a sops file",
        "The value looks encrypted, but the document's `sops` entry, which holds the key and the "
        "MAC, is not there.",
        "Restore the `sops` entry, or refer to the value with `$secret`.",
    ),
    Code(
        "AO440",
        "Secret file is not encrypted",
        "`$secretFile` refers to a file that is neither an age file nor a sops file: everybody "
        "who can read the repository can read it.",
        "Encrypt it with age or sops, and change the secret: the history keeps it.",
    ),
    Code(
        "AO442",
        "Value in a sops file is not encrypted",
        "The value is meant as a secret but stands in plain text, or is not a single value.",
        "Widen the rule in `.sops.yaml` and encrypt the file anew; change the secret if it was "
        "committed in plain text.",
    ),
    Code(
        "AO443",
        "Plaintext that looks like a secret",
        "The value has a form that only secrets have: a private key, a token with its maker's "
        "prefix, a password in a URL. It is a warning here, because the form can deceive; the "
        "plan's guard `plaintext` (AO608) refuses to write it.",
        "Replace the secret, for the Git history keeps it. Put the new one into a secret field, or "
        "into an EnvironmentVariable that is not visible, and write `${NAME}` here.",
    ),
)
"""Secrets in manifests and parameter files (spec)."""

CODES: tuple[Code, ...] = (*FILES, *MANIFESTS, *RULES)
