"""Whether a caller's own key is any good."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.schemas.caller_keys import KeyRequestSchema, KeyVerdictSchema
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("caller_keys", __name__, description="Whether a caller's own key is any good.")

VALID = "The API key is valid."
REFUSED = "Authentication failed. Please check your API key."


@bp.post("")
@bp.arguments(KeyRequestSchema)
@bp.alt_response(200, schema=KeyVerdictSchema, success=True)
@bp.alt_response(401, schema=KeyVerdictSchema)
def create(key_request: dict[str, Any]) -> tuple[Response, int]:
    """Test an OpenAI key

    By a call that costs nothing. A key that OpenAI refuses is a 401 with `valid` and `message`.
    """
    if services().caller_keys.is_valid(key_request["api_key"], current_client()):
        return jsonify(valid=True, message=VALID), 200
    return jsonify(valid=False, message=REFUSED), 401
