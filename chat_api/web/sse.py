"""Server-sent events: the one place that writes `data: `."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response

from chat_api.errors import CallerGone
from chat_api.services.chat import RecordedStream, pieces
from chat_api.services.streams import ChatStream
from chat_api.web.errors import Problem, openai_error, plain_error, problem

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
# A comment and a blank line: safe for the OpenAI SDK as long as no event carries an `id:`.
HEARTBEAT = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


def frame(data: Any) -> bytes:
    """One event."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


def openai_frames(stream: ChatStream) -> Iterator[bytes]:
    """The frames of `/v1/chat/completions`: the upstream's own bytes, but for what had to be
    changed; then `[DONE]`, or an error event and nothing behind it."""

    def frames() -> Iterator[bytes]:
        for events in stream:
            if not events:
                yield HEARTBEAT
            elif len(events) == 1:
                yield events[0].raw or frame(events[0].data)
            else:
                yield b"".join([event.raw or frame(event.data) for event in events])
        yield DONE

    return _to_the_end(frames(), openai_error)


def plain_frames(stream: ChatStream | RecordedStream) -> Iterator[bytes]:
    """The frames of `/chat/stream`: pieces of text, then `done`, or an error and no `done`."""

    def frames() -> Iterator[bytes]:
        for events in stream:
            if not events:
                yield HEARTBEAT
            elif text := b"".join([_content_frame(piece) for piece in pieces(events)]):
                yield text
        last = orjson.dumps({"model": stream.model, "usage": stream.usage})
        yield b'data: {"done": true, ' + last[1:] + b"\n\n"

    return _to_the_end(frames(), plain_error)


def stream_response(frames: Iterator[bytes], stream: ChatStream | RecordedStream) -> Response:
    """The reply that sends frames as they come."""
    response = Response(frames, headers=HEADERS)
    response.call_on_close(stream.close)  # a generator never started runs no `finally`
    return response


def _content_frame(piece: str) -> bytes:
    # Spaced as the contract prints it: simple readers compare text.
    return b'data: {"content": ' + orjson.dumps(piece) + b"}\n\n"


def _to_the_end(
    frames: Iterator[bytes], render: Callable[[Problem], dict[str, Any]]
) -> Iterator[bytes]:
    """The frames, and an error in the family's shape where they break off."""
    try:
        yield from frames
    except CallerGone:
        return
    except Exception as error:
        yield frame(render(problem(error)))
