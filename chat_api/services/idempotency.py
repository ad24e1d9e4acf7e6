"""Calls that their callers may make again without paying twice (`Idempotency-Key`)."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable

from chat_api.errors import (
    CallerGone,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    StoreUnavailable,
)
from chat_api.stores.base import IdempotencyStore, KeptReply
from chat_api.upstreams.waiting import Caller

BEAT_SECONDS = 10.0
"""A third of a lease: two beats may fail."""
LOOK_SECONDS = 0.05
"""How often one that joined looks for the end: a wait for its own caller is no wait for others."""
UNSETTLED_SECONDS = 900.0
"""For so long a reply is held here that the store did not take."""
MOST_UNSETTLED = 1_000
MOST_UNSETTLED_BYTES = 67_108_864
"""Such replies in this process, and their bodies in all: the oldest are given up for newer ones."""
KEPT_REFUSALS = (400, 404, 422)

Work = Callable[[], tuple[int, str, bytes]]
"""Makes a call: the status, content type and body of its reply."""


class Flight:
    """A call of this process under a key, and those who joined it."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.holder = secrets.token_hex(16)
        self.reply: KeptReply | None = None
        self.failure: BaseException | None = None
        self.ended = threading.Event()
        self.settled = threading.Event()
        """The store has it, or never will."""
        self.held_until = float("inf")


class Idempotency:
    """Makes each call once. Replies are kept for a day, by key; what may come out otherwise the
    next time (429, 5xx, an upstream's refusal) is told to those who joined and not kept."""

    def __init__(
        self,
        store: IdempotencyStore,
        *,
        beat_seconds: float = BEAT_SECONDS,
        most_unsettled: int = MOST_UNSETTLED,
        most_unsettled_bytes: int = MOST_UNSETTLED_BYTES,
    ) -> None:
        self._store = store
        self._beat_seconds = beat_seconds
        self._most_unsettled = most_unsettled
        self._most_unsettled_bytes = most_unsettled_bytes
        self._flights: dict[str, Flight] = {}
        self._unsettled: dict[str, int] = {}
        """The bytes of replies that the store did not take, by key, the oldest first."""

    def once(
        self, key: str, fingerprint: str, work: Work, caller: Caller
    ) -> tuple[KeptReply, bool]:
        """The reply of the work, and whether it was another's than this call's.

        Args:
            key: for all that it is scoped to.
            fingerprint: for the request: under one key there is one.
            work: makes the call; what it raises is passed on, and not kept.

        Raises:
            IdempotencyKeyReused, IdempotencyKeyInUse
            StoreUnavailable: nobody can say whether the call was made; it was not made now.
            CallerGone
        """
        while True:
            mine = Flight(fingerprint)
            flight = self._flights.setdefault(key, mine)
            if flight is mine:
                return self._lead(key, mine, work)
            if flight.fingerprint != fingerprint:
                raise IdempotencyKeyReused
            while not flight.ended.is_set():
                caller.wait(LOOK_SECONDS)
            if flight.reply is not None:
                return flight.reply, True
            if flight.failure is not None and not isinstance(flight.failure, CallerGone):
                raise flight.failure
            # Who made the call has left, and it was broken off: somebody else makes it.

    def _lead(self, key: str, flight: Flight, work: Work) -> tuple[KeptReply, bool]:
        """Make the call, or find that it was made elsewhere."""
        try:
            claim = self._store.claim(key, flight.fingerprint, flight.holder)
            if not claim.is_ours:
                if claim.fingerprint != flight.fingerprint:
                    raise IdempotencyKeyReused
                if claim.reply is None:
                    raise IdempotencyKeyInUse
                flight.reply = claim.reply
                self._forget(key, flight)
                return claim.reply, True
            threading.Thread(target=self._hold, args=(key, flight), daemon=True).start()
            flight.reply = self._made(key, flight, work)
            self._settle(key, flight, flight.reply)
            return flight.reply, False
        except BaseException as failure:
            flight.failure = failure
            self._forget(key, flight)
            raise
        finally:
            flight.ended.set()

    def _made(self, key: str, flight: Flight, work: Work) -> KeptReply:
        try:
            return KeptReply(*work())
        except BaseException:
            with contextlib.suppress(StoreUnavailable):  # then it frees itself
                self._store.release(key, flight.holder)
            raise

    def _settle(self, key: str, flight: Flight, reply: KeptReply) -> None:
        """Have the store keep the reply. Where it cannot, it is kept here and tried again: the
        caller has paid for it, and may ask for it once more."""
        try:
            if reply.status < 300 or reply.status in KEPT_REFUSALS:
                self._store.finish(key, flight.holder, reply)
            else:
                self._store.release(key, flight.holder)
        except StoreUnavailable:  # again and again, perhaps: the first time counts
            flight.held_until = min(flight.held_until, time.monotonic() + UNSETTLED_SECONDS)
            if self._flights.get(key) is flight:  # neither given up nor stored meanwhile
                self._unsettled.setdefault(key, len(reply.body))
                self._make_room()
            return
        self._forget(key, flight)

    def _make_room(self) -> None:
        """Give up the oldest replies where there are too many, or too large ones. Who asks for one
        of them again pays again, as behind a server that died."""
        held = self._unsettled
        while len(held) > self._most_unsettled or sum(held.values()) > self._most_unsettled_bytes:
            oldest = next(iter(held))
            self._forget(oldest, self._flights[oldest])

    def _hold(self, key: str, flight: Flight) -> None:
        """Keep others from the key while the call is under way, or its reply is in no store."""
        while not flight.settled.wait(self._beat_seconds):
            if time.monotonic() > flight.held_until:
                self._forget(key, flight)
                return
            with contextlib.suppress(StoreUnavailable):
                self._store.renew(key, flight.holder)
                if flight.reply is not None:
                    self._settle(key, flight, flight.reply)

    def _forget(self, key: str, flight: Flight) -> None:
        flight.settled.set()
        if self._flights.get(key) is flight:
            del self._flights[key]
            self._unsettled.pop(key, None)
