"""Codes AO2xx: kinds, fields and types."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO201",
        "Unknown kind",
        "`kind` says what a document describes and which schema it is checked with. apiops knows "
        "a fixed set of kinds; a document of any other would be left out silently, so it is an "
        "error instead.",
        "Correct the spelling (kinds are written like `ApiProxy`), or move the file out of the "
        "directory that apiops reads. `apiops explain kinds` lists all kinds.",
    ),
    Code(
        "AO202",
        "Unknown apiVersion",
        "`apiVersion` says by which rules a document is read. This version of apiops reads "
        "`apiops/v1`.",
        "Write `apiVersion: apiops/v1`. If the document was written for a newer apiops, "
        "update apiops.",
    ),
    Code(
        "AO203",
        "Unknown field",
        "A field that the kind does not have would do nothing. In nearly all cases it is a "
        "misspelling or stands at the wrong depth, and what was meant would be missing.",
        "Correct the spelling or the indentation; the message names the nearest field there is. "
        "`apiops explain KIND.spec…` lists the fields at any place.",
    ),
    Code(
        "AO204",
        "Missing field",
        "The kind needs this field, and there is no default that would be safe for everybody.",
        "Add the field. `apiops explain` says what it means and what it may hold.",
    ),
    Code(
        "AO205",
        "Wrong type",
        "The value is of another type than the field: for example a text where a number belongs, "
        "or a number where a text belongs. YAML decides the type by how a value is written: `8080` "
        'is a number, `"8080"` a text, nothing at all is null.',
        "Write the value as the message says; put a text that looks like a number, `true` or "
        "`null` in quotes.",
    ),
    Code(
        "AO206",
        "Value is not allowed",
        "The field takes one of a fixed list of values, and this is not one of them. Upper and "
        "lower case count.",
        "Use one of the values that the message lists. `apiops explain` lists all of them.",
    ),
    Code(
        "AO207",
        "Text has the wrong form",
        "The field takes texts of a certain form only: a path that begins with `/`, a date, "
        "an address.",
        "Rewrite the text in the form that `apiops explain` shows for the field.",
    ),
    Code(
        "AO208",
        "Number is out of range",
        "The field has a smallest or a largest value, and the number is outside.",
        "Choose a number inside the range that the message gives.",
    ),
    Code(
        "AO209",
        "Too few or too many entries",
        "The list or mapping has a smallest or largest number of entries.",
        "Add or remove entries.",
    ),
    Code(
        "AO210",
        "Fields do not fit together",
        "Each field is right in itself, but together they make no sense: the Manager would refuse "
        "them, or one of them would do nothing. For example a proxy of type AI needs aiRouting.",
        "Change one of the fields that the message names.",
    ),
    Code(
        "AO211",
        "Not a secret",
        "The field holds a secret, so it takes a variable of the Manager (`${NAME}`), a value "
        "that sops has encrypted, or a reference to an encrypted file – and nothing else.",
        "Write `${NAME}`, `{$secret: file.sops.yaml#key}` or `{$secretFile: path.age}`, or encrypt "
        "the file with `apiops secrets encrypt`.",
    ),
    Code(
        "AO212",
        "Name is not allowed",
        "`metadata.name` is the resource's name in the Manager, in messages and in the audit log. "
        "Names begin with a letter or digit, hold letters, digits, blanks, `.`, `_` and `-`, end "
        "without a blank and have at most 128 characters. The name of an EnvironmentVariable "
        "holds letters, digits and `_` only; that of a User or Credential may hold `@` and `+`.",
        "Choose another name. To rename what exists, say the old name in `metadata.renamedFrom`.",
    ),
    Code(
        "AO230",
        "Whole manifest is encrypted",
        "`apiVersion` or `kind` is a ciphertext, so nobody can tell what the document is, review "
        "it or judge who may change it.",
        "Encrypt only the secret fields: set `encrypted_regex` in `.sops.yaml` and encrypt the "
        "file anew.",
    ),
    Code(
        "AO231",
        "Kind is missing",
        "A document with `apiVersion` is a manifest, and `kind` says what it describes.",
        "Add `kind`. `apiops explain kinds` lists all kinds.",
    ),
    Code(
        "AO232",
        "Reserved project name",
        "`system` names the System tier wherever projects are listed, stopped or frozen. A "
        "project of that name would be mistaken for it.",
        "Give the project another name. System-tier resources have no `metadata.project`.",
    ),
    Code(
        "AO233",
        "Project name is not allowed",
        "Project names follow the rule of `metadata.name`: they stand in identities, messages and "
        "the audit log.",
        "Use letters, digits, `.`, `_`, `-` and blanks inside, at most 128 characters.",
    ),
    Code(
        "AO234",
        "Protection is neither on nor off",
        '`apiops/protected` takes the text `"true"` or `"false"`. Anything else might be meant '
        "as protection and would give none.",
        'Write `apiops/protected: "true"`, or remove the annotation.',
    ),
    Code(
        "AO235",
        "Renamed from its own name",
        "`renamedFrom` is the name the resource had before; here it is the name it has.",
        "Remove `renamedFrom`, or correct one of the two names.",
    ),
    Code(
        "AO240",
        "Document that nothing uses",
        "A YAML document with neither `apiVersion` nor `kind` describes no resource, and no "
        "manifest refers to its file. It may be a manifest whose first lines were lost.",
        "Add the missing lines, refer to the file from a manifest, or move it into a hidden "
        "folder (one whose name begins with a dot).",
    ),
    Code(
        "AO241",
        "Manifest that hides what it is",
        "Which files hold manifests is told from their text, before anything is parsed. This one "
        "has an `apiVersion` or a `kind`, but written in braces or with escapes where nobody "
        "would look for it; a file that another manifest refers to would be passed over so.",
        "Write `apiVersion: apiops/v1` and `kind: …` plainly, each at the beginning of a line.",
    ),
)
