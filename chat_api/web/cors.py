"""Which pages' scripts may read replies: flask-cors works it out, here it is remembered."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, Response
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import Headers

from chat_api.web.state import request

EXPOSED_HEADERS = (
    "X-Request-ID",
    "X-Session-ID",
    "Retry-After",
    "retry-after-ms",
    "x-should-retry",
    "Idempotent-Replayed",
    "openai-organization",
    "openai-processing-ms",
    "openai-version",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-dropped-params",
    "x-model-alias",
    "x-upstream",
    "x-upstream-attempts",
)
MOST_ORIGINS = 128
"""That are remembered. They are callers' words, of 8 KB at most."""


def init_app(app: Flask, origins: tuple[str, ...]) -> None:
    """Tell browsers, with each reply, whether the page that asked may read it."""
    options = get_cors_options(
        app, {"origins": list(origins), "expose_headers": list(EXPOSED_HEADERS)}
    )

    @lru_cache(maxsize=MOST_ORIGINS)
    def told(origin: str) -> list[tuple[str, str]]:
        """The headers of replies to a page of that origin; "" where the caller is no page."""
        return headers(Headers({"Origin": origin} if origin else {}), "GET")

    def headers(asked: Headers, method: str) -> list[tuple[str, str]]:
        found = get_cors_headers(options, asked, method)
        return [(name, str(value)) for name, value in found.items()]

    def after_request(response: Response) -> Response:
        asked = request()
        if asked.method == "OPTIONS":  # a page asks beforehand, and of more than its origin
            found = headers(asked.headers, "OPTIONS")
        else:
            found = told(asked.environ.get("HTTP_ORIGIN", ""))
        for name, value in found:
            response.headers.add(name, value)
        return response

    app.after_request(after_request)
