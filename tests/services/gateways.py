"""Gateways to upstreams of a test's own."""

from __future__ import annotations

from typing import Any

from chat_api.services.gateway import Gateway
from chat_api.services.health import Health
from chat_api.services.routing import Router, Rules
from chat_api.upstreams.base import Upstream


def gateway_to(
    *upstreams: Upstream, rules: Rules | None = None, health: Health | None = None, **options: Any
) -> Gateway:
    """To these upstreams, the default one first; no heartbeat and ten calls at once if not said
    otherwise."""
    router = Router(upstreams, lambda: upstreams[0], rules or Rules())
    values: dict[str, Any] = {"heartbeat_seconds": 0, "most_calls": 10, **options}
    return Gateway(router, health or Health(3, 30.0), **values)
