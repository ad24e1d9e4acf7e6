"""How many calls a caller may make in a minute, and what happens when nobody can count them."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from hashlib import blake2b

import structlog
from limits import RateLimitItemPerMinute

from chat_api.errors import StoreUnavailable
from chat_api.services.limit_checks import TURN_SECONDS, LimitChecks, Verdict
from chat_api.stores.base import LimitStore

API_REQUESTS_PER_MINUTE = 600
"""On `/api/*`, where nothing else is set."""
REST_SECONDS = 1.0
"""For so long a store that failed is left alone: its time-out is not added to every call."""
LOG_EVERY_SECONDS = 5.0

log = structlog.get_logger()


class Use(Enum):
    """What a call does to its caller's limit."""

    COUNTS = auto()
    SHOWS = auto()
    """Its reply tells how much is left; it takes none of it, and is never refused."""


class Limiter:
    """The limit of this server: one moving window of a minute for each caller.

    It fails open. While its store is away, slow or talks nonsense calls pass uncounted and nobody
    is told of limits; the log is, every few seconds. (Keys fail closed: `web.auth`.) Only those
    whose window is known to be full are refused all the same, and too many calls are no failure
    of the store (`limit_checks`).

    Args:
        store: None where there are no limits.
        requests_per_minute: the calls of a caller that spend tokens; None limits those of `/api`
            instead.
        clock: seconds, from whenever.
        turn_seconds: as `LimitChecks` has it.
    """

    def __init__(
        self,
        store: LimitStore | None,
        requests_per_minute: int | None,
        clock: Callable[[], float] = time.monotonic,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self.failures = 0
        """Calls that passed uncounted since the start of this process."""
        self.store = store
        self._requests_per_minute = requests_per_minute
        amount = API_REQUESTS_PER_MINUTE if requests_per_minute is None else requests_per_minute
        item = RateLimitItemPerMinute(amount, namespace="requests")
        self._checks = LimitChecks(store, item, clock, turn_seconds) if store else None
        self._clock = clock
        self._is_down = False
        self._rests_until = 0.0
        self._silent_until = 0.0
        self._unlogged = 0

    def use(self, *, is_api: bool, spends_tokens: bool) -> Use | None:
        """What calls of a route do; None where they have no limit.

        Args:
            is_api: whether the route is below `/api`.
        """
        if self.store is None:
            return None
        if self._requests_per_minute is None:
            return Use.COUNTS if is_api else None
        if spends_tokens:
            return Use.COUNTS
        return Use.SHOWS if is_api else None

    def check(self, caller: str, use: Use) -> Verdict | None:
        """Count a call.

        Args:
            caller: as `caller_of` names it.

        Returns:
            None when nothing can be said: the call passes.

        Raises:
            Overloaded: the store is well, but it cannot be asked about all who come now.
        """
        if self._checks is None:
            return None
        counts = use is Use.COUNTS
        if verdict := self._checks.remembered(caller, counts):
            return verdict
        now = self._clock()
        if now < self._rests_until:
            self._passes(None)
            return None
        if self._is_down:
            self._rests_until = now + REST_SECONDS  # this call tries; those beside it need not
        try:
            verdict = self._checks.ask(caller, counts)
        except StoreUnavailable as error:
            self._passes(error)
            return None
        self._is_down, self._rests_until = False, 0.0
        return verdict

    def readiness(self) -> tuple[bool, str]:
        """Whether the last call could be counted, and by what."""
        return not self._is_down, self.store.name if self.store else "off"

    def _passes(self, error: StoreUnavailable | None) -> None:
        """Note a call that passes uncounted. `error` is None where it was not even tried."""
        now = self._clock()
        self.failures += 1
        self._unlogged += 1
        if error is None:
            return
        self._is_down, self._rests_until = True, now + REST_SECONDS
        if now >= self._silent_until:
            self._silent_until = now + LOG_EVERY_SECONDS
            cause = type(error.__cause__).__name__
            log.error("limiter", uncounted=self._unlogged, cause=cause)
            self._unlogged = 0


def caller_of(owner: str, peer: str) -> str:
    """Whose window a call goes by: that of the key that opened it (`owner`), else of the peer's
    address. A hash, so that the store need not hold either as it is. It hides no address from who
    reads the store and tries them all: of IPv4 there are few enough."""
    whose = f"key {owner}" if owner else f"peer {peer}"
    return blake2b(whose.encode(), digest_size=16).hexdigest()
