"""The plain chat, streamed."""

from __future__ import annotations

from typing import Any

from flask import Response

from chat_api.schemas.chat import ChatRequestSchema
from chat_api.web.failures import A_MODEL_CALL, A_SESSION, may_raise
from chat_api.web.requests import Blueprint, current_client, services
from chat_api.web.sse import PLAIN_EVENTS, plain_frames, stream_response

bp = Blueprint("streaming", __name__, description="One message in, its answer as it comes.")


@bp.post("")
@bp.arguments(ChatRequestSchema)
@bp.alt_response(200, **PLAIN_EVENTS, success=True)
@may_raise(*A_MODEL_CALL, *A_SESSION)
def create(chat_request: dict[str, Any]) -> Response:
    """Answer one message as server-sent events

    Events `{"content": "<piece>"}`, last `{"done": true}` with the model and the usage. A failure
    midway is an event `{"error": "<text>"}`, and no `done` follows.
    """
    stream = services().chat.stream(chat_request, current_client())  # the upstream opens here
    return stream_response(plain_frames(stream), stream)
