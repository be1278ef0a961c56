"""Codes AO1xx: the text of a YAML file."""

from apiops.model.diagnostic import Code

_SYNTAX = (
    Code(
        "AO101",
        "Not valid YAML",
        "The text breaks off or contradicts itself, so nobody can tell what it means. What could "
        "be read before that place still says which project is stopped; other documents of the "
        "file, behind a line `---`, are read as usual.",
        "Correct the place named. Usual causes: indentation that does not match the line above, "
        "a colon inside an unquoted value, a quotation mark or bracket that is not closed.",
    ),
    Code(
        "AO102",
        "Key given twice",
        "YAML forbids it, and tools disagree about which of the two counts. A reviewer may read "
        "one value while another is applied.",
        "Remove one of the two.",
    ),
    Code(
        "AO103",
        "Tab in the indentation",
        "YAML allows only spaces there: how wide a tab is would decide what belongs to what.",
        "Replace the tab by spaces, and set the editor to insert spaces in YAML files.",
    ),
    Code(
        "AO104",
        "Tag",
        "A tag such as `!!str` or `!include` makes a value mean something else to one tool than "
        "to another, and in some libraries it runs code. Manifests need none.",
        "Remove the tag. Quote a value that is meant as text; use `file` or a parameter in place "
        "of an include.",
    ),
    Code(
        "AO105",
        "Key is not text",
        "Field names are text. YAML reads an unquoted `1`, `true` or `null` as a number, boolean "
        "or nothing, and allows lists and mappings as keys, which JSON does not.",
        "Put the key in quotes.",
    ),
    Code(
        "AO106",
        "Merge key",
        "`<<` was an extension of YAML 1.1 and is not part of YAML 1.2. Where it is supported, "
        "it hides which fields a mapping has.",
        "Write the fields out. What differs between targets belongs in parameters or patches; an "
        "alias for a whole value is allowed.",
    ),
    Code(
        "AO113",
        "Unknown anchor",
        "An alias (`*name`) repeats the value that was marked with `&name` before it, in the same "
        "document. There is no such value, or it is not complete yet.",
        "Correct the name, or move the anchor before the alias.",
    ),
    Code(
        "AO116",
        "Directive",
        "Lines such as `%YAML 1.1` or `%TAG` change how the rest is to be read. apiops reads "
        "YAML 1.2, always.",
        "Remove the line.",
    ),
)
"""What the text says."""

_CHARACTERS = (
    Code(
        "AO107",
        "Character that is not allowed",
        "Control characters, line separators other than line feed, lone carriage returns and byte "
        "order marks inside the text are not shown by editors, so a reviewer cannot see them.",
        "Remove the character. If a value needs it, write it as an escape in double quotes.",
    ),
    Code(
        "AO108",
        "Character that changes the direction of text",
        "Direction controls show the characters around them in another order than the one in "
        "which they are read, so a reviewer approves something else than what is applied "
        '(known as "Trojan Source", CVE-2021-42574).',
        "Remove the character.",
    ),
    Code(
        "AO109",
        "Not UTF-8",
        "Manifests are UTF-8. In another encoding the same bytes would be other characters.",
        "Save the file as UTF-8.",
    ),
    Code(
        "AO118",
        "NUL character",
        "No field takes it, and PostgreSQL cannot store it.",
        "Remove `\\0` from the value.",
    ),
)
"""What the text is made of."""

_LIMITS = (
    Code(
        "AO110",
        "File too large",
        "A manifest may have 1 MiB. The cap keeps a run's memory and time in bounds.",
        "Split the file: one resource a file is best. Documents such as OpenAPI go into files of "
        "their own that a manifest refers to; they have no cap.",
    ),
    Code(
        "AO111",
        "Nested too deep",
        "Lists and mappings may nest 64 levels deep. No kind comes near; a crafted file would.",
        "Check the brackets and the indentation around the place named.",
    ),
    Code(
        "AO112",
        "Too many values",
        "A document may have 50,000 values, with aliases written out. A few lines of aliases of "
        "aliases can otherwise become gigabytes.",
        "Split the document, or use fewer aliases.",
    ),
    Code(
        "AO114",
        "Number that cannot be used",
        "Numbers are kept as JSON: 64-bit integers and finite floats. Infinity, not-a-number and "
        "larger numbers would be changed on the way.",
        "Put the number in quotes if it is text (an account number, for example).",
    ),
    Code(
        "AO115",
        "Value too long",
        "One value may have 262,144 characters.",
        "Put long content into a file of its own and refer to it.",
    ),
)
"""How much of it there is."""

_FILES = (
    Code(
        "AO120",
        "Symbolic link",
        "Links are never followed: they can lead out of the repository, and what they point at "
        "can change without a commit. A link where a manifest could be would hide that manifest, "
        "so it stops everything.",
        "Commit the file itself.",
    ),
    Code(
        "AO121",
        "Submodule",
        "The commit holds only the id of a commit elsewhere; the manifests in it would be neither "
        "read nor judged.",
        "Commit the files themselves, or apply that repository as a source of its own.",
    ),
    Code(
        "AO122",
        "Git LFS pointer",
        "The commit holds only the digest of a file that lies on another server.",
        "Take the file out of Git LFS (`git lfs untrack`) and commit it.",
    ),
)
"""What is no text."""

CODES: tuple[Code, ...] = tuple(
    sorted((*_SYNTAX, *_CHARACTERS, *_LIMITS, *_FILES), key=lambda code: code.id)
)
