"""What threads want of the book at once is done in one transaction, and each hears of its own."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from apiops.errors import ManagerError
from apiops.remote.vendor.together import Together


class Work:
    """Doubles numbers; 13 cannot be doubled, and all of a transaction fails with it."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.first, self.go = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.first.set()
        assert self.go.wait(20)
        if 13 in numbers:
            raise ManagerError("no", code="AO700")
        self.transactions.append(list(numbers))
        return [2 * number for number in numbers]


def all_at_once(work: Work, numbers: Sequence[int]) -> list[object]:
    """The first alone holds the turn until the others wait for it."""
    together: Together[int, int] = Together(threading.Lock(), work)
    with ThreadPoolExecutor(len(numbers)) as pool:
        began = [pool.submit(together.do, numbers[0])]
        assert work.first.wait(20)
        began += [pool.submit(together.do, number) for number in numbers[1:]]
        while len(together._waiting) < len(numbers) - 1:
            pass
        work.go.set()
        return [one.exception() or one.result() for one in began]


def test_those_who_wait_go_together() -> None:
    work = Work()
    assert [2, 4, 6, 8] == all_at_once(work, [1, 2, 3, 4])
    assert [[1], [2, 3, 4]] == [sorted(numbers) for numbers in work.transactions]


def test_what_cannot_be_done_is_told_to_the_one_whose_it_is() -> None:
    work = Work()
    results = all_at_once(work, [1, 13, 2])
    assert (2, 4) == (results[0], results[2])
    assert isinstance(results[1], ManagerError)


def test_alone_it_raises() -> None:
    work = Work()
    work.go.set()
    with pytest.raises(ManagerError):
        Together(threading.Lock(), work).do(13)
    assert 2 == Together(threading.Lock(), work).do(1)
