"""One message of a session, its answer as bare text."""

from __future__ import annotations

from typing import Any

from flask import Response

from chat_api.schemas.session_chat import SessionChatRequestSchema
from chat_api.web.failures import A_MODEL_CALL, A_SESSION, may_raise
from chat_api.web.requests import Blueprint, current_client, services
from chat_api.web.sse import PLAIN_EVENTS
from chat_api.web.text import BARE_TEXT, text_or_events

bp = Blueprint("api_chat", __name__, description="A chat that is remembered.")

SESSION_ID = "X-Session-ID"
HEADERS = {SESSION_ID: {"description": "The session's id.", "schema": {"type": "string"}}}


@bp.post("")
@bp.arguments(SessionChatRequestSchema)
@bp.alt_response(200, **BARE_TEXT, headers=HEADERS, success=True)
@bp.alt_response(200, **PLAIN_EVENTS, headers=HEADERS, success=True)
@may_raise(*A_MODEL_CALL, *A_SESSION)
def create(chat_request: dict[str, Any]) -> Response:
    """Answer one message of a session as a stream of text

    The header `X-Session-ID` names the session, a new one where none was given. The exchange is in
    it when the answer is whole; a failure midway breaks the transfer. With `Accept:
    text/event-stream` the events of `/chat/stream`.
    """
    stream = services().session_chat.stream(chat_request, current_client())  # opens the upstream
    return text_or_events(stream, headers={SESSION_ID: stream.session_id})
