"""How many Ed25519 SSH signatures are verified in a second, on one core.

    python benchmarks/signatures.py [--commits 5000]

Commit objects are parsed by our own parser and verified in process, as the commit walk does it:
armor, envelope, key, hash, curve. Every signature is another one. The goal is 5,000 a second.
"""

import argparse
import time

from apiops.git import commitobject, signature
from apiops.git.signing import SigningKey, sign
from apiops.model.revision import SignatureStatus

COMMIT = """\
tree {number:040x}
parent {parent:040x}
author Mert <mert@bank.example> 1767600000 +0000
committer Mert <mert@bank.example> 1767600000 +0000

Wait longer for api-{number:04}

The upstream needs up to {number} seconds at the end of the month.
"""


def signed(number: int, key: SigningKey) -> bytes:
    """A commit object with its signature, as Git stores it."""
    payload = COMMIT.format(number=number, parent=number - 1)
    head, _, body = payload.partition("\n\n")
    armored = sign(payload.encode(), key).rstrip("\n").replace("\n", "\n ")
    return f"{head}\ngpgsig {armored}\n\n{body}".encode()


def verify(raw: bytes) -> SignatureStatus:
    """What the commit walk asks of every commit."""
    return signature.of_commit(commitobject.parse(raw)).status


def main() -> None:
    """Sign, verify, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--commits", type=int, default=5_000)
    count = arguments.parse_args().commits
    key = SigningKey.generate()
    commits = [signed(number, key) for number in range(1, count + 1)]
    begun = time.process_time()
    assert all(verify(raw) is SignatureStatus.GOOD for raw in commits)
    seconds = time.process_time() - begun
    print(f"{count} signed commits parsed and verified in {seconds:.2f} s")
    print(f"a second              {count / seconds:8.0f}      (goal: at least 5,000)")


if __name__ == "__main__":
    main()
