"""The plain chat, whole."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from chat_api.schemas.chat import ChatReplySchema, ChatRequestSchema
from chat_api.web.failures import A_MODEL_CALL, A_SESSION, may_raise
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("chat", __name__, description="One message in, one answer out.")


@bp.post("")
@bp.arguments(ChatRequestSchema)
@bp.alt_response(200, schema=ChatReplySchema, success=True)
@may_raise(*A_MODEL_CALL, *A_SESSION)
def create(chat_request: dict[str, Any]) -> Response:
    """Answer one message

    The reply's `conversation` is the history to send as `messages` with the next message.
    """
    answer = services().chat.complete(chat_request, current_client())
    return Response(orjson.dumps(answer), mimetype="application/json")
