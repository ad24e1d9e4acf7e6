"""Server-sent events: the one place that writes `data: `."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response

from chat_api.errors import CallerGone
from chat_api.schemas.shapes import events_of
from chat_api.services.chat import RecordedStream, pieces
from chat_api.services.chat_completions import StoredStream
from chat_api.services.clients import CallRecord
from chat_api.services.response_replay import EventReplay
from chat_api.services.responses import ResponseStream
from chat_api.services.streams import FOREVER, ChatStream
from chat_api.upstreams.base import Event, JsonObject
from chat_api.web.connections import LastPiece
from chat_api.web.errors import Problem, openai_error, plain_error, problem, told
from chat_api.web.state import state

AnyStream = ChatStream | RecordedStream | StoredStream | ResponseStream | EventReplay

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
# A comment and a blank line: safe for the OpenAI SDK as long as no event carries an `id:`.
HEARTBEAT = b": ping\n\n"
DONE = b"data: [DONE]\n\n"
USAGE, NO_USAGE = b'"usage"', b',"usage":null'
EVENT_END = b"}\n\n"

# For the documentation: the keyword arguments of a blueprint's `alt_response`.
PLAIN_EVENTS: dict[str, Any] = {
    "schema": events_of("ChatEvent"),
    "content_type": "text/event-stream",
    "example": 'data: {"content": "The capital"}\n\ndata: {"content": " is Paris."}\n\n'
    'data: {"done": true, "model":"gpt-4o-mini-2024-07-18","usage":{"prompt_tokens":14,'
    '"completion_tokens":5,"total_tokens":19}}\n\n',
    "description": "The answer as it comes. Comments (`: ping`) may stand between events.",
}
OPENAI_EVENTS: dict[str, Any] = {
    "schema": events_of("ChatCompletionChunk", last="[DONE]"),
    "content_type": "text/event-stream",
    "example": 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,'
    '"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"role":"assistant",'
    '"content":"Paris."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "description": "The answer, whole or with `stream` as it comes.",
}
RESPONSE_EVENTS: dict[str, Any] = {
    "schema": events_of("ResponseEvent"),
    "content_type": "text/event-stream",
    "example": 'event: response.created\ndata: {"type":"response.created","sequence_number":0,'
    '"response":{"id":"resp_1","object":"response","status":"in_progress"}}\n\n'
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    '"sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Paris."}\n\n',
    "description": "The response, whole or with `stream` as its events.",
}


def frame(data: Any) -> bytes:
    """One event."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


def openai_frames(stream: ChatStream | StoredStream) -> Iterator[bytes]:
    """The frames of `/v1/chat/completions`: the upstream's own bytes, but for what had to be
    changed; then `[DONE]`, or an error event and nothing behind it."""

    write = _as_they_came if stream.shows_usage else _without_usage
    frames = _paced(stream, write, lambda: DONE)
    return _to_the_end(frames, _error_frame(openai_error, stream.record))


def plain_frames(stream: ChatStream | RecordedStream) -> Iterator[bytes]:
    """The frames of `/chat/stream`: pieces of text, then `done`, or an error and no `done`."""

    def last() -> bytes:
        told = orjson.dumps({"model": stream.model, "usage": stream.usage})
        return b'data: {"done": true, ' + told[1:] + b"\n\n"

    frames = _paced(stream, _content_frames, last)
    return _to_the_end(frames, _error_frame(plain_error, stream.record))


def response_frames(stream: ResponseStream | EventReplay) -> Iterator[bytes]:
    """The frames of `/v1/responses`: the response's events, the last one of which says how it
    ended, whether well or not. No `[DONE]`."""

    def failed(error: Exception) -> bytes:
        return _named_frames(stream.fail(told(error, stream.record.request_id)))

    return _to_the_end(_paced(stream, _named_frames, lambda: b""), failed)


def stream_response(frames: Iterator[bytes], stream: AnyStream) -> Response:
    """The reply that sends frames as they come."""
    response = StreamResponse(frames, headers=HEADERS)
    response.call_on_close(stream.close)  # a generator never started runs no `finally`
    state().stream = stream
    return response


class StreamResponse(Response):
    """A reply that closes itself where the server refuses its headers: its body is then never
    handed over, and nobody else could."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """The body, as WSGI wants it."""
        try:
            return super().__call__(environ, start_response)
        except BaseException:
            self.close()
            raise


def _as_they_came(events: list[Event]) -> bytes:
    return b"".join([event.raw or frame(event.data) for event in events])


def _without_usage(events: list[Event]) -> bytes:
    """The events without `usage`, cut out of their bytes where that is safe: it is the last that
    each says, as nearly always; or one was found for each event that has one, and none is left. An
    unescaped "usage" cannot stand inside a string. (Of a name said twice the last one counts.)"""
    raw = _as_they_came(events)
    pieces = raw.split(NO_USAGE + EVENT_END)
    if len(pieces) > len(events):
        return EVENT_END.join(pieces)
    having = sum(["usage" in event.data for event in events])
    if not having:
        return raw
    pieces = raw.split(NO_USAGE)  # what `replace` does takes half as long again
    cut = b"".join(pieces)
    if len(pieces) == having + 1 and USAGE not in cut:
        return cut
    kept = [{name: it for name, it in event.data.items() if name != "usage"} for event in events]
    return b"".join(map(frame, kept))


def _named_frames(events: list[JsonObject]) -> bytes:
    return b"".join([b"event: %b\n%b" % (event["type"].encode(), frame(event)) for event in events])


def _content_frames(events: list[Event]) -> bytes:
    # Spaced as the contract prints it: simple readers compare text.
    texts = [orjson.dumps(piece) for piece in pieces(events)]
    return b"".join([b'data: {"content": ' + text + b"}\n\n" for text in texts])


def _paced(
    stream: AnyStream, write: Callable[[list[Any]], bytes], last: Callable[[], bytes]
) -> Iterator[bytes]:
    """What is written of each batch, and a heartbeat for an empty one. The stream is told where
    nothing was written: an upstream that thinks aloud is not silent, its caller's connection is.
    Of the first batch without anything to write b"" is yielded, at which the server sends the
    headers.

    Args:
        last: what says that this was all. It leaves in one write with the batch that ends the
            answer, where that is known by then.
    """
    told = False
    for events in stream:
        data = write(events) if events else b""
        if events and not data:
            stream.is_heard = False
        elif not events and stream.heartbeat_seconds < FOREVER:
            data = HEARTBEAT
        if stream.is_whole:
            data, told = LastPiece(data + last()), True
        yield data
    if not told:
        yield LastPiece(last())


def _error_frame(
    render: Callable[[Problem], dict[str, Any]], record: CallRecord
) -> Callable[[Exception], bytes]:
    """What is written of an error: one event in the family's shape."""
    return lambda error: frame(render(problem(error, record.request_id)))


def _to_the_end(frames: Iterator[bytes], failed: Callable[[Exception], bytes]) -> Iterator[bytes]:
    """The frames, and what is written of the error where they break off."""
    try:
        yield from frames
    except CallerGone:
        return
    except Exception as error:
        yield failed(error)
