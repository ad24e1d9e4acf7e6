"""The names that may be asked for."""

from __future__ import annotations

from flask import Response, jsonify

from chat_api.schemas.models import ModelNamesSchema
from chat_api.web.requests import Blueprint, services

bp = Blueprint("models", __name__, description="Model names.")


@bp.get("")
@bp.alt_response(200, schema=ModelNamesSchema, success=True)
def index() -> Response:
    """List the model names and the default one"""
    models = services().models
    return jsonify(
        models=models.names(),
        default=models.default,
        aliases=models.aliases(),
        retires=models.retires(),
    )
