"""Streams of several answers: from one call for each, or from one call and what it lacked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from chat_api.errors import UpstreamBroken
from chat_api.services.choice_parts import call_for_one, choices_of, is_chunk, summed
from chat_api.services.parallel import Branches, Emit, Task
from chat_api.services.streams import Opened
from chat_api.upstreams.base import Call, Event, JsonObject
from chat_api.upstreams.waiting import Caller

FOREVER = float("inf")

OpenOne = Callable[[Call], Opened]
"""Makes one call, and tries again where that helps."""


class JoinedStream:
    """One call for each index, as one stream of events: one `id`, one `created`, one usage.
    See `EventStream`.

    Args:
        like: a chunk that came before, whose `id` and `created` go on.
        spent: the usage of what came before.
    """

    def __init__(
        self,
        open_one: OpenOne,
        call: Call,
        indexes: Sequence[int],
        like: JsonObject | None = None,
        spent: Any = None,
    ) -> None:
        self.ended = False
        self._indexes = indexes
        self._identity = _identity(like) if like else None
        self._last = like or {}
        self._usages: dict[int, Any] = {-1: spent} if spent else {}
        tasks = [_streamed(open_one, call, index) for index in indexes]
        self._branches: Branches[list[Event]] = Branches(call.caller, tasks)

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        found: list[Event] = []
        while not found and not self.ended:
            arrived = self._branches.read(until)
            for number, batch in arrived:
                for event in batch:
                    found += self._join(event, self._indexes[number])
            if self._branches.ended:
                self.ended = True
                if usage := summed(self._usages.values()):
                    found.append(Event(None, {**self._last, "choices": [], "usage": usage}))
            elif not arrived:
                break  # the time is over
        return found

    def close(self) -> None:
        """See `EventStream.close`."""
        self._branches.close()

    def _join(self, event: Event, index: int) -> list[Event]:
        """What becomes of an event of one call: nothing, where it only tells the usage."""
        data = event.data
        choices = data.get("choices")
        if not is_chunk(data):
            return [event]  # whoever reads us knows what that means
        self._identity = self._identity or _identity(data)
        joined = {**data, **self._identity}
        if usage := data.get("usage"):
            self._usages[index] = usage
            self._last = joined
        if "usage" in data:
            joined["usage"] = None
        if choices:
            joined["choices"] = [{**choices[0], "index": index}]
        return [] if usage and not choices else [Event(None, joined)]


class FilledStream:
    """A stream that is to give all `n` answers, and further calls for those that it did not.
    Its events are the upstream's own. See `EventStream`."""

    def __init__(self, open_one: OpenOne, call: Call, n: int) -> None:
        self.ended = False
        self._open_one = open_one
        self._call = call
        self._n = n
        self._opened, self._first = open_one(call)
        self._further: JoinedStream | None = None
        self._unfinished: set[int] = set()
        self._finished: set[int] = set()
        self._last: JsonObject = {}
        self._spent: Any = None
        self._held: list[Event] = []
        """The usage, until it is known to be the last word."""

    def take_first(self, until: float) -> list[Event]:
        """The events that came with the opening; [] when none did."""
        if not self._first:
            return []
        return self._take(self._first) or self.read(until)

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        while self._further is None:
            batch = self._opened.read(until)
            shown = self._take(batch)
            if shown or self.ended:
                return shown
            # As often as an upstream tells nothing but its usage: no call of itself.
            if not self._opened.ended and (not batch or time.monotonic() >= until):
                return []
        events = self._further.read(until)
        self.ended = self._further.ended
        return events

    def close(self) -> None:
        """See `EventStream.close`."""
        self._opened.close()
        if self._further is not None:
            self._further.close()

    def _take(self, batch: list[Event]) -> list[Event]:
        """What is shown of a batch. With its end the stream has ended, or further calls begin."""
        shown = [event for event in batch if not self._hold(event)]
        if not self._opened.ended:
            return shown
        missing = [index for index in range(self._n) if index not in self._finished]
        if not missing or self._unfinished or not self._finished:
            self.ended = True  # well, or broken: an answer without its end tells which
            return shown + self._held
        self._further = JoinedStream(self._open_one, self._call, missing, self._last, self._spent)
        return shown

    def _hold(self, event: Event) -> bool:
        """Note what an event says, and hold it back if it tells the usage only."""
        data = event.data
        if not is_chunk(data):
            return False
        self._last = data
        for index, choice in choices_of(data).items():
            if choice.get("finish_reason"):
                self._finished.add(index)
                self._unfinished.discard(index)
            elif index not in self._finished:
                self._unfinished.add(index)
        if not data.get("usage"):
            return False
        self._spent = data["usage"]
        if not data["choices"]:
            self._held = [event]
        return not data["choices"]


def _streamed(open_one: OpenOne, call: Call, index: int) -> Task[list[Event]]:
    """A branch that streams one answer."""

    def task(caller: Caller, emit: Emit[list[Event]]) -> None:
        events, batch = open_one(call_for_one(call, index, caller))
        finished = False
        try:
            while batch or not events.ended:
                if batch:
                    finished = finished or any(map(_finishes, batch))
                    emit(batch)
                batch = [] if events.ended else events.read(FOREVER)
        finally:
            events.close()
        if not finished:
            raise UpstreamBroken("The upstream broke off in the middle of its answer.")

    return task


def _finishes(event: Event) -> bool:
    data = event.data
    return is_chunk(data) and any(choice.get("finish_reason") for choice in data["choices"])


def _identity(data: JsonObject) -> JsonObject:
    return {"id": data.get("id"), "created": data.get("created")}
