"""Answers that cost too much to be worked out for everybody who asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """What a function returned a moment ago; it is asked anew when that is `seconds` old, by one
    caller at a time.

    Those who come beside it get the answer before. Where there is none yet they wait for it, so
    the function must neither hang nor raise.
    """

    def __init__(self, function: Callable[[], T], seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._asking = threading.Lock()
        self._answers: list[T] = []  # the last one, if any
        self._until = 0.0

    def get(self) -> T:
        """The answer."""
        if not self._is_fresh() and self._asking.acquire(blocking=not self._answers):
            try:
                if not self._is_fresh():  # as it is for who had to wait
                    self._answers = [self._function()]
                    self._until = time.monotonic() + self._seconds
            finally:
                self._asking.release()
        return self._answers[0]

    def _is_fresh(self) -> bool:
        return time.monotonic() < self._until
