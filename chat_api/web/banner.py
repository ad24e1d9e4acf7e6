"""What a person sees when the server has started."""

from __future__ import annotations

from datetime import date
from typing import Any

from chat_api.services.retired import retirement_warning
from chat_api.version import __version__
from chat_api.web.requests import EXTENSION
from chat_api.wiring import Services

TRY = (
    "curl -s {url}/chat -H 'content-type: application/json'{key} "
    """-d '{{"message":"What is the capital of France?"}}'"""
)


def announce(server: Any) -> None:
    """Say the address, who answers, and what to try. Gunicorn's `when_ready` hook."""
    services: Services = server.app.wsgi().extensions[EXTENSION]
    host, port = _address(server.LISTENERS[0].getsockname())
    url = f"http://{host}:{port}"
    upstream = services.upstream
    if not upstream.is_set_up:
        server.log.warning("No model is set up: chat calls will say what to set.")
        return
    server.log.info(
        "chat_api %s at %s: %s answers (upstream %s)",
        __version__,
        url,
        services.models.default,
        upstream.provider,
    )
    if warning := retirement_warning(services.models.default, date.today()):
        server.log.warning("%s: set OPENAI_MODEL to one that stays.", warning)
    if others := [other.name for other in services.router.upstreams[1:]]:
        server.log.info("Beside it: %s", ", ".join(others))
    settings = server.app.wsgi().config["SETTINGS"]
    known = {upstream.name for upstream in services.router.upstreams}
    for prefix in sorted(settings.further.prefixes() - known - {"openai"}):
        server.log.warning("UPSTREAMS_FILE: no upstream is called %s, as in `%s/…`", prefix, prefix)
    key = " -H 'x-api-key: one-of-API_KEY'" if settings.api_keys else ""
    server.log.info("Try: %s", TRY.format(url=url, key=key))


def _address(bound: Any) -> tuple[str, int]:
    """A host and port to call; what is bound to every address is called by localhost."""
    host, port = bound[:2]
    return ("localhost" if host in ("0.0.0.0", "::") else host), port
