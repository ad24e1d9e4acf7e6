"""Whether this server is well. Nothing here asks anybody outside the process."""

from __future__ import annotations

from flask import Response, jsonify

from chat_api.web.requests import Blueprint, services

bp = Blueprint("health", __name__, description="Whether this server is well.")

SERVICE = "OpenAI Chat API"


@bp.get("")
def retrieve() -> Response:
    """Check API health status

    Answers as long as the process does; the provider is that of the default upstream.
    """
    return _healthy()


@bp.get("/live")
def live() -> Response:
    """Check that the process answers"""
    return _healthy()


@bp.get("/ready")
def ready() -> tuple[Response, int]:
    """Check that a call would be answered

    One entry for each thing that can be down. The upstream's is what its last call showed:
    nothing is asked, so nothing is paid for. The store is written to, once a second at most.
    The limiter's is what its last call showed. While it is down calls pass uncounted, so that it
    alone does not make the server unready.
    """
    needed = {
        "upstream": services().gateway.readiness(),
        "store": services().database.readiness(),
    }
    found = {**needed, "limiter": services().limiter.readiness()}
    well = all(ok for ok, _ in needed.values())
    checks = {
        name: {"status": "ok" if ok else "down", "detail": detail}
        for name, (ok, detail) in found.items()
    }
    return jsonify(status="ready" if well else "not ready", checks=checks), 200 if well else 503


def _healthy() -> Response:
    provider = services().upstream.provider
    return jsonify(status="healthy", service=SERVICE, provider=provider)
