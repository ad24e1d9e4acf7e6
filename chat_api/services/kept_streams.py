"""Streams of which something is stored when they are whole, before their end is told: who sees the
end can rely on it. One that is not stored ends with that failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chat_api.errors import ChatApiError, UpstreamBroken
from chat_api.services.clients import CallRecord
from chat_api.services.streams import ChatStream, size_of
from chat_api.upstreams.base import Event
from chat_api.upstreams.bodies import MAX_REPLY_BYTES


def within_bounds(stream: ChatStream) -> Iterator[list[Event]]:
    """The batches of a stream of which all is kept until its end: an upstream that finds none must
    not fill the memory.

    Raises:
        UpstreamBroken: its events are larger than a whole answer may be.
    """
    size = 0
    for events in stream:
        size += size_of(events)
        if size > MAX_REPLY_BYTES:
            raise stream.failed(UpstreamBroken("The upstream's answer is too large."))
        yield events


class KeptStream:
    """What such streams have in common; what they give and what they store is their own."""

    is_whole = False
    """As `ChatStream.is_whole`: with the last events nothing is stored yet."""

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    @property
    def record(self) -> CallRecord:
        """See `ChatStream.record`."""
        return self._stream.record

    @property
    def heartbeat_seconds(self) -> float:
        """See `ChatStream.heartbeat_seconds`."""
        return self._stream.heartbeat_seconds

    @property
    def is_heard(self) -> bool:
        """See `ChatStream.is_heard`."""
        return self._stream.is_heard

    @is_heard.setter
    def is_heard(self, value: bool) -> None:
        self._stream.is_heard = value

    def close(self) -> None:
        """See `ChatStream.close`."""
        self._stream.close()

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        """Around what stores it: the upstream ended well, the call does not where that fails."""
        try:
            yield
        except ChatApiError as failure:
            self._stream.failed(failure)
            raise
