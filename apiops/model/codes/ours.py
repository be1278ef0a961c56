"""Codes AO9xx: settings, command line, apiops itself."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO901",
        "unexpected error",
        "apiops met a case that it does not know. That is a bug in apiops, not in your files.",
        "Report what it printed, together with the output of `apiops version -o json`. Neither "
        "holds a secret. Nothing was left half done: a change is one transaction.",
    ),
    Code(
        "AO902",
        "nothing to explain under that name",
        "`apiops explain` knows kinds (ApiProxy), their fields (ApiProxy.spec.routing) and codes "
        "(AO203).",
        "Check the spelling; `apiops schema` lists the kinds.",
    ),
    Code(
        "AO903",
        "apiops.toml is not as expected",
        "The settings file has a fault, so apiops cannot know which Manager you mean and does "
        "nothing at all.",
        "Mend the line that the message names; `docs/reference/settings.md` lists every key.",
    ),
    Code(
        "AO904",
        "which target?",
        "Each target is one Manager and one environment. The command needs exactly one, and "
        "apiops never guesses when several are possible.",
        'Give `--target NAME`, set APIOPS_TARGET, or write `target = "NAME"` into apiops.toml.',
    ),
    Code(
        "AO905",
        "flags that do not go together",
        "Two flags contradict each other, or one is missing what it needs.",
        "The hint says which to drop or to add; `apiops VERB --help` shows examples.",
    ),
    Code(
        "AO906",
        "an answer is needed and nobody can be asked",
        "The command would ask a question, but input is not a terminal or --no-input was given.",
        "Give the flag that the hint names, so that the answer stands in your script.",
    ),
    Code(
        "AO907",
        "a file cannot be written",
        "The place for an output cannot be written to. What was done before stays done; nothing "
        "that was asked for is lost silently.",
        "Choose a writable path or free some space, and run the command again.",
    ),
    Code(
        "AO908",
        "no Manager is configured",
        "The target in apiops.toml has no `manager` URL and none was given, so there is nothing "
        "to compare with.",
        'Set `manager = "sqlite:///FILE"` in [targets.NAME], or --manager, or APIOPS_MANAGER.',
    ),
    Code(
        "AO909",
        "there is no such thing in the Manager",
        "The command named a resource, an audit entry or a person that this Manager does not have "
        "(or, with --as, that this person may not see).",
        "`apiops export` shows the resources, `apiops audit list` the entries, `apiops access who` "
        "the people.",
    ),
    Code(
        "AO910",
        "the command line cannot be understood",
        "A verb, a flag or an argument is not as the command expects it. Nothing was done.",
        "`apiops VERB --help` shows each flag, with examples.",
    ),
    Code(
        "AO911",
        "another program failed",
        "apiops started a program that you chose, such as the editor in $EDITOR, and it could not "
        "be started or ended with an error. The file it was to change is as it was.",
        "Check that the program runs by itself, for example with `$EDITOR somefile`.",
    ),
    Code(
        "AO912",
        "a file is in the way",
        "An export would replace a file that has other content, or write through a link. It wrote "
        "nothing at all, so that no work of yours is lost.",
        "Export into an empty folder and compare, or give `--overwrite`; encrypted files always "
        "differ, because every encryption makes another ciphertext.",
    ),
    Code(
        "AO913",
        "the files that are meant are not clear",
        "A folder that was named holds no sops file, or a file has several key groups and nothing "
        "says to which of them a recipient is to be added.",
        "Name encrypted files, or folders that have some. For key groups, change the creation rule "
        "in .sops.yaml and use `apiops secrets recipients sync`.",
    ),
    Code(
        "AO914",
        "there is no such guard to override",
        "What is overridden is written down for ever, so a name that means nothing is a slip: the "
        "guard that was meant would still stand in the way.",
        "Give the name that the plan shows beside the guard; the hint lists all of them.",
    ),
    Code(
        "AO920",
        "the forge does not take a comment or a status",
        "The forge answered the call with a refusal. What a run did stands: a report that fails "
        "never fails the run, and its exit code is the one it would have had.",
        "Give the token the right to comment on pull requests and to set commit statuses, or "
        "leave out --comment and --status.",
    ),
    Code(
        "AO921",
        "there is no forge to report to",
        "Comments and statuses are for CI jobs: where to report is read from the variables that "
        "GitHub, GitLab, Gitea and Forgejo set for a job, and the token from APIOPS_FORGE_TOKEN, "
        "GITHUB_TOKEN, GITLAB_TOKEN or GITEA_TOKEN.",
        "Pass the token to the step, and on a push name the request with --pull-request.",
    ),
)
