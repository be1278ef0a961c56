"""Codes AO76x: the vendor's Manager, through its Management API."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO760",
        "Unexpected answer of the Management API",
        "The Manager answered in a form that apiops does not know. Nothing was concluded from it.",
        "Compare the Manager's release with those that apiops was tested with, and report it.",
    ),
    Code(
        "AO761",
        "Token not accepted",
        "The Manager does not know the token, or it expired or was revoked. What was sent before "
        "stays; nothing was sent after.",
        "Make a token in the console (Quick Menu, My Profile), put it into `APIOPS_TOKEN` or the "
        "file that `token-file` names, and run again: it goes on where it stopped.",
    ),
    Code(
        "AO762",
        "The token lacks a right",
        "A token has the rights of the user who made it. This one may not do what the plan needs, "
        "whatever the committers may.",
        "Give that user the role in the console. `apiops doctor --target NAME` lists what the "
        "token may read.",
    ),
    Code(
        "AO763",
        "The Manager refused a change",
        "The Manager answered with a reason of its own, which is quoted. The change was not made; "
        "what needs it was not tried.",
        "Correct the specification as the words say, and run again.",
    ),
    Code(
        "AO764",
        "Nobody knows whether the Manager did it",
        "The answer was lost, or came from something else than the Manager. It was looked up or "
        "repeated where that is safe, and is still not known.",
        "Run again: the journal names the change, and the next run finds out before it writes.",
    ),
    Code(
        "AO765",
        "Too many lost answers",
        "Several answers in a row got lost, so nothing more is sent in this run.",
        "Look at the Manager, the proxy and the network, then run again.",
    ),
    Code(
        "AO766",
        "The Manager does not say an id",
        "Some bodies of the Management API name another resource by an internal id, and the API "
        "has no read that says the id of this one.",
        "Create the resource that is named first; where the API never says it, change the "
        "specification so that it does not refer to it.",
    ),
    Code(
        "AO767",
        "Saved, not live",
        "The Manager saved the proxy, and its workers in an environment did not take it. What ran "
        "there before still runs.",
        "Look at the workers of that environment. The next run deploys again, and that alone.",
    ),
    Code(
        "AO768",
        "Only the console can do this",
        "Projects, environments, users, roles and teams have no writing operation in the "
        "Management API. apiops checks that they are as the repository says.",
        "Ask a system administrator to do what the message says in the console, then run again.",
    ),
    Code(
        "AO769",
        "No way to write this to a vendor's Manager",
        "The Management API has no operation for this kind, or for a rename, or none that apiops "
        "uses. The plan says so, and nothing is sent.",
        "Keep the kind in the console and out of the repository, or use a Manager of apiops. In "
        "place of a rename, describe the new resource and leave the old one out later.",
    ),
    Code(
        "AO757",
        "A ledger that nobody vouches for",
        "The ledger lies in a Git ref, and its newest state is not signed, or signed by a key that "
        "is not among `ledger-signers`, or was signed for another ref. It was not read. Or the "
        "run's own key is not among them: what it signs no other run would read, so it writes "
        "nothing.",
        "Find out who pushed it and put the last good commit back. Only the runners' token should "
        "be able to push to `refs/apiops/*`. A new runner's key belongs into `ledger-signers`.",
    ),
    Code(
        "AO758",
        "The ledger went back",
        "The ledger's Git ref on the remote is older than what this clone has seen of it, or is "
        "gone: somebody forced the ref. Signed as it is, an old state would undo what was written "
        "since.",
        "Put the newer one back with `git push`, and forbid forced pushes to `refs/apiops/*`.",
    ),
    Code(
        "AO759",
        "The ledger has moved",
        "The ledger lies in a Git ref, and another run put a newer state there after this one "
        "had read it. Nothing was sent that is not in the ledger as an intent.",
        "Run again: it begins from what the other run left.",
    ),
)
