"""Whether a call would be answered."""

from __future__ import annotations

from collections.abc import Sequence

from chat_api.services.health import Health
from chat_api.services.limits import Limiter
from chat_api.stores.sql import Database
from chat_api.upstreams.base import JsonObject, Upstream


class Readiness:
    """What can be down, and how it does. Asks nobody whose answer costs.

    Args:
        upstreams: the default one first; without it the server is not ready.
    """

    def __init__(
        self, upstreams: Sequence[Upstream], health: Health, database: Database, limiter: Limiter
    ) -> None:
        self._upstreams = upstreams
        self._health = health
        self._database = database
        self._limiter = limiter

    def report(self) -> tuple[bool, JsonObject]:
        """Whether all that a call needs is well, and what `GET /health/ready` tells."""
        upstreams = {upstream.name: self._upstream(upstream) for upstream in self._upstreams}
        needed = {
            "upstream": upstreams[self._upstreams[0].name],
            "store": _entry(*self._database.readiness()),
        }
        is_ready = all(entry["status"] == "ok" for entry in needed.values())
        # While nobody can count, calls pass uncounted: that is no reason to send none here.
        checks = {**needed, "limiter": _entry(*self._limiter.readiness())}
        status = "ready" if is_ready else "not ready"
        return is_ready, {"status": status, "checks": checks, "upstreams": upstreams}

    def _upstream(self, upstream: Upstream) -> JsonObject:
        """`ok`, `down` after a failed call, or `cooling` while calls go elsewhere."""
        if not upstream.is_set_up:
            return _entry(False, "none is set up")
        failure = self._health.failure(upstream.name)
        if seconds := self._health.cooling_seconds(upstream.name):
            return {"status": "cooling", "detail": str(failure), "seconds": round(seconds, 1)}
        return _entry(failure is None, str(failure or upstream.name))


def _entry(is_well: bool, detail: str) -> JsonObject:
    return {"status": "ok" if is_well else "down", "detail": detail}
