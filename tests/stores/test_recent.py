"""Answers that are told again for a moment."""

from __future__ import annotations

import threading

from chat_api.stores.recent import Recent
from tests.contracts.helpers import together


class Slow:
    """Says how often it was asked; waits until it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.began = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self) -> int:
        self.asked += 1
        self.began.set()
        assert self.may_answer.wait(30)
        return self.asked


def test_of_many_at_once_one_asks_and_all_are_told() -> None:
    slow = Slow()
    slow.may_answer.set()
    recent, found = Recent(slow, 60), []
    together(50, lambda number: found.append(recent.get()))
    assert (found, slow.asked) == ([1] * 50, 1)


def test_who_comes_beside_a_question_gets_the_answer_before() -> None:
    slow = Slow()
    slow.may_answer.set()
    recent = Recent(slow, 0)
    assert recent.get() == 1
    slow.may_answer.clear()
    slow.began.clear()
    asking = threading.Thread(target=recent.get)
    asking.start()
    assert slow.began.wait(30)
    assert recent.get() == 1
    slow.may_answer.set()
    asking.join()
    assert recent.get() == 3
