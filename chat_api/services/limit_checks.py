"""Checks of rate limits on their way to the store: few trips, however many calls come at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from limits import RateLimitItem

from chat_api.errors import Overloaded, StoreUnavailable
from chat_api.stores.base import LimitStore, Window

AT_ONCE = 4
"""Trips to the store that are under way at the same time. Few enough for its thread, or its pool of
connections, to take them without a queue: when one of them fails, it is the store that failed."""
TURN_SECONDS = 5.0
"""Long enough for thousands of callers who come at once to be counted, each of them."""
MOST_REMEMBERED = 10_000
"""Callers whose window is known to be full: 2 MB. For more of them the store is asked again."""


class Verdict(NamedTuple):
    """What a caller is told of its limit."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float
    """Until there is room for one call more than now; 0 where the whole limit is left."""


class Trip:
    """The checks of one caller that go to the store together."""

    def __init__(self) -> None:
        self.counting = 0
        """How many of them want to be counted."""
        self.window: Window | None = None
        """None where there was no answer."""
        self.is_crowded = False
        """Whether that is since too many others wanted one."""
        self.cause: BaseException | None = None
        """Why else."""
        self.ended = threading.Event()


class LimitChecks:
    """Asks a store, and no more often than it must.

    - Checks of a caller that wait for their turn at the same time make one trip, which takes as
      many entries as they want and as there is room for.
    - A caller whose window is full is refused from memory until its first entry leaves: there
      cannot be room sooner.

    So a flood from one caller costs a few trips, and does not look like a store that fails.

    Args:
        item: the limit, as the `limits` library has it.
        clock: seconds, from whenever.
        turn_seconds: how long a trip waits for its turn.
    """

    def __init__(
        self,
        store: LimitStore,
        item: RateLimitItem,
        clock: Callable[[], float] = time.monotonic,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._store = store
        self._item = item
        self._clock = clock
        self._turn_seconds = turn_seconds
        self._lock = threading.Lock()
        self._waiting: dict[str, Trip] = {}
        """By caller: the trip that its next check may join."""
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._answers = 0
        self._failure: StoreUnavailable | None = None
        """The last one."""
        self._full_until: dict[str, float] = {}
        """By caller, those that were learned last at the end."""

    def remembered(self, caller: str, counts: bool) -> Verdict | None:
        """The verdict where the caller's window is known to be full."""
        seconds = self._full_until.get(caller, 0.0) - self._clock()
        return Verdict(not counts, self._item.amount, 0, seconds) if seconds > 0 else None

    def ask(self, caller: str, counts: bool) -> Verdict:
        """Count a call, or only look.

        Raises:
            StoreUnavailable: nothing can be said.
            Overloaded: the store is well, but there are too many callers to ask it about each.
        """
        with self._lock:
            trip = self._waiting.get(caller)
            leads = trip is None
            if trip is None:
                trip = self._waiting[caller] = Trip()
            seat = trip.counting
            trip.counting += counts
        if leads:
            self._make(trip, caller)
        else:
            trip.ended.wait()
        if trip.is_crowded:
            raise Overloaded("This server has all hands full. Please try again.")
        if trip.window is None:
            raise StoreUnavailable from trip.cause
        return self._verdict(trip.window, seat if counts else None)

    def _make(self, trip: Trip, caller: str) -> None:
        """Make a trip for all who join it until it departs. However it ends, they hear of it."""
        answers, failure = self._answers, self._failure
        try:
            if not self._turns.acquire(timeout=self._turn_seconds):
                # While others are answered the store is well. One that answers nobody hangs.
                trip.is_crowded = self._answers > answers
                trip.cause = TimeoutError("the store answers nobody")
                return
            try:
                self._depart(trip, caller)
                if self._failure is failure:
                    self._take(trip, caller)
                else:  # meanwhile: nobody waits behind the same failure again
                    trip.cause = self._failure and self._failure.__cause__
            except StoreUnavailable as error:  # noted before somebody else has the turn
                self._failure, trip.cause = _bare(error), error.__cause__
            finally:
                self._turns.release()
        finally:
            self._depart(trip, caller)
            trip.ended.set()

    def _depart(self, trip: Trip, caller: str) -> None:
        with self._lock:
            if self._waiting.get(caller) is trip:
                del self._waiting[caller]

    def _take(self, trip: Trip, caller: str) -> None:
        limit, seconds, now = self._item.amount, self._item.get_expiry(), self._clock()
        found = self._store.window(self._item.key_for(caller), limit, seconds, trip.counting)
        self._answers += 1
        # Another process's clock may be a little ahead of ours.
        trip.window = found._replace(room_in=min(found.room_in, seconds))
        if found.used < limit:
            return
        with self._lock:
            self._full_until.pop(caller, None)
            self._full_until[caller] = now + trip.window.room_in
            if len(self._full_until) > MOST_REMEMBERED:
                del self._full_until[next(iter(self._full_until))]

    def _verdict(self, window: Window, seat: int | None) -> Verdict:
        """Args: seat: which of those that wanted to be counted; None for one that looked."""
        limit, used = self._item.amount, window.used
        if seat is not None:
            used -= window.granted - 1 - seat  # what it was when that one's turn had come
        allowed = seat is None or seat < window.granted
        return Verdict(allowed, limit, max(0, limit - used), window.room_in)


def _bare(failure: StoreUnavailable) -> StoreUnavailable:
    """It and its causes without their tracebacks: those would keep the whole call alive that met
    it, with its caller's key."""
    each: BaseException | None = failure
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return failure
