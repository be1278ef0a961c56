"""Codes AO74x: Managers that are reached over HTTP."""

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
)
