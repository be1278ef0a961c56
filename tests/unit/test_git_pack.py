"""Packs: what libgit2 writes we read, object for object; what is no pack is refused unread."""

import hashlib
import zlib
from pathlib import Path

import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygit2.enums import ObjectType

from apiops.errors import SourceError
from apiops.git import author, pack
from tests.people import GitStory, person

AYSE = person("ayse")
LINES = "".join(f"line {number} of a file that changes a little\n" for number in range(400))


def bare(folder: Path) -> pygit2.Repository:
    author.init(folder, bare=True)
    return pygit2.Repository(str(folder))


def objects(repository: pygit2.Repository) -> dict[str, tuple[int, bytes]]:
    return {str(id): repository.odb.read(id) for id in repository.odb}


def packed(*entries: bytes, count: int | None = None) -> bytes:
    head = b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big")
    body = head + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def entry(kind: int, size: int, content: bytes) -> bytes:
    first = (kind << 4) | (size & 15)
    size >>= 4
    head = bytearray()
    while size:
        head.append(first | 128)
        first, size = size & 127, size >> 7
    head.append(first)
    return bytes(head) + zlib.compress(content)


def test_a_history_arrives_object_for_object(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "a")
    for number in range(5):
        tip = story.commit(AYSE, {"x/y/z.yaml": LINES + str(number), f"{number}.yaml": "a: 1\n"})
    there = bare(tmp_path / "b")
    content = story.open().pack([tip], [])
    assert len(objects(pygit2.Repository(str(story.path)))) == pack.read(there, content)
    assert objects(pygit2.Repository(str(story.path))) == objects(there)


def test_libgit2_makes_deltas_that_we_undo(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "a")
    noise = "".join(hashlib.sha256(bytes([n])).hexdigest() + "\n" for n in range(200))
    for number in range(5):
        tip = story.commit(AYSE, {"z.yaml": noise + str(number)})
    content = story.open().pack([tip], [])
    there = bare(tmp_path / "b")
    pack.read(there, content)
    assert len(content) < len(zlib.compress(noise.encode())) * 2
    assert 5 == sum(raw.startswith(noise.encode()) for _, raw in objects(there).values())


def test_only_what_the_other_side_lacks_is_sent(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "a")
    first = story.commit(AYSE, {"big.yaml": LINES, "folder/a.yaml": "a: 1\n"})
    second = story.commit(AYSE, {"folder/b.yaml": "b: 1\n"})
    there = bare(tmp_path / "b")
    pack.read(there, story.open().pack([first], []))
    unknown = "f" * 40
    assert 4 == pack.read(there, story.open().pack([second], [first, unknown]))
    assert 0 == pack.read(there, story.open().pack([second], [second]))
    assert second in {str(id) for id in there.odb}


def test_a_pack_that_is_too_large_is_neither_sent_nor_read(tmp_path: Path) -> None:
    story = GitStory(tmp_path / "a")
    tip = story.commit(AYSE, {"a.yaml": LINES})
    content = story.open().pack([tip], [])
    with pytest.raises(SourceError) as sent:
        pack.write(pygit2.Repository(str(story.path)), [tip], [], most=100)
    with pytest.raises(SourceError) as read:
        pack.read(bare(tmp_path / "b"), content, most=100)
    assert ("AO820", "AO821") == (sent.value.code, read.value.code)


BOMB = entry(3, 16 * 1024 * 1024 + 1, b"\0" * (16 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PACK",
        b"PACK\0\0\0\2" + b"\0" * 30,
        packed(count=1),
        packed(count=0) + b"x",
        packed(entry(3, 5, b"12345"), count=2),
        packed(entry(3, 5, b"12345"), entry(3, 5, b"12345"), count=1),
        packed(entry(3, 4, b"12345")),
        packed(entry(3, 6, b"12345")),
        packed(entry(4, 5, b"12345")),
        packed(entry(0, 5, b"12345")),
        packed(entry(5, 5, b"12345")),
        packed(bytes([0xB0]) + b"\x80" * 40),
        packed(entry(3, 5, b"12345")[:-3]),
        packed(BOMB),
        packed(count=2**32 - 1),
        packed(bytes([6 << 4, 0]) + zlib.compress(b"")),
        packed(bytes([6 << 4]) + b"\xff" * 30 + zlib.compress(b"")),
        packed(bytes([7 << 4]) + b"\x11" * 20 + zlib.compress(b"")),
    ],
)
def test_what_is_no_sound_pack_is_refused(tmp_path: Path, content: bytes) -> None:
    there = bare(tmp_path / "b")
    with pytest.raises(SourceError) as raised:
        pack.read(there, content)
    assert "AO821" == raised.value.code


def delta_pack(base: bytes, delta: bytes) -> bytes:
    first = entry(3, len(base), base)
    size = len(delta)
    assert size < 16
    return packed(first, bytes([(6 << 4) | size, len(first)]) + zlib.compress(delta))


@pytest.mark.parametrize(
    ("delta", "becomes"),
    [
        (bytes([5, 3, 0b10010001, 1, 3]), b"234"),
        (bytes([5, 2, 2]) + b"xy", b"xy"),
        (bytes([5, 7, 0b10010000, 5, 2]) + b"xy", b"12345xy"),
    ],
)
def test_a_delta_copies_and_adds(tmp_path: Path, delta: bytes, becomes: bytes) -> None:
    there = bare(tmp_path / "b")
    assert 2 == pack.read(there, delta_pack(b"12345", delta))
    assert (ObjectType.BLOB, becomes) in objects(there).values()


@pytest.mark.parametrize(
    "delta",
    [
        bytes([4, 3, 0b10010001, 1, 3]),
        bytes([5, 4, 0b10010001, 1, 3]),
        bytes([5, 2, 0b10010001, 1, 3]),
        bytes([5, 3, 0b10010001, 3, 3]),
        bytes([5, 1, 0]),
        bytes([5, 9, 9]) + b"xy",
        bytes([5, 3, 0b10010001]),
        bytes([5]),
        b"",
        b"\xff" * 12,
    ],
)
def test_a_delta_that_lies_is_refused(tmp_path: Path, delta: bytes) -> None:
    with pytest.raises(SourceError):
        pack.read(bare(tmp_path / "b"), delta_pack(b"12345", delta))


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 2000), value=st.integers(0, 255), seal=st.booleans())
def test_a_pack_with_a_changed_byte_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, seal: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "packs"
    if not folder.exists():
        story = GitStory(folder / "a")
        story.commit(AYSE, {"z.yaml": LINES})
        story.commit(AYSE, {"z.yaml": LINES + "more"})
        bare(folder / "b")
    story_tip = str(pygit2.Repository(str(folder / "a")).head.target)
    content = bytearray(pack.write(pygit2.Repository(str(folder / "a")), [story_tip], []))
    count = int.from_bytes(content[8:12], "big")
    content[place % len(content)] = value
    body = bytes(content[:-20])
    altered = body + hashlib.sha1(body).digest() if seal else bytes(content)
    try:
        code = f"read {pack.read(pygit2.Repository(str(folder / 'b')), altered)}"
    except SourceError as fault:
        code = fault.code
    assert code in {"AO821", f"read {count}"}
