"""Codes AO74x to AO79x: Managers that are reached over HTTP, tokens, and serving one."""

from apiops.model.diagnostic import Code

CODES: tuple[Code, ...] = (
    Code(
        "AO740",
        "Unusable Manager URL",
        "The URL has no host, another scheme than https, a password in it, or is plain HTTP to "
        "another machine, where everybody on the way could read the token.",
        "Write `https://manager.bank.example`; plain HTTP is for the loopback address only.",
    ),
    Code(
        "AO741",
        "Unusable settings of the connection",
        "A file with certificates or a key is not there, or the proxy's URL cannot be read.",
        "Check `ca-file`, `client-cert`, `client-key` and `proxy` of the target.",
    ),
    Code(
        "AO742",
        "The server does not answer",
        "No connection came about, or no whole answer came in time. What may be repeated was "
        "repeated before this was said.",
        "Check host, port, proxy and network, then run the command again.",
    ),
    Code(
        "AO743",
        "No trusted TLS connection",
        "The server's certificate is not signed by an authority that is believed, is for another "
        "name or has expired; or the server wants to know who we are and we did not say.",
        "Name the authority with `ca-file`, and `client-cert` and `client-key` where asked for.",
    ),
    Code(
        "AO744",
        "Not an answer of a Manager",
        "What came back is not what a Manager says: not JSON, too long, or a redirect, which is "
        "never followed because it would carry the token elsewhere.",
        "Check the URL: a login page or another program may be answering there.",
    ),
    Code(
        "AO745",
        "Only commits are submitted",
        "A Manager over HTTP judges who made what it is to apply, and files in a work tree were "
        "made by nobody yet.",
        "Commit and sign the change, then plan it; `apiops validate --worktree` needs no Manager.",
    ),
    Code(
        "AO747",
        "The run's deadline has passed",
        "The run took longer than `--deadline` allows. What was sent was let end and recorded; "
        "nothing more was sent.",
        "Run again: it goes on from there. Give it more time, or `--parallel` more calls at once.",
    ),
    Code(
        "AO748",
        "The database itself is needed",
        "Some work is done on the Manager's database and not over HTTP: to make and migrate it, "
        "to serve it, its keys, tokens and checkpoints, changes by hand.",
        "Run it where the database is, or give `--manager` and `--key-file` with the database.",
    ),
    Code(
        "AO751",
        "Not a token that can be",
        "A person's token has a user behind it, a service's can only submit, a worker's can only "
        "fetch its environment; every token has a scope and an end.",
        "The hint says what would do; `apiops manager tokens create --help` lists the scopes.",
    ),
    Code(
        "AO752",
        "No such token",
        "There is no token of that id.",
        "`apiops manager tokens list` shows those that you may know of.",
    ),
    Code(
        "AO746",
        "An answer of another version",
        "The Manager answered with something that this version of apiops does not know.",
        "Use the version that the server has; `apiops version` and `/v1/openapi.json` tell them.",
    ),
    Code(
        "AO780",
        "The token is not for this",
        "A token says what it may be used for, and a service's may name its only repository. An "
        "introduction is submitted by the person who answers for it.",
        "Use another token, or make one with the scope that the message names.",
    ),
    Code(
        "AO781",
        "No token that counts",
        "The request showed no token, or one that is unknown, expired or revoked, or whose user "
        "is disabled.",
        "Put a good token into `APIOPS_TOKEN` or the file that `token-file` names.",
    ),
    Code(
        "AO782",
        "Too many failed attempts",
        "Tokens that do not count came from one address again and again. One that counts is let "
        "in all the same.",
        "Wait a minute, then show the right token.",
    ),
    Code(
        "AO783",
        "Too large",
        "The body is larger than the endpoint takes.",
        "Submit a long history in steps: `--ref` an older commit first.",
    ),
    Code(
        "AO784",
        "Nothing that you may see",
        "There is no such thing, or it is not for the token's holder to see: the answer is the "
        "same.",
        "Check the name, and ask a project's owner for the right to look.",
    ),
    Code(
        "AO785",
        "No such method",
        "The path is known, the method is not.",
        "`/v1/openapi.json` lists what there is.",
    ),
    Code(
        "AO786",
        "Too slow",
        "The body of the request did not arrive in time.",
        "Try again over a better connection.",
    ),
    Code(
        "AO787",
        "Not understood",
        "The request does not have the form that the endpoint expects.",
        "`/v1/openapi.json` says what is expected; use the version of apiops that the server has.",
    ),
    Code(
        "AO788",
        "Commits that are not kept",
        "What was applied to this target came from elsewhere, so the server has no commits to "
        "compare the live state with.",
        "Apply once through the server, or run `apiops drift` from a clone against the database.",
    ),
    Code(
        "AO789",
        "Said as the vendor says it",
        "The vendor-shaped API answers in the vendor's words, so that scripts which look for them "
        "keep working.",
        "The message says what is wrong; the native API under `/v1` says it with a code.",
    ),
    Code(
        "AO790",
        "Not to be served like this",
        "A server that listens beyond its own machine shows tokens to the network unless TLS "
        "hides them.",
        "Give `--tls-cert` and `--tls-key`, or `--behind-proxy ADDRESS` where a proxy ends TLS.",
    ),
    Code(
        "AO791",
        "Cannot listen",
        "The address is taken by another program, is not this machine's, or its port needs a "
        "right.",
        "Choose another `--listen HOST:PORT`, or let the service manager open the socket.",
    ),
    Code(
        "AO792",
        "The extra for serving is missing",
        "The web framework is an extra, so that a command-line installation need not carry it.",
        "Install it: `pip install 'apiops[web]'`.",
    ),
)
