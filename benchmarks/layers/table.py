"""The layers that a request goes through, by the files that they are made of."""

from __future__ import annotations

from types import FrameType

ELSEWHERE = "elsewhere"
LAYERS: dict[str, tuple[str, ...]] = {
    # The first one wins that a file's path has a part of.
    "WSGI server: Gunicorn, gevent": (
        "/gunicorn/",
        "/gevent/",
        "/web/worker.py",
        "/web/sending.py",
        "/web/timed_socket.py",
    ),
    "CORS": ("/flask_cors/", "/web/cors.py"),
    "guard, limits": ("/web/auth.py", "/web/limits.py", "/services/limit", "/web/peers.py"),
    "body": ("/web/bodies.py", "/web/json_objects.py", "/web/field_paths.py"),
    "validation": ("/schemas/", "/marshmallow/"),
    "routing of the model, tries": (
        "/services/gateway.py",
        "/services/admission.py",
        "/services/tries.py",
        "/services/routing.py",
        "/services/fallbacks.py",
        "/services/retries.py",
        "/services/health.py",
        "/services/parameters.py",
        "/services/listings.py",
        "/services/retired.py",
    ),
    "transport, the upstream's bytes": ("/upstreams/", "/benchmarks/cost/"),
    "stream: events looked at and written": ("/services/streams.py", "/web/sse.py"),
    "metrics": ("/web/metrics.py", "/web/tallies.py"),
    "log line": ("/web/logs.py", "/structlog/"),
    "request id, state, headers": ("/web/",),
    "route and service": ("/routes/", "/services/"),
    "Flask: routing, request, response": ("/flask/", "/werkzeug/", "/flask_smorest/", "/chat_api/"),
}


def layer_of(frame: FrameType | None) -> str:
    """The layer that runs: what a layer calls of Python's own library is its doing."""
    while frame is not None:
        path = frame.f_code.co_filename
        for layer, parts in LAYERS.items():
            if any(part in path for part in parts):
                return layer
        frame = frame.f_back
    return ELSEWHERE
