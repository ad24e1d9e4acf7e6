"""OpenAI's models."""

from __future__ import annotations

from flask import Response, jsonify

from chat_api.errors import ModelNotFound
from chat_api.schemas.models import ModelListSchema, ModelSchema
from chat_api.web.failures import may_raise
from chat_api.web.requests import Blueprint, services

bp = Blueprint("v1_models", __name__, description="OpenAI's models.")


@bp.get("")
@bp.alt_response(200, schema=ModelListSchema, success=True)
def index() -> Response:
    """List the models

    What the upstream offers, and the names of `GET /models`.
    """
    return jsonify(object="list", data=services().models.objects())


@bp.get("/<path:model>")
@bp.alt_response(200, schema=ModelSchema, success=True)
@may_raise(ModelNotFound)
def retrieve(model: str) -> Response:
    """Retrieve one model"""
    return jsonify(services().models.retrieve(model))
