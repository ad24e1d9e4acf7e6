"""Whether this server is well. Nothing here asks anybody outside the process."""

from __future__ import annotations

from flask import Response, jsonify

from chat_api.schemas.health import HealthSchema, ReadinessSchema
from chat_api.web.requests import Blueprint, services

bp = Blueprint("health", __name__, description="Whether this server is well.")

SERVICE = "OpenAI Chat API"


@bp.get("")
@bp.alt_response(200, schema=HealthSchema, success=True)
def retrieve() -> Response:
    """Check API health status

    Answers as long as the process does; the provider is that of the default upstream.
    """
    return _healthy()


@bp.get("/live")
@bp.alt_response(200, schema=HealthSchema, success=True)
def live() -> Response:
    """Check that the process answers"""
    return _healthy()


@bp.get("/ready")
@bp.alt_response(200, schema=ReadinessSchema, success=True)
@bp.alt_response(503, schema=ReadinessSchema, description="Something is down.")
def ready() -> tuple[Response, int]:
    """Check that a call would be answered

    One entry for each thing that can be down, and one for each upstream. An upstream's is what its
    last calls showed: nothing is asked, so nothing is paid for. The store is written to, once a
    second at most. The limiter's is what its last call showed; while it is down calls pass
    uncounted, so that it alone does not make the server unready.
    """
    is_ready, report = services().readiness.report()
    return jsonify(report), 200 if is_ready else 503


def _healthy() -> Response:
    provider = services().upstream.provider
    return jsonify(status="healthy", service=SERVICE, provider=provider)
