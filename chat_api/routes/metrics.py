"""Figures for Prometheus."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from chat_api.web import exposition, metrics
from chat_api.web.requests import Blueprint

bp = Blueprint("metrics", __name__, description="Figures for Prometheus.")

TEXT: dict[str, Any] = {
    "schema": {"type": "string"},
    "content_type": "text/plain",
    "example": 'http_requests_total{method="POST",route="/chat",status="200"} 12.0\n',
    "description": "The figures.",
}


@bp.get("")
@bp.alt_response(200, **TEXT, success=True)
def retrieve() -> Response:
    """Show the figures of all workers

    In Prometheus' text format, or OpenMetrics' where `Accept` names it. No prompt, no key and no
    name of a caller's making is in it.
    """
    text, content_type = exposition.render(metrics.current(), request.headers.get("Accept", ""))
    return Response(text, content_type=content_type)
