"""Whether a caller's own key is any good."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api import errors
from chat_api.schemas.caller_keys import KeyRequestSchema, KeyVerdictSchema
from chat_api.web.failures import may_raise
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("caller_keys", __name__, description="Whether a caller's own key is any good.")

YES = {"valid": True, "message": "The API key is valid."}
NO = {"valid": False, "message": "Authentication failed. Please check your API key."}


@bp.post("")
@bp.arguments(KeyRequestSchema)
@bp.alt_response(200, schema=KeyVerdictSchema, success=True)
@bp.alt_response(401, schema=KeyVerdictSchema, example=NO, description="OpenAI refuses the key.")
@may_raise(errors.UpstreamError)
def create(key_request: dict[str, Any]) -> tuple[Response, int]:
    """Test an OpenAI key

    By a call that costs nothing. A key that OpenAI refuses is a 401 with `valid` and `message`.
    """
    if services().caller_keys.is_valid(key_request["api_key"], current_client()):
        return jsonify(YES), 200
    return jsonify(NO), 401
