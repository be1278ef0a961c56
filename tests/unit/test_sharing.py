"""Mappings of which many versions exist."""

from apiops.model import sharing
from apiops.model.sharing import Shared


def numbers(count: int) -> Shared[str, int]:
    return Shared.of({f"n{number}": number for number in range(count)})


def test_a_shared_mapping_is_the_mapping_it_was_made_of() -> None:
    made = numbers(1000)
    assert {f"n{number}": number for number in range(1000)} == dict(made)
    assert 1000 == len(made)
    assert None is made.get("other")


def test_a_new_version_leaves_the_old_one_as_it_was() -> None:
    old = numbers(3)
    new = old.put({"n0": 7, "n1": None, "n9": 9})
    assert {"n0": 0, "n1": 1, "n2": 2} == dict(old)
    assert {"n0": 7, "n2": 2, "n9": 9} == dict(new)


def test_a_version_without_a_difference_is_the_same_object() -> None:
    old = numbers(3)
    assert old is old.put({"n0": 0, "gone": None})


def test_versions_share_all_parts_but_the_changed_one() -> None:
    old = numbers(1000)
    new = old.put({"n0": 7})
    assert 1 == sum(part is not new.parts[name] for name, part in old.parts.items())


def test_only_what_differs_is_named() -> None:
    old = numbers(1000)
    assert {"n0", "n1", "n1000"} == sharing.differing(
        old, old.put({"n0": 7, "n1": None, "n1000": 1})
    )
    assert set() == sharing.differing(old, numbers(1000))


def test_mappings_that_are_cut_otherwise_are_compared_as_a_whole() -> None:
    files = {"a/x": 1, "a/y": 2, "z": 3}
    one, other = Shared.of(files), Shared.of(files | {"z": 4}, sharing.by_folder)
    assert {"", "a/"} == other.parts.keys()
    assert {"z"} == sharing.differing(one, other) == sharing.differing(files, other)
