"""The events of a background response, for whoever comes to see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from chat_api.errors import ChatApiError, InvalidRequest
from chat_api.services.clients import Client
from chat_api.services.response_turns import failure_code
from chat_api.services.streams import FOREVER
from chat_api.stores.response_base import StoredResponse
from chat_api.upstreams.base import JsonObject

LAST = ("response.completed", "response.failed", "response.incomplete")
"""Whoever ends a run stores one of them with the end; nothing comes behind it."""
RUNNING = ("queued", "in_progress")
POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""How often a silent run is looked at: has it ended, has its worker died?"""
MOST_EVENTS = 500


class EventReplay:
    """The events of a background response, those that were and those that come; [] while there are
    none. Leaving it stops nothing.

    Args:
        read: finds the events behind a number, so many at most; None where the response is gone.
        look: finds the response; one whose worker has died has ended.
        after: the number of the last event that is not wanted.
        heartbeat_seconds: longest silence, 0 for no bound.
        is_padded: whether events keep the padding that they were made with.
    """

    is_whole = False
    """As `ChatStream.is_whole`: nothing is said behind its events."""
    is_heard = True
    """As `ChatStream.is_heard`: something is written of each of its events."""

    def __init__(
        self,
        read: Callable[[int, int], list[JsonObject] | None],
        look: Callable[[], StoredResponse | None],
        client: Client,
        after: int,
        heartbeat_seconds: float,
        *,
        is_padded: bool,
    ) -> None:
        self.record = client.record
        self.heartbeat_seconds = heartbeat_seconds or FOREVER
        self._read_behind = read
        self._look = look
        self._caller = client.caller
        self._after = after
        self._is_padded = is_padded

    def __iter__(self) -> Iterator[list[JsonObject]]:
        look_at = 0.0
        spoke_at = time.monotonic()
        while True:
            if events := self._read():
                yield events
                if events[-1]["type"] in LAST:
                    return
                spoke_at = time.monotonic()
                continue
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK_SECONDS
                if self._has_ended():
                    while events := self._read():  # a long end may be several batches
                        yield events
                    return
            if now - spoke_at >= self.heartbeat_seconds:
                spoke_at = now
                yield []
            self._caller.wait(POLL_SECONDS)

    def _read(self) -> list[JsonObject]:
        events = self._read_behind(self._after, MOST_EVENTS)
        if events is None:
            raise InvalidRequest("The response was deleted meanwhile.")
        for event in events:
            self._after = event["sequence_number"]
            if not self._is_padded:
                event.pop("obfuscation", None)
        return events

    def _has_ended(self) -> bool:
        found = self._look()
        if found is None:
            raise InvalidRequest("The response was deleted meanwhile.")
        return found.body["status"] not in RUNNING

    def fail(self, error: ChatApiError) -> list[JsonObject]:
        """What is told where the events cannot be read any more. The response goes on."""
        return [
            {
                "type": "error",
                "sequence_number": self._after + 1,
                "code": failure_code(error),
                "message": str(error),
                "param": None,
            }
        ]

    def close(self) -> None:
        """Nothing is open."""
