"""The events of a completion that an OpenAI-compatible server streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chat_api.errors import UpstreamError
from chat_api.upstreams.base import Event
from chat_api.upstreams.bodies import check_encoding
from chat_api.upstreams.events import EventDecoder
from chat_api.upstreams.exchange import Exchange


class OpenAIEventStream:
    """The events of one streamed completion. See `EventStream`.

    Args:
        refusal: makes the error that an answer other than 200 stands for.
    """

    def __init__(self, exchange: Exchange, refusal: Callable[[Exchange], UpstreamError]) -> None:
        self.ended = False
        self._exchange = exchange
        self._refusal = refusal
        self._decoder = EventDecoder()

    @property
    def headers(self) -> Mapping[str, str]:
        """See `UpstreamStream.headers`."""
        return self._exchange.headers

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        exchange = self._exchange
        if self._decoder.failure:
            raise self._decoder.failure
        if not exchange.wait_head(until):
            return []
        if exchange.status != 200:
            raise self._refusal(exchange)
        check_encoding(exchange.headers)
        while not self.ended:
            piece = exchange.read(until)
            if piece is None:
                return []
            events = self._decoder.feed(piece) if piece else []
            if exchange.ended:
                events += self._decoder.end()
            failure = self._decoder.failure
            self.ended = (exchange.ended or self._decoder.done) and not failure
            if events:
                return events
            if failure:
                raise failure
        return []

    def close(self) -> None:
        """See `EventStream.close`."""
        if self._decoder.done:
            self._exchange.finish()
        self._exchange.close()
