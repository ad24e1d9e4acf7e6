"""OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from flask import Response

from chat_api.schemas.chat_completions import ChatCompletionRequestSchema
from chat_api.schemas.replies import ChatCompletionSchema
from chat_api.web.failures import A_MODEL_CALL, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import Blueprint, current_client, services
from chat_api.web.sse import OPENAI_EVENTS, openai_frames, stream_response

bp = Blueprint("chat_completions", __name__, description="OpenAI's chat completions.")


@bp.post("")
@bp.arguments(ChatCompletionRequestSchema)
@bp.alt_response(200, schema=ChatCompletionSchema, success=True)
@bp.alt_response(200, **OPENAI_EVENTS, success=True)
@may_raise(*A_MODEL_CALL)
@idempotent
def create(completion_request: dict[str, Any]) -> Response:
    """Create a chat completion

    OpenAI's object, or with `stream` its chunks: the upstream's own bytes. Fields that are not
    described here go upstream untouched.
    """
    gateway = services().gateway
    if not completion_request.get("stream"):
        completion = gateway.complete(completion_request, current_client())
        return Response(completion.raw, content_type="application/json")
    stream = gateway.stream(completion_request, current_client())
    return stream_response(openai_frames(stream), stream)
