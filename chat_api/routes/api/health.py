"""Whether sessions can be used."""

from __future__ import annotations

from flask import Response, jsonify

from chat_api.errors import StoreUnavailable
from chat_api.routes.health import SERVICE
from chat_api.schemas.health import SessionHealthSchema
from chat_api.web.failures import may_raise
from chat_api.web.requests import Blueprint, services

bp = Blueprint("api_health", __name__, description="Whether sessions can be used.")


@bp.get("")
@bp.alt_response(200, schema=SessionHealthSchema, success=True)
@may_raise(StoreUnavailable)
def retrieve() -> Response:
    """Check the health of the session API

    With the number of sessions, up to a second old; a 503 when the store cannot be used.
    """
    return jsonify(
        status="healthy",
        service=SERVICE,
        provider=services().upstream.provider,
        active_sessions=services().sessions.count(),
    )
