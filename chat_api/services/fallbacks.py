"""The next upstream where one fails, as long as the caller has seen nothing of an answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from chat_api.errors import (
    ChatApiError,
    InvalidRequest,
    KeyMissing,
    UpstreamBroken,
    UpstreamCoolingOff,
    UpstreamError,
    UpstreamRateLimited,
)
from chat_api.services.choice_parts import is_chunk
from chat_api.services.health import Health, is_the_callers
from chat_api.services.routing import Target
from chat_api.services.streams import Opened, size_of
from chat_api.upstreams.base import Event, EventStream

MOST_HELD_BYTES = 1_048_576
"""Of events before the first word: roles are a hundred bytes, and what says nothing has no end."""

T = TypeVar("T")

PassBy = Callable[[Target, ChatApiError], None]
"""Takes note of a target that failed while another is asked."""

OpenTarget = Callable[[Target, float], Opened]
"""Opens a stream at a target; its first events, [] when there were none until that moment."""


def awake(targets: Sequence[Target], health: Health) -> Sequence[Target]:
    """Those of the targets that do not cool off. Who is the only one is never left alone: there
    is nobody to ask instead.

    Raises:
        UpstreamCoolingOff: all of them do.
    """
    if len(targets) == 1:
        return targets
    waits = [health.cooling_seconds(target.upstream.name) for target in targets]
    found = [target for target in targets if health.lets_through(target.upstream.name)]
    if not found:
        raise UpstreamCoolingOff(min(waits))
    return found


def first_success(targets: Sequence[Target], ask: Callable[[Target], T], pass_by: PassBy) -> T:
    """What the first target gives that does not fail; the last one's failure when all do."""
    for target in targets[:-1]:
        try:
            return ask(target)
        except ChatApiError as error:
            if not another_may_help(error):
                raise
            pass_by(target, error)
    return ask(targets[-1])


def open_first(
    targets: Sequence[Target], open_target: OpenTarget, pass_by: PassBy, until: float
) -> Opened:
    """The stream of the first target that says something, and its first events."""
    events = FallbackStream(targets, open_target, pass_by)
    try:
        return events, events.read(until)
    except BaseException:
        events.close()
        raise


def another_may_help(error: ChatApiError) -> bool:
    """Not with a request that an upstream refused: it would be judged alike elsewhere. But with one
    that a target could not even send, for want of a key or of a word for something in it."""
    if isinstance(error, UpstreamRateLimited):
        return not error.callers_own
    if isinstance(error, UpstreamError):
        return not is_the_callers(error)
    return isinstance(error, KeyMissing | InvalidRequest)


class FallbackStream:
    """The stream of the first target that says something. What comes before any content (a chunk
    with the role) is held back: with another upstream it would come a second time. See
    `EventStream`."""

    def __init__(self, targets: Sequence[Target], open_target: OpenTarget, pass_by: PassBy) -> None:
        self.ended = False
        self._next = deque(targets[1:])
        self._target = targets[0]
        self._open_target = open_target
        self._pass_by = pass_by
        self._was_read = False
        self._events: EventStream | None = None
        self._held: list[Event] = []
        self._held_bytes = 0
        self._speaking: EventStream | None = None
        self._closed = False

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        if self._speaking is not None:
            batch = self._speaking.read(until)
            self.ended = self._speaking.ended
            return batch
        was_read, self._was_read = self._was_read, True
        while True:
            try:
                return self._first_words(until)
            except ChatApiError as error:
                if not self._next or self._closed or not another_may_help(error):
                    raise
                self._pass_by(self._target, error)
                self._turn_to_next()
                if was_read:
                    return []  # reaching the next one may take a while: time for a heartbeat

    def close(self) -> None:
        """See `EventStream.close`."""
        self._closed = True
        if self._events is not None:
            self._events.close()

    def _first_words(self, until: float) -> list[Event]:
        """The events up to the first content; [] when it did not come until then."""
        if self._events is None:
            self._events, batch = self._open_target(self._target, until)
            if self._closed:
                self._events.close()  # whoever closed us meanwhile did not know of it
        else:
            batch = self._events.read(until)
        while batch:
            self._held += batch
            if not all(is_chunk(event.data) for event in batch):
                raise UpstreamBroken("The upstream failed.")
            if any(map(_says_something, batch)):
                self._speaking, self.ended = self._events, self._events.ended
                return self._held
            self._held_bytes += size_of(batch)
            if self._held_bytes > MOST_HELD_BYTES:
                raise UpstreamBroken("The upstream sent too much before its first word.")
            if time.monotonic() >= until:
                return []  # events that say nothing are silence to the caller
            batch = self._events.read(until)
        if self._events.ended:
            raise UpstreamBroken("The upstream ended its stream before it began.")
        return []

    def _turn_to_next(self) -> None:
        self._target = self._next.popleft()
        self._held = []
        self._held_bytes = 0
        if self._events is not None:
            self._events.close()
            self._events = None


def _says_something(event: Event) -> bool:
    """Whether an event holds more than a role: text, a tool call, a thought, an end."""
    for choice in event.data["choices"]:
        if choice.get("finish_reason"):
            return True
        delta = choice.get("delta")
        words = {**delta, "role": None} if isinstance(delta, dict) else {}
        if any(words.values()):
            return True
    return False
