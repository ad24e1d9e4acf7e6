"""Room 1: HTTP in and out. The table of blueprints, read top to bottom.

A blueprint's guard stands beside it; what is not in this table wants a key (`web.auth`). So does
whether it spends tokens, which is what rate limits go by (`services.limits`).
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask

from chat_api.routes import (
    ask,
    chat,
    docs,
    health,
    info,
    metrics,
    models,
    page,
    rendering,
    streaming,
)
from chat_api.routes.api import caller_keys, sessions
from chat_api.routes.api import chat as api_chat
from chat_api.routes.api import health as api_health
from chat_api.routes.v1 import chat_completions, conversations, embeddings, responses
from chat_api.routes.v1 import models as v1_models
from chat_api.services.limits import Limiter, Use
from chat_api.web.auth import Guard, allow_anyone
from chat_api.web.requests import Blueprint


class Mount(NamedTuple):
    """One blueprint, the prefix of its paths, whether it is open to anyone, and whether its
    `create` asks a model."""

    blueprint: Blueprint
    prefix: str
    public: bool
    spends_tokens: bool = False


MOUNTS = (
    Mount(info.bp, "", public=True),
    Mount(page.bp, "", public=True),
    Mount(rendering.bp, "/ui/render", public=False),
    Mount(docs.bp, "", public=True),
    Mount(health.bp, "/health", public=True),
    Mount(metrics.bp, "/metrics", public=False),
    Mount(models.bp, "/models", public=False),
    Mount(chat.bp, "/chat", public=False, spends_tokens=True),
    Mount(streaming.bp, "/chat/stream", public=False, spends_tokens=True),
    Mount(ask.bp, "/ask", public=False, spends_tokens=True),
    Mount(api_health.bp, "/api/health", public=True),
    Mount(sessions.bp, "/api/sessions", public=False),
    Mount(api_chat.bp, "/api/chat", public=False, spends_tokens=True),
    Mount(caller_keys.bp, "/api/test-key", public=False),
    Mount(chat_completions.bp, "/v1/chat/completions", public=False, spends_tokens=True),
    Mount(responses.bp, "/v1/responses", public=False, spends_tokens=True),
    Mount(conversations.bp, "/v1/conversations", public=False),
    Mount(embeddings.bp, "/v1/embeddings", public=False, spends_tokens=True),
    Mount(v1_models.bp, "/v1/models", public=False),
)


def init_app(app: Flask, require_key: Guard) -> dict[str, Guard]:
    """Register every blueprint.

    Returns:
        The guard of each endpoint.
    """
    guards: dict[str, Guard] = {}
    for blueprint, prefix, public, _ in MOUNTS:
        before = set(app.view_functions)
        app.register_blueprint(blueprint, url_prefix=prefix or None)
        for endpoint in app.view_functions.keys() - before:
            guards[endpoint] = allow_anyone if public else require_key
    return guards


def uses(app: Flask, limiter: Limiter) -> dict[str, Use]:
    """What a call of each endpoint does to its caller's limit. Those without one are left out;
    public ones never have one."""
    found: dict[str, Use] = {}
    for blueprint, prefix, public, spends_tokens in MOUNTS:
        for endpoint in app.view_functions:
            name, _, view = endpoint.rpartition(".")
            if public or name != blueprint.name:
                continue
            use = limiter.use(
                is_api=prefix.startswith("/api/"), spends_tokens=spends_tokens and view == "create"
            )
            if use is not None:
                found[endpoint] = use
    return found
