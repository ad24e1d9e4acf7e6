"""Rate limits around requests: the check, its headers, the 429."""

from __future__ import annotations

import math
from collections.abc import Mapping

from flask import Flask, Response, after_this_request

from chat_api.errors import RateLimited
from chat_api.services.limit_checks import Verdict
from chat_api.services.limits import Limiter, Use, caller_of
from chat_api.web.peers import peer_of
from chat_api.web.state import request, state

USES = "chat_api.limits"
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
OPENAI_HEADERS = (
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)
"""The same three as OpenAI calls them, on `/v1`."""


def init_app(
    app: Flask, limiter: Limiter, uses: Mapping[str, Use], *, trusted_proxies: int
) -> None:
    """Check calls once their guard has let them in and before their body is read.

    Args:
        uses: by endpoint; those that are not in it have no limit.
    """

    app.extensions[USES] = uses

    def check() -> None:
        asked = request()
        use = uses.get(asked.endpoint or "")
        if use is None or asked.method == "OPTIONS":
            return
        caller = caller_of(state().owner, peer_of(asked.environ, trusted_proxies))
        verdict = limiter.check(caller, use)
        if verdict is None:
            return
        headers = _headers(verdict)

        @after_this_request
        def tell(response: Response) -> Response:
            response.headers.update(headers)
            return response

        if not verdict.allowed:
            raise RateLimited(verdict.limit, verdict.reset_seconds)

    if uses:
        app.before_request(check)


def is_limited(app: Flask, endpoint: str) -> bool:
    """Whether calls of an endpoint have a limit, or are told of it."""
    return endpoint in app.extensions[USES]


def header_names(path: str) -> tuple[str, ...]:
    """What the three headers are called there: the limit, what is left, when there is more."""
    return OPENAI_HEADERS if path.startswith("/v1/") else HEADERS


def _headers(verdict: Verdict) -> dict[str, str]:
    names = header_names(request().path)
    seconds = verdict.reset_seconds
    reset = duration(seconds) if names is OPENAI_HEADERS else str(math.ceil(seconds))
    return dict(zip(names, (str(verdict.limit), str(verdict.remaining), reset), strict=True))


def duration(seconds: float) -> str:
    """As OpenAI writes it: `120ms`, `1s`, `6m0s`. Rounded up, and without fractions: not every
    client reads them."""
    if seconds < 1:
        milliseconds = math.ceil(seconds * 1000)
        return f"{milliseconds}ms" if 0 < milliseconds < 1000 else f"{milliseconds // 1000}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
