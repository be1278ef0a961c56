"""Fuzz one parser with libFuzzer: `python -m tests.fuzz TARGET [libFuzzer's own flags]`.

It starts from real signatures, keys and files, made anew each time, and ends with a status that is
not zero on a crash, a hang or a leak; libFuzzer then says where it left the input.
"""

import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["apiops.git", "apiops.access", "apiops.model"]):
    from tests.fuzz.targets import TARGETS, FuzzTarget

HANG_SECONDS = 5


def mutator(target: FuzzTarget):
    """A mutation of what is inside of the armor, from libFuzzer's seed alone."""

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        def plain(piece: bytes) -> bytes:
            return atheris.Mutate(piece, max(size, 1))

        made = target.wrap(target.mutate(target.unwrap(data), random.Random(seed), plain))
        return made if len(made) <= size else data[:size]

    return mutate


def quoted(word: bytes) -> str:
    """A line of a libFuzzer dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


def fuzz(name: str, flags: list[str], folder: Path) -> None:
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
    (folder / "words").write_text("".join(map(quoted, target.words)))
    common = [f"-timeout={HANG_SECONDS}", "-max_len=8192"]
    common += [f"-dict={folder / 'words'}"] if target.words else []
    arguments = [sys.argv[0], *common, *flags, str(corpus)]
    atheris.Setup(arguments, target.check, custom_mutator=mutator(target))
    atheris.Fuzz()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        fuzz(sys.argv[1], sys.argv[2:], Path(scratch))
