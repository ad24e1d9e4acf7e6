"""Ollama, on its native API: `POST /api/chat`, `POST /api/embed` and `GET /api/tags`.

Its OpenAI door (`/v1`) cannot set `num_ctx` and leaves out what it does not know. The native API
streams JSON objects, one a line (`docs/api/streaming.mdx` in github.com/ollama/ollama); the last
one has `done: true`, and a failure midway is `{"error": "<text>"}` (`docs/api/errors.mdx`). What
goes in and out is translated in `ollama_request.py`, `ollama_reply.py` and
`ollama_embeddings.py`.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from collections.abc import Mapping

import httpx2
import orjson

from chat_api.errors import UpstreamTimeout
from chat_api.upstreams.base import (
    OPENAI_NAMES,
    Call,
    Completion,
    Embeddings,
    JsonObject,
)
from chat_api.upstreams.bodies import MAX_LISTING_BYTES, read_whole
from chat_api.upstreams.connection import Origin
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.ollama_embeddings import embed_request, embedding_list
from chat_api.upstreams.ollama_reply import completion, model_objects
from chat_api.upstreams.ollama_request import chat_request
from chat_api.upstreams.ollama_stream import OllamaEventStream, parsed, refusal
from chat_api.upstreams.parameters import AT_OLLAMA
from chat_api.upstreams.refusals import from_status
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller

LISTING_TIMEOUT_SECONDS = 5.0
PROBE_TIMEOUT_SECONDS = 0.2


class OllamaUpstream:
    """One Ollama server."""

    name = "ollama"
    provider = "Ollama"
    is_set_up = True
    answers_one_choice = True  # it ignores `n`
    ignores = AT_OLLAMA
    context_tokens = 4096  # what it gives a conversation when `num_ctx` is not set
    accepts_caller_keys = False
    # `gpt-oss` is one of these and of Ollama's library: where it is pulled it is listed, and
    # answers for itself.
    answers_for: tuple[str, ...] = OPENAI_NAMES
    implied_suffix = ":latest"
    retry_pause_seconds = 0.25

    def __init__(
        self,
        *,
        url: str,
        default_model: str,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self.default_model = default_model
        self._transport = Transport(
            Origin.of(url, proxies or {}),
            connect_timeout_seconds=connect_timeout_seconds,
            silence_timeout_seconds=timeout_seconds,
        )
        parts = httpx2.URL(url)
        root = parts.raw_path.rstrip(b"/")
        # Compressed, a stream could not be looked into.
        host = b"Host: %b\r\nAccept-Encoding: identity\r\n" % parts.netloc
        self._listing = b"GET %b/api/tags HTTP/1.1\r\n%b\r\n" % (root, host)
        posting = (
            b"POST %b/api/%b HTTP/1.1\r\n%bContent-Type: application/json\r\n"
            b"Accept: application/json, application/x-ndjson\r\n"
        )
        self._chat_head = posting % (root, b"chat", host)
        self._embed_head = posting % (root, b"embed", host)

    def complete(self, call: Call) -> Completion:
        """See `Upstream.complete`."""
        data = completion(self._ask(call, self._chat_head, chat_request(call.body, stream=False)))
        return Completion(orjson.dumps(data), data)

    def stream(self, call: Call) -> OllamaEventStream:
        """See `Upstream.stream`."""
        request = chat_request(call.body, stream=True)
        return OllamaEventStream(call, self._send(call, self._chat_head, request))

    def embed(self, call: Call) -> Embeddings:
        """See `Upstream.embed`."""
        return Embeddings(
            None, embedding_list(self._ask(call, self._embed_head, embed_request(call.body)))
        )

    def models(self) -> list[JsonObject]:
        """See `Upstream.models`."""
        until = time.monotonic() + LISTING_TIMEOUT_SECONDS
        with contextlib.closing(Exchange(self._transport, self._listing, Caller())) as exchange:
            if not exchange.wait_head(until):
                raise UpstreamTimeout("The upstream stayed silent for too long.")
            if exchange.status != 200:
                raise from_status(exchange.status, exchange.headers, None)
            return model_objects(parsed(read_whole(exchange, until, MAX_LISTING_BYTES)))

    def close(self) -> None:
        """See `Upstream.close`."""
        self._transport.close()

    def _ask(self, call: Call, head: bytes, request: JsonObject) -> object:
        """The whole answer, parsed."""
        with contextlib.closing(self._send(call, head, request)) as exchange:
            exchange.wait_head(float("inf"))
            if exchange.status != 200:
                raise refusal(exchange, call.body["model"])
            return parsed(read_whole(exchange, float("inf")))

    def _send(self, call: Call, head: bytes, request: JsonObject) -> Exchange:
        body = orjson.dumps(request)
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        return Exchange(self._transport, b"".join((head, length, body)), call.caller)


@functools.cache
def is_listening(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1, as Ollama does on 11434. Looked at once in
    a process: Gunicorn's configuration and the application must come to the same answer."""
    with socket.socket() as probe:
        probe.settimeout(PROBE_TIMEOUT_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0
