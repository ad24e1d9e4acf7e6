"""The memory of a real server, all its processes together, under everything that callers do."""

from __future__ import annotations

from tests.faults.memory import load, mixed_stand

MIB = 2**20
MOST_GROWN = 4 * MIB
"""In six runs it grew by 0.7 to 0.9 MiB: new arenas of Python's, and pages no longer shared with
the master. A request that leaves 4 KiB behind is found."""


def test_a_thousand_requests_of_all_kinds_leave_memory_as_it_was() -> None:
    with mixed_stand() as stand:
        load(stand, 1000, 168)
        before = stand.memory()
        load(stand, 1000, 168)
        grown = stand.memory() - before
    assert grown < MOST_GROWN, f"it grew by {grown / MIB:.1f} MiB"
