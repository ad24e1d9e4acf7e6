"""Numbers that all processes of a server count together, in memory that they share.

Gunicorn's master makes the memory before it forks. Each worker counts in a slot of its own, with
no lock between processes, and whoever is asked adds all slots up. What a worker counted outlives
its `kill -9`, since its successor counts on in the same slot. Nothing of it is a file: there is
no folder that could be full, read-only, or left behind.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import orjson
import structlog

Name = tuple[str | int, ...]
"""What is counted, and the values of its labels."""

CELLS = 4_096
"""Doubles in a slot. A counter takes one, a histogram one for each bucket and one for its sum."""
TEXT_BYTES = 98_304
SLOT_BYTES = 8 * CELLS + TEXT_BYTES

TEXT_END, OWNER, IN_FLIGHT, FIRST = range(4)
"""The first cells of a slot; those with names follow."""
SPARE = CELLS - 64
"""From here on lie cells that nobody reads: what finds no room is counted in them."""

log = structlog.get_logger()


class Slot:
    """One process's numbers: the cells, then their names, each a line `[width, *name]` of JSON.

    It may be read, and its process killed, between any two steps: a cell changes at once, and a
    name is there when TEXT_END says so, which is written last.
    """

    def __init__(self, label: str, memory: memoryview) -> None:
        self.label = label
        self.cells: memoryview[float] = memory[: 8 * CELLS].cast("d")
        self._text = memory[8 * CELLS :]

    def names(self) -> Iterator[tuple[Name, int, int]]:
        """Each name, its first cell, and the one behind its last."""
        at = FIRST
        for line in bytes(self._text[: int(self.cells[TEXT_END])]).splitlines():
            width, *name = orjson.loads(line)
            yield tuple(name), at, at + width
            at += width

    def append(self, name: Name, at: int, width: int) -> bool:
        """Name the next cells; False where there is no room."""
        line = orjson.dumps([width, *name], option=orjson.OPT_APPEND_NEWLINE)
        start = int(self.cells[TEXT_END])
        end = start + len(line)
        if at + width > SPARE or end > TEXT_BYTES:
            return False
        self._text[start:end] = line
        self.cells[TEXT_END] = end
        return True


class Tallies:
    """The slots of a server, and the one in which this process counts.

    Until it takes a slot a process counts for itself, and so does each copy that is forked off it.
    Not thread-safe: who counts holds a lock.

    Args:
        slots: for how many processes there is room. Those that are not used cost no memory.
    """

    def __init__(self, slots: int) -> None:
        shared = memoryview(mmap.mmap(-1, slots * SLOT_BYTES))
        self._slots = [
            Slot(str(number), shared[number * SLOT_BYTES :][:SLOT_BYTES]) for number in range(slots)
        ]
        self._count_in(Slot("none", memoryview(bytearray(SLOT_BYTES))))

    def take(self, number: int) -> None:
        """Count in that slot from now on, and go on where its last owner stopped."""
        if number < len(self._slots):
            self._count_in(self._slots[number])
        else:
            log.warning("metrics: no room for one more worker, its figures are its own")
        self.report(0)

    def free(self, number: int) -> None:
        """Its owner is dead: what it counted stays, what it was doing has ended."""
        if number < len(self._slots):
            cells = self._slots[number].cells
            cells[OWNER] = cells[IN_FLIGHT] = 0

    def report(self, in_flight: int) -> None:
        """Say that this process lives, and how much it is doing now."""
        self._cells[OWNER], self._cells[IN_FLIGHT] = os.getpid(), in_flight

    def add(self, name: Name, amount: float = 1) -> None:
        """Count."""
        at = self._places.get(name)
        if at is None:
            at = self._place(name, 1)
        self._cells[at] += amount

    def observe(self, name: Name, value: float, bounds: Sequence[float]) -> None:
        """Count a value in its bucket: the first whose upper bound it does not pass, or the one
        behind them all. The sum comes last."""
        at = self._places.get(name)
        if at is None:
            at = self._place(name, len(bounds) + 2)
        self._cells[at + bisect_left(bounds, value)] += 1
        self._cells[at + len(bounds) + 1] += value

    def sums(self) -> dict[Name, list[float]]:
        """The cells of each name, added up over all processes, dead ones too."""
        found: dict[Name, list[float]] = {}
        for slot in self._all():
            for name, start, end in slot.names():
                values = slot.cells[start:end].tolist()
                before = found.get(name, [0.0] * len(values))
                found[name] = [one + other for one, other in zip(before, values, strict=True)]
        return found

    def in_flight(self) -> int:
        """How much all living processes are doing."""
        return sum(int(slot.cells[IN_FLIGHT]) for slot in self._all())

    def owners(self) -> dict[str, int]:
        """The living processes' ids by the labels of their slots."""
        return {slot.label: pid for slot in self._all() if (pid := int(slot.cells[OWNER]))}

    def _all(self) -> list[Slot]:
        return self._slots if self._own in self._slots else [*self._slots, self._own]

    def _count_in(self, slot: Slot) -> None:
        self._own, self._cells = slot, slot.cells
        self._places: dict[Name, int] = {}
        self._next = FIRST
        for name, start, self._next in slot.names():
            self._places[name] = start

    def _place(self, name: Name, width: int) -> int:
        if self._own.append(name, self._next, width):
            self._places[name] = self._next
            self._next += width
        else:
            if SPARE not in self._places.values():
                log.warning("metrics: no room for more names, some figures are left out")
            self._places[name] = SPARE
        return self._places[name]
