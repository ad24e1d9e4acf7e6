"""Streams of which something is stored when they are whole, before their end is told: who sees the
end can rely on it. One that is not stored ends with that failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chat_api.errors import ChatApiError
from chat_api.services.clients import CallRecord
from chat_api.services.streams import ChatStream


class KeptStream:
    """What such streams have in common; what they give and what they store is their own."""

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

    def close(self) -> None:
        """See `ChatStream.close`."""
        self._stream.close()

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        """Around what stores it: the upstream ended well, the call does not where that fails."""
        try:
            yield
        except ChatApiError as failure:
            self.record.outcome = type(failure).__name__
            raise
