"""OpenAI, and every server that speaks its protocol.

The SDK's client object is the one description of an upstream: it holds the key, the base URL
and the default headers. What is on the hot path is made from its public attributes and goes
over our own transport; the rest (listing models, say) the SDK does itself.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Mapping
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import openai
import orjson

from chat_api.errors import KeyMissing, UpstreamBroken, UpstreamError, UpstreamTimeout
from chat_api.upstreams.base import Call, Completion, Embeddings, JsonObject
from chat_api.upstreams.bodies import MAX_LISTING_BYTES, read_error, read_whole
from chat_api.upstreams.connection import Origin
from chat_api.upstreams.embeddings import embedding_list, embedding_refusal
from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.json_values import loads
from chat_api.upstreams.openai_request import (
    COMPLETIONS,
    EMBEDDINGS,
    MODELS,
    Heads,
    authorization,
    request_heads,
)
from chat_api.upstreams.openai_stream import OpenAIEventStream
from chat_api.upstreams.parameters import NONE, Ignored
from chat_api.upstreams.refusals import from_sdk, from_status
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller

CONTEXT_TOKENS = 128_000
"""What OpenAI's chat models take at least."""
OPENAI_URL = "https://api.openai.com/v1"
LISTING_TIMEOUT_SECONDS = 5.0


class OpenAIUpstream:
    """One OpenAI-compatible upstream."""

    is_set_up = True
    implied_suffix = ""

    def __init__(
        self,
        *,
        name: str,
        provider: str,
        default_model: str,
        base_url: str | None,
        api_key: str | None,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        proxies: Mapping[str, str] | None = None,
        accepts_caller_keys: bool = False,
        answers_for: tuple[str, ...] = (),
        answers_one_choice: bool = False,
        ignores: Ignored = NONE,
        context_tokens: int = CONTEXT_TOKENS,
        retry_pause_seconds: float = 0.25,
    ) -> None:
        self.name = name
        self.provider = provider
        self.default_model = default_model
        self.accepts_caller_keys = accepts_caller_keys
        self.answers_for = answers_for
        self.answers_one_choice = answers_one_choice
        self.ignores = ignores
        self.context_tokens = context_tokens
        self.retry_pause_seconds = retry_pause_seconds
        origin = Origin.of(base_url or OPENAI_URL, proxies or {})
        # The SDK follows redirects and retries by default; a redirect would carry the prompt,
        # and its retries would multiply ours. A key must be set for the client to be made.
        self._client = openai.OpenAI(
            api_key=api_key or "none",
            base_url=base_url or OPENAI_URL,
            max_retries=0,
            http_client=httpx2.Client(
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # kept for nobody
                timeout=httpx2.Timeout(timeout_seconds, connect=connect_timeout_seconds),
                trust_env=False,  # the proxy is the transport's, not one of its own finding
                proxy=origin.proxy,
                # Without TLS a context that trusts nobody: the default one takes 45 ms to load.
                verify=origin.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            ),
        )
        self._api_key = api_key
        self._wants_key = base_url is None  # other servers may do without one
        self._transport = Transport(
            origin,
            connect_timeout_seconds=connect_timeout_seconds,
            silence_timeout_seconds=timeout_seconds,
        )
        self._completions = request_heads(self._client, COMPLETIONS)
        self._embeddings = request_heads(self._client, EMBEDDINGS)
        self._listing = request_heads(self._client, MODELS)

    def complete(self, call: Call) -> Completion:
        """See `Upstream.complete`."""
        exchange = self._send(call, self._completions)
        try:
            exchange.wait_head(float("inf"))
            if exchange.status != 200:
                raise self._refusal(exchange, call.caller_key)
            raw = read_whole(exchange, float("inf"))
            return Completion(raw, _completion(raw), exchange.headers)
        finally:
            exchange.close()

    def stream(self, call: Call) -> OpenAIEventStream:
        """See `Upstream.stream`."""
        refusal = partial(self._refusal, callers_key=call.caller_key)
        return OpenAIEventStream(self._send(call, self._completions), refusal)

    def embed(self, call: Call) -> Embeddings:
        """See `Upstream.embed`."""
        with contextlib.closing(self._send(call, self._embeddings)) as exchange:
            exchange.wait_head(float("inf"))
            if exchange.status != 200:
                refusal = self._refusal(exchange, call.caller_key)
                raise embedding_refusal(self.name, exchange.status, refusal)
            raw = read_whole(exchange, float("inf"))
            return Embeddings(raw, embedding_list(raw), exchange.headers)

    def models(self) -> list[JsonObject]:
        """See `Upstream.models`."""
        if self._api_key is None and self._wants_key:
            return []  # it is there for callers who bring a key, and offers nothing by itself
        until = time.monotonic() + LISTING_TIMEOUT_SECONDS
        raw = b""
        try:
            # Its time-out is that of each read: a list that trickles in would never end.
            listing = self._client.models.with_streaming_response
            with listing.list(timeout=LISTING_TIMEOUT_SECONDS) as reply:
                for piece in reply.iter_bytes():
                    raw += piece
                    if len(raw) > MAX_LISTING_BYTES:
                        raise UpstreamBroken("The upstream's list of models is too large.")
                    if time.monotonic() > until:
                        raise UpstreamTimeout("The upstream took too long to list its models.")
        except openai.OpenAIError as error:
            raise from_sdk(error, (self._api_key,)) from error
        except httpx2.HTTPError as error:  # the SDK leaves what befalls the body as it is
            raise UpstreamBroken("The upstream's list of models broke off.") from error
        return _listed(raw)

    def check_key(self, key: str, caller: Caller) -> None:
        """See `KeyedUpstream.check_key`. Not by the SDK, which would not notice that the caller
        left, and would send the account headers of the server's key along."""
        until = time.monotonic() + LISTING_TIMEOUT_SECONDS
        payload = self._listing.callers + authorization(key) + b"\r\n"
        with contextlib.closing(Exchange(self._transport, payload, caller)) as exchange:
            if not exchange.wait_head(until):
                raise UpstreamTimeout("The upstream stayed silent for too long.")
            if exchange.status != 200:
                raise self._refusal(exchange, key)
            _listed(read_whole(exchange, until, MAX_LISTING_BYTES))

    def close(self) -> None:
        """See `Upstream.close`."""
        self._transport.close()
        self._client.close()

    def _send(self, call: Call, heads: Heads) -> Exchange:
        body = orjson.dumps(call.body)
        key = call.caller_key or self._api_key
        if key is None and self._wants_key:
            raise KeyMissing(
                "This server has no OpenAI key of its own: send yours as `Authorization: Bearer "
                "sk-…`, or set OPENAI_API_KEY."
            )
        keyed = authorization(key) if key else b""
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        head = heads.callers if call.caller_key else heads.ours
        return Exchange(self._transport, b"".join((head, keyed, length, body)), call.caller)

    def _refusal(self, exchange: Exchange, callers_key: str | None) -> UpstreamError:
        """The error that an answer other than 200 stands for."""
        return from_status(
            exchange.status,
            exchange.headers,
            read_error(exchange),
            callers_key=callers_key,
            keys=(self._api_key, callers_key),
        )


def _listed(raw: bytes) -> list[JsonObject]:
    """The model objects in a body."""
    try:
        return [model for model in loads(raw)["data"] if isinstance(model["id"], str)]
    except (ValueError, KeyError, TypeError) as error:
        raise UpstreamBroken("The upstream's list of models is none.") from error


def _completion(raw: bytes) -> JsonObject:
    """The completion in a body, checked as far as callers and we rely on it."""
    try:
        data = loads(raw)
        if type(data["choices"][0]["message"]) is dict:
            return data  # type: ignore[no-any-return]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        pass
    raise UpstreamBroken("The upstream's answer is no chat completion.")
