"""What Ollama answers to a chat, as it comes: events, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from chat_api.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from chat_api.upstreams.base import Call, Event
from chat_api.upstreams.bodies import check_encoding, read_error
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.json_values import loads
from chat_api.upstreams.ollama_reply import Chunks
from chat_api.upstreams.refusals import from_status

MAX_LINE_BYTES = 16_777_216


class OllamaEventStream:
    """The events of one streamed completion. See `EventStream`."""

    def __init__(self, call: Call, exchange: Exchange) -> None:
        self.ended = False
        options = call.body.get("stream_options") or {}
        self._chunks = Chunks(with_usage=options.get("include_usage") is True)
        self._model: str = call.body["model"]
        self._exchange = exchange
        self._rest = bytearray()  # a line may come in thousands of pieces
        self._failure: UpstreamBroken | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """See `UpstreamStream.headers`."""
        return self._exchange.headers

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        exchange = self._exchange
        if not exchange.wait_head(until):
            return []
        if exchange.status != 200:
            raise refusal(exchange, self._model)
        check_encoding(exchange.headers)
        while not self.ended:
            if self._failure:
                raise self._failure
            piece = exchange.read(until)
            if piece is None:
                return []
            events = self._feed(piece + b"\n" if exchange.ended else piece)
            self.ended = self._chunks.done or (exchange.ended and not self._failure)
            if events:
                return events
        return []

    def close(self) -> None:
        """See `EventStream.close`."""
        if self._chunks.done:
            self._exchange.finish()
        self._exchange.close()

    def _feed(self, piece: bytes) -> list[Event]:
        """The events of the lines that are whole with this piece, up to the first that is a
        failure: that one is `_failure` from then on."""
        self._rest += piece
        lines: list[bytearray] = []
        if b"\n" in piece:
            *lines, self._rest = self._rest.split(b"\n")
        events: list[Event] = []
        try:
            for line in lines:
                if line.strip() and not self._chunks.done:
                    events += self._chunks.feed(parsed(line))
            if len(self._rest) > MAX_LINE_BYTES:
                raise UpstreamBroken("The upstream sent a line that is too large.")
        except UpstreamBroken as failure:
            self._failure = failure
        return events


def refusal(exchange: Exchange, model: str) -> UpstreamError:
    """The error that an answer other than 200 to a chat stands for."""
    body = read_error(exchange)
    error = from_status(exchange.status, exchange.headers, body)
    # `server/routes.go`: {"error": "model 'x' not found"}; any other 404 is no Ollama's.
    if exchange.status == 404 and isinstance(body, dict) and "not found" in str(body.get("error")):
        name = model[:200]
        text = f"The model `{name}` is not on this Ollama. `ollama pull {name}` brings it."
        return UpstreamRefused(text, 404, "invalid_request_error", None, "model_not_found")
    return error


def parsed(data: bytes | bytearray) -> object:
    """The JSON in it.

    Raises:
        UpstreamBroken: it is none.
    """
    try:
        return loads(data)
    except orjson.JSONDecodeError as error:
        raise UpstreamBroken("The upstream's answer is not JSON, or nested too deeply.") from error
