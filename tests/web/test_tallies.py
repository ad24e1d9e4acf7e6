"""Numbers that processes count together."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable

import pytest

from chat_api.web.tallies import SPARE, TEXT_BYTES, Tallies


@pytest.fixture
def tallies() -> Tallies:
    return Tallies(slots=3)


def in_a_killed_child(work: Callable[[], object]) -> None:
    """Do it in a forked process, which then is killed."""
    with warnings.catch_warnings():
        # Python 3.12 warns where there are threads. The child has none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_process_alone_counts_for_itself(tallies: Tallies) -> None:
    tallies.add(("calls", "a"))
    tallies.add(("calls", "a"), 2)
    tallies.add(("calls", "b"))
    tallies.report(5)
    assert tallies.sums() == {("calls", "a"): [3.0], ("calls", "b"): [1.0]}
    assert (tallies.in_flight(), tallies.owners()) == (5, {"none": os.getpid()})


def test_a_value_is_counted_in_the_first_bucket_that_holds_it(tallies: Tallies) -> None:
    for value in (0.1, 1.0, 1.5, 2.5, 7.0):
        tallies.observe(("seconds",), value, (1.0, 2.0))
    assert tallies.sums() == {("seconds",): [2.0, 1.0, 2.0, 12.1]}


def test_what_processes_counted_is_added_up(tallies: Tallies) -> None:
    def work(number: int) -> Callable[[], None]:
        def count() -> None:
            tallies.take(number)
            tallies.add((f"only {number}",))
            tallies.add(("both",), 2)
            tallies.observe(("seconds",), 0.5, (1.0,))

        return count

    in_a_killed_child(work(0))
    in_a_killed_child(work(1))
    sums = {("both",): [4.0], ("only 0",): [1.0], ("only 1",): [1.0], ("seconds",): [2.0, 0, 1.0]}
    assert tallies.sums() == sums


def test_a_successor_goes_on_where_a_killed_process_stopped(tallies: Tallies) -> None:
    def count() -> None:
        tallies.take(1)
        tallies.add(("calls",))
        tallies.report(7)

    in_a_killed_child(count)
    assert tallies.in_flight() == 7
    tallies.free(1)
    assert (tallies.in_flight(), tallies.owners()) == (0, {})
    assert tallies.sums() == {("calls",): [1.0]}
    in_a_killed_child(count)
    assert tallies.sums() == {("calls",): [2.0]}


def test_a_slot_is_taken_with_nothing_in_flight(tallies: Tallies) -> None:
    in_a_killed_child(lambda: (tallies.take(0), tallies.report(7)))
    tallies.take(0)
    assert (tallies.in_flight(), tallies.owners()) == (0, {"0": os.getpid()})


def test_a_fork_that_was_told_nothing_counts_for_itself(tallies: Tallies) -> None:
    tallies.add(("calls",))
    in_a_killed_child(lambda: tallies.add(("calls",)))
    assert tallies.sums() == {("calls",): [1.0]}


def test_a_worker_without_a_slot_counts_for_itself_and_says_so(
    tallies: Tallies, capsys: pytest.CaptureFixture[str]
) -> None:
    tallies.take(3)
    tallies.free(3)
    tallies.add(("calls",))
    assert tallies.sums() == {("calls",): [1.0]}
    assert capsys.readouterr().out.count("no room for one more worker") == 1


@pytest.mark.parametrize("name", ["x", "x" * 500], ids=["cells", "text"])
def test_what_finds_no_room_is_left_out_and_said_once(
    tallies: Tallies, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    tallies.take(0)
    tallies.add(("first",))
    for number in range(SPARE):
        tallies.add((name, number))
    for _ in range(3):
        tallies.observe((name, "late"), 0.5, (1.0,) * 40)
    tallies.add(("first",))
    sums = tallies.sums()
    assert sums[("first",)] == [2.0] and (name, "late") not in sums
    assert all(cells == [1.0] for found, cells in sums.items() if found[0] == name)
    assert len(sums) > min(SPARE, TEXT_BYTES // 520) - 10
    assert capsys.readouterr().out.count("no room for more names") == 1


def test_any_text_can_be_a_name(tallies: Tallies) -> None:
    tallies.take(0)
    names = [(text, 200) for text in ('a"b\\', "line\nfeed\r\x85\u2028", "\x00", "ü")]
    for name in names:
        tallies.add(name)
    assert list(tallies.sums()) == names
