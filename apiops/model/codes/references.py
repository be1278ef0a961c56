"""Codes AO3xx: names that must exist, duplicates, cycles; files, parameters, patches."""

from apiops.model.diagnostic import Code

_RESOURCES = (
    Code(
        "AO301",
        "Reference to a resource that does not exist",
        "The field names another resource, and no manifest describes one of that kind and name in "
        "the same project (or in the System tier, where the field means that). What the System "
        "tier holds is looked up only if the repository describes any resource of the kind.",
        "Correct the name, or describe the resource.",
    ),
    Code(
        "AO302",
        "Resource described twice",
        "A resource is known by kind, project and name, whatever file it stands in. Two documents "
        "describe the same one, and no rule could say which counts. For some kinds, names that "
        "differ only in case are the same.",
        "Remove one of the two, or rename it.",
    ),
    Code(
        "AO303",
        "References in a circle",
        "Each of the resources needs another of them to exist first, so none can be created.",
        "Remove one of the references.",
    ),
    Code(
        "AO304",
        "Project that does not exist",
        "The repository describes its projects, and none has this name: the resource would belong "
        "nowhere.",
        "Correct `metadata.project`, or describe the Project.",
    ),
    Code(
        "AO306",
        "Name taken in another project",
        "Credentials and environment variables share one set of names across all projects of a "
        "Manager. Which of the two was first cannot be seen, so both projects stop.",
        "Choose another name in one of the projects.",
    ),
    Code(
        "AO307",
        "Renamed from a resource that is still described",
        "`renamedFrom` moves the old resource to the new name. While the old name is described as "
        "well, it cannot move.",
        "Remove `renamedFrom`, or the manifest with the old name.",
    ),
    Code(
        "AO308",
        "Target for an environment that does not exist",
        "The target's table in `apiops.toml` names an environment (without `environment` it is the "
        "target's own name), and none of the Environments that the repository describes is called "
        "that. Nothing would be deployed, and secrets would be sealed for an environment that "
        "nobody runs.",
        "Correct `environment` in `[targets.NAME]`, or describe the Environment.",
    ),
)
"""Resources beside each other."""

_FILES = (
    Code(
        "AO310",
        "File does not exist",
        "The manifest refers to a file that is not part of this revision. Paths start at the "
        "folder of the manifest, or with `/` at the root of the repository.",
        "Correct the path, or commit the file (is it ignored by `.gitignore`?).",
    ),
    Code(
        "AO311",
        "Path leads out of the repository",
        "Only files of the judged commit are read: anything else could change without a commit.",
        "Move the file into the repository and refer to it there, with `/` between folders.",
    ),
    Code(
        "AO312",
        "Not a plain file",
        "The path is a symbolic link, a submodule or a Git LFS pointer. The content is not in "
        "the commit.",
        "Commit the file itself.",
    ),
)
"""Files that manifests refer to."""

_PARAMETERS = (
    Code(
        "AO321",
        "Unknown parameter",
        "`${param:name}` is replaced by the target's value, and no parameter of this name is "
        "declared. `${NAME}` without `param:` is a variable of the Manager and is left alone.",
        "Correct the name, or declare the parameter in `parameters.yaml`.",
    ),
    Code(
        "AO322",
        "Parameter without a value",
        "The parameter is declared without a default, and the target gives it no value.",
        "Add the name to `targets/<target>/params.yaml` (or `params.sops.yaml` for a secret), or "
        "declare a default.",
    ),
    Code(
        "AO323",
        "Parameter's value does not fit",
        "The value is not of the declared type, not in `enum`, or does not match `pattern`.",
        "Correct the value, or the declaration in `parameters.yaml`.",
    ),
    Code(
        "AO324",
        "Parameter file cannot be used",
        "`parameters.yaml` has one field, `parameters`: a mapping of names to declarations (type, "
        "default, enum, pattern, description, secret). A target's parameter files map names to "
        "values.",
        "Correct the declaration or file at the place named.",
    ),
    Code(
        "AO325",
        "Value for a parameter that is not declared",
        "A value that nothing can use is nearly always a spelling mistake.",
        "Correct the name, declare the parameter in `parameters.yaml`, or remove the value.",
    ),
    Code(
        "AO326",
        "Secret parameter inside a text",
        "A secret is sealed as a whole. Mixed into a longer text it would have to be opened "
        "while the repository is read, and would show in plans.",
        "Make the whole value the secret: put the complete text into `params.sops.yaml`.",
    ),
    Code(
        "AO327",
        "Not a use of a parameter",
        "What follows `${param:` is not a name and a closing brace.",
        "Write `${param:name}`; names have letters, digits, `_`, `-` and `.`.",
    ),
    Code(
        "AO328",
        "Secret and plain parameters are mixed up",
        "A parameter declared with `secret: true` stands in plain text, or one that is not "
        "stands in the encrypted file.",
        "Keep secret values in `params.sops.yaml` and declare them `secret: true`. A secret that "
        "was committed in plain text must be changed: it stays in the history.",
    ),
)
"""What differs between targets: values."""

_PATCHES = (
    Code(
        "AO330",
        "Patch without a resource",
        "The patch names a resource that no manifest describes, so it would do nothing.",
        "Correct kind, project or name, or remove the patch.",
    ),
    Code(
        "AO331",
        "Patch cannot be used",
        "A patch has `apiVersion`, `kind`, `metadata` with the identity of a resource, and in "
        "`spec` and `metadata.labels` a JSON merge patch (RFC 7386). It can set nothing else.",
        "Correct the patch at the place named.",
    ),
)
"""What differs between targets: structure."""

CODES: tuple[Code, ...] = (*_RESOURCES, *_FILES, *_PARAMETERS, *_PATCHES)
