"""The conversation's next message, as bare text."""

from __future__ import annotations

from typing import Any

from flask import Response

from chat_api.schemas.ask import AskRequestSchema
from chat_api.web.failures import A_MODEL_CALL, may_raise
from chat_api.web.requests import Blueprint, current_client, services
from chat_api.web.sse import PLAIN_EVENTS
from chat_api.web.text import BARE_TEXT, text_or_events

bp = Blueprint("ask", __name__, description="A conversation in, bare text out.")

# What front ends built with that SDK look for.
HEADERS = {"x-vercel-ai-data-stream": "v1"}


@bp.post("")
@bp.arguments(AskRequestSchema)
@bp.alt_response(200, **BARE_TEXT, success=True)
@bp.alt_response(200, **PLAIN_EVENTS, success=True)
@may_raise(*A_MODEL_CALL)
def create(ask_request: dict[str, Any]) -> Response:
    """Answer a conversation as a stream of text

    The pieces of the answer and nothing else; a failure midway breaks the transfer. With `Accept:
    text/event-stream` the events of `/chat/stream`.
    """
    stream = services().chat.ask(ask_request, current_client())  # the upstream opens here
    return text_or_events(stream, text_headers=HEADERS)
