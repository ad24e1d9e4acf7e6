"""A streamed completion on its way: what is looked at, what is hidden, how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from chat_api.errors import CallerGone, ChatApiError, UpstreamBroken
from chat_api.services.choice_parts import MOST_CHOICES, is_chunk
from chat_api.services.clients import CallRecord
from chat_api.upstreams.base import Call, Event, EventStream, JsonObject, Upstream

FOREVER = float("inf")

Opened = tuple[EventStream, list[Event]]
"""A stream and its first events; [] when the time for them ended before they came."""


def size_of(events: list[Event]) -> int:
    """How many bytes they are."""
    return sum(len(event.raw or orjson.dumps(event.data)) for event in events)


def open_stream(upstream: Upstream, call: Call, until: float, record: CallRecord) -> Opened:
    """A stream and its first events; [] when they did not come until then. The record gets the
    headers that came with them."""
    events = upstream.stream(call)
    try:
        first = events.read(until)
        if events.ended and not first:
            raise UpstreamBroken("The upstream ended its stream before it began.")
        if first and not is_chunk(first[0].data):
            raise UpstreamBroken("The upstream failed.")  # no header has left: a real status
        record.upstream_headers = events.headers
        return events, first
    except BaseException:
        events.close()
        raise


class ChatStream:
    """The events of one answer, in the batches in which they came.

    Iterating gives lists of events; an empty list means that the caller has been given nothing for
    `heartbeat_seconds`, or that the grace for the first piece is over. It ends when the answer
    is whole, and raises `UpstreamError` when it is not, `CallerGone` when nobody listens any
    more. Close it in any case: a generator that was never started does not run its `finally`.
    """

    def __init__(
        self,
        events: EventStream,
        first: list[Event],
        *,
        record: CallRecord,
        shows_usage: bool,
        heartbeat_seconds: float,
        on_close: Callable[[ChatApiError | None], None],
    ) -> None:
        self.record = record
        self.usage: JsonObject | None = None
        self.model: str | None = None
        """The model that the upstream says is answering."""
        self._events = events
        self._first = first
        self.shows_usage = shows_usage
        """Whether the caller asked for it. Who did not is told none: an event that says nothing
        else is left out here, and `usage` beside other things where it is written."""
        self.heartbeat_seconds = heartbeat_seconds or FOREVER
        """The longest silence towards the caller."""
        self.is_heard = True
        """Who passes nothing of a batch on makes this False: to the caller the silence goes on,
        however much the upstream says."""
        self._on_close = on_close
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._failure: ChatApiError | None = None
        self._closed = False
        self.is_whole = False
        """Whether the events that were given out last end the answer, and all is well."""

    def __iter__(self) -> Iterator[list[Event]]:
        events = self._events
        batch = self._first
        silence_ends = time.monotonic() + self.heartbeat_seconds
        try:
            while True:
                self.is_heard = True
                if batch:
                    shown = self._look(batch)
                    self.is_whole = events.ended and self._ends_well()
                    self.is_heard = shown != []
                    if shown:
                        yield shown
                    if self._failure:
                        raise self._failure
                elif not events.ended:
                    yield []
                if events.ended:
                    break
                now = time.monotonic()
                if self.is_heard:  # else the wait is not begun anew
                    silence_ends = now + self.heartbeat_seconds
                batch = events.read(silence_ends) if now < silence_ends else []
            if not self._ends_well():
                raise UpstreamBroken("The upstream broke off in the middle of its answer.")
            self.record.outcome = "ok"
        except ChatApiError as failure:
            self.failed(failure)
            raise
        finally:
            self.close()

    def failed(self, failure: ChatApiError) -> ChatApiError:
        """Note what the reader of a stream finds wrong with it, which then is its failure."""
        self._failure = failure
        self.record.outcome = type(failure).__name__
        return failure

    def close(self) -> None:
        """Let go of the upstream. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self.record.outcome is None:  # closed before the end: nobody listens any more
            self._failure = CallerGone("the caller left")
            self.record.outcome = CallerGone.__name__
        try:
            self._events.close()
        finally:
            self._on_close(self._failure)
        self.record.book(self.usage)

    def _ends_well(self) -> bool:
        """Whether all answers that began have ended, at least one, and nothing failed."""
        return bool(self._finished) and not self._open and self._failure is None

    def _look(self, batch: list[Event]) -> list[Event]:
        """The events that the caller may see, and which answers are under way and which have ended
        with them; `_failure` is set when one of them is an error."""
        shown: list[Event] = []
        under_way, finished = self._open, self._finished
        try:
            for event in batch:
                _, data = event
                for choice in data["choices"]:
                    index = choice.get("index", 0)
                    if choice.get("finish_reason"):
                        finished.add(index)
                        under_way.discard(index)
                    elif index not in under_way and index not in finished:
                        under_way.add(index)
                    else:  # nearly all events
                        continue
                    if len(finished) + len(under_way) > MOST_CHOICES:
                        raise KeyError("index")
                if data.get("error"):
                    raise KeyError("error")
                if (usage := data.get("usage")) and self._is_hidden(data, usage):
                    continue
                shown.append(event)
        except (KeyError, TypeError, AttributeError):  # no chunk of a chat completion
            # The upstream's own words on a failure midway may hold what is not for callers.
            self._failure = UpstreamBroken("The upstream failed in the middle of its answer.")
        if self.model is None:
            names = (event.data.get("model") for event in shown)
            self.model = next((name for name in names if type(name) is str), None)
        return shown

    def _is_hidden(self, data: JsonObject, usage: Any) -> bool:
        """Keep the usage that an event tells; whether it says nothing else, to a caller who asked
        for none."""
        if type(usage) is dict:
            self.usage = usage
        return not (data["choices"] or self.shows_usage)
