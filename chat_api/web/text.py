"""Bare text as it comes. No frame can say how the answer ended, so the transfer itself must:
an answer that is not whole is a transfer that is not whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, request

from chat_api.services.chat import RecordedStream, pieces
from chat_api.services.streams import ChatStream
from chat_api.web.connections import BrokenTransfer, reset_unless_whole
from chat_api.web.errors import told
from chat_api.web.sse import plain_frames, stream_response

EVENTS = "text/event-stream"
TEXT = "text/plain"
NO_HEADERS: Mapping[str, str] = {}

# For the documentation: the keyword arguments of a blueprint's `alt_response`.
BARE_TEXT: dict[str, Any] = {
    "schema": {"type": "string"},
    "content_type": TEXT,
    "example": "The capital of France is Paris.",
    "description": "The answer as it comes, as bare text or as events by `Accept`.",
}


def text_or_events(
    stream: ChatStream | RecordedStream,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    text_headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The reply as bare text, or as server-sent events where the caller's `Accept` prefers them.

    Args:
        headers: for either.
        text_headers: for bare text only.
    """
    if request.accept_mimetypes.best_match([TEXT, EVENTS]) == EVENTS:
        response = stream_response(plain_frames(stream), stream)
    else:
        response = stream_response(text_pieces(stream, request.environ), stream)
        response.headers.update({"Content-Type": f"{TEXT}; charset=utf-8", **text_headers})
    response.headers.update(headers)
    response.vary.add("Accept")
    return response


def text_pieces(stream: ChatStream | RecordedStream, environ: Mapping[str, Any]) -> Iterator[bytes]:
    """The text, piece by piece.

    Raises:
        BrokenTransfer: the answer is not whole, for whatever reason; caught by the server.
    """
    try:
        with reset_unless_whole(environ):
            for events in stream:
                # Empty where the upstream is silent: a server then sends the headers, once.
                yield "".join(pieces(events)).encode()
    except Exception as error:
        told(error, stream.record.request_id)  # a defect of ours is logged
        yield b""  # the headers must be out for anything to break off
        raise BrokenTransfer() from error
