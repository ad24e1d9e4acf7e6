"""Whether a call would be answered."""

from __future__ import annotations

from chat_api.services.health import Health
from chat_api.services.limits import Limiter
from chat_api.services.routing import Router
from chat_api.stores.sql import Database
from chat_api.upstreams.base import JsonObject, Upstream


class Readiness:
    """What can be down, and how it does. Asks nobody whose answer costs.

    A call that names no model must find somebody to answer it, and the store must be well.
    """

    def __init__(
        self, router: Router, health: Health, database: Database, limiter: Limiter
    ) -> None:
        self._router = router
        self._health = health
        self._database = database
        self._limiter = limiter

    def report(self) -> tuple[bool, JsonObject]:
        """Whether all that a call needs is well, and what `GET /health/ready` tells."""
        upstreams = {each.name: self._upstream(each) for each in self._router.upstreams}
        answering = [target.upstream for target in self._router.route(None, ask=False)]
        store = _entry(*self._database.readiness())
        # With a fallback one upstream may be out. While nobody can count, calls pass uncounted:
        # neither is a reason to send no calls here.
        is_ready = store["status"] == "ok" and any(map(self._can_answer, answering))
        checks = {
            "upstream": upstreams[answering[0].name],
            "store": store,
            "limiter": _entry(*self._limiter.readiness()),
        }
        status = "ready" if is_ready else "not ready"
        return is_ready, {"status": status, "checks": checks, "upstreams": upstreams}

    def _can_answer(self, upstream: Upstream) -> bool:
        return upstream.is_set_up and not self._health.is_out(upstream.name)

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
