"""Conversations that the server remembers."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.errors import StoreUnavailable
from chat_api.schemas.sessions import (
    SessionDeletedSchema,
    SessionRequestSchema,
    SessionSchema,
    SessionTruncatedSchema,
    SessionWithMessagesSchema,
)
from chat_api.web.failures import A_SESSION, may_raise
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("sessions", __name__, description="Conversations that the server remembers.")

# Whatever stands in that place, slashes too, is an id that may or may not be known.
PATH = "/<path:session_id>"


@bp.post("")
@bp.arguments(SessionRequestSchema)
@bp.alt_response(201, schema=SessionSchema, success=True)
@may_raise(StoreUnavailable)
def create(session_request: dict[str, Any]) -> tuple[Response, int]:
    """Begin a session

    Its id is the key to it: `session_id` of `/chat`, `/chat/stream` and `/api/chat`. Where the
    server wants keys, the session belongs to the one it was begun with.
    """
    return jsonify(services().sessions.create(session_request, current_client())), 201


@bp.get(PATH)
@bp.alt_response(200, schema=SessionWithMessagesSchema, success=True)
@may_raise(*A_SESSION)
def retrieve(session_id: str) -> Response:
    """Retrieve a session with its messages"""
    return jsonify(services().sessions.retrieve(session_id, current_client()))


@bp.delete(PATH)
@bp.alt_response(200, schema=SessionDeletedSchema, success=True)
@may_raise(*A_SESSION)
def delete(session_id: str) -> Response:
    """Delete a session with its messages

    An answer that is under way for it is not stored any more.
    """
    services().sessions.delete(session_id, current_client())
    return jsonify(message="Session deleted")


@bp.delete(f"{PATH}/messages/<int:index>")
@bp.alt_response(200, schema=SessionTruncatedSchema, success=True)
@may_raise(*A_SESSION)
def truncate(session_id: str, index: int) -> Response:
    """Drop the messages of a session from one on

    0 is the oldest. Exchanges go whole: with an answer its question goes too. What is not there is
    gone already.
    """
    left = services().sessions.truncate(session_id, index, current_client())
    return jsonify(message="Messages deleted", message_count=left)
