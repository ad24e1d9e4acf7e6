"""Rate limits around requests: the check, its headers, the 429."""

from __future__ import annotations

import math
from collections.abc import Mapping

from flask import Flask, Response, after_this_request, g, request

from chat_api.errors import RateLimited
from chat_api.services.limits import Limiter, Use, Verdict, caller_of
from chat_api.web.peers import peer_of


def init_app(
    app: Flask, limiter: Limiter, uses: Mapping[str, Use], *, trusted_proxies: int
) -> None:
    """Check calls once their guard has let them in and before their body is read.

    Args:
        uses: by endpoint; those that are not in it have no limit.
    """

    def check() -> None:
        use = uses.get(request.endpoint or "")
        if use is None or request.method == "OPTIONS":
            return
        caller = caller_of(g.owner, peer_of(request.environ, trusted_proxies))
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


def _headers(verdict: Verdict) -> dict[str, str]:
    limit, remaining = str(verdict.limit), str(verdict.remaining)
    if request.path.startswith("/v1/"):
        return {
            "x-ratelimit-limit-requests": limit,
            "x-ratelimit-remaining-requests": remaining,
            "x-ratelimit-reset-requests": duration(verdict.reset_seconds),
        }
    return {
        "X-RateLimit-Limit": limit,
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": str(math.ceil(verdict.reset_seconds)),
    }


def duration(seconds: float) -> str:
    """As OpenAI writes it: `120ms`, `1s`, `6m0s`. Rounded up, and without fractions: not every
    client reads them."""
    if seconds < 1:
        milliseconds = math.ceil(seconds * 1000)
        return f"{milliseconds}ms" if 0 < milliseconds < 1000 else f"{milliseconds // 1000}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
