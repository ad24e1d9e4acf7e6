"""Counting what Python does, instead of taking the time: each run and machine counts the same."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """What some work did: functions called, those written in C too, and instructions of Python's
    interpreter. What happens inside of C is not seen."""

    calls: float
    instructions: float


def cost_of(work: Callable[[], Any]) -> Cost:
    """Do the work twice and count. Caches must be warm."""
    gc.collect()
    gc.disable()  # it would call finalizers at any time
    try:
        return Cost(count_calls(work), count_instructions(work))
    finally:
        gc.enable()


def count_calls(
    work: Callable[[], Any], note: Callable[[FrameType], None] = lambda frame: None
) -> int:
    """How many functions were called; `note` is told of each with the frame that runs then: of a
    function in Python its own, of one in C its caller's."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "call" or event == "c_call":
            count += 1
            note(frame)

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count - 1  # the one that ended it


def count_instructions(work: Callable[[], Any]) -> int:
    """How many instructions were executed."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return on_event

    before = sys.gettrace()
    sys.settrace(on_event)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
