"""Which implementation serves: the one place that chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat_api.services.chat import ChatService
from chat_api.services.gateway import Gateway
from chat_api.services.health import Health
from chat_api.services.models import Models
from chat_api.services.readiness import Readiness
from chat_api.services.responses import ResponseService
from chat_api.services.routing import Router, Rules
from chat_api.services.sessions import MOST_SESSION_BYTES, Sessions
from chat_api.settings import Settings
from chat_api.stores.base import Bounds
from chat_api.stores.sessions import SqlSessionStore
from chat_api.stores.sql import Database, open_database
from chat_api.upstream_wiring import build_upstreams, openai_for_callers
from chat_api.upstreams.base import Upstream


@dataclass(frozen=True, slots=True)
class Services:
    """What routes work with."""

    upstream: Upstream
    """The default one."""
    router: Router
    models: Models
    gateway: Gateway
    chat: ChatService
    responses: ResponseService
    database: Database
    sessions: Sessions
    readiness: Readiness


def build_services(settings: Settings, *upstreams: Upstream) -> Services:
    """Make everything. Nothing is opened: that would be shared by Gunicorn's workers.

    Args:
        upstreams: instead of those that the settings name, the default one first.
    """
    router = build_router(settings, upstreams or build_upstreams(settings))
    health = Health(settings.further.cooldown_failures, settings.further.cooldown_seconds)
    gateway = Gateway(
        router,
        health,
        heartbeat_seconds=settings.stream_heartbeat_seconds,
        most_calls=settings.max_streams,
    )
    database = open_database(settings.database_url, settings.data_dir)
    sessions = Sessions(SqlSessionStore(database, session_bounds(settings)))
    chat = ChatService(gateway, sessions)
    responses = ResponseService(gateway)
    return Services(
        upstream=router.default,
        router=router,
        models=Models(router, settings.models),
        gateway=gateway,
        chat=chat,
        responses=responses,
        database=database,
        sessions=sessions,
        readiness=Readiness(router.upstreams, health, database),
    )


def build_router(settings: Settings, upstreams: Sequence[Upstream]) -> Router:
    """Who answers for which name."""
    further = settings.further
    rules = Rules(
        allowed=settings.allowed_models,
        aliases=further.aliases,
        claims=[(model, each.name) for each in further.upstreams for model in each.models],
        fallbacks=further.fallbacks,
    )
    openai = next((each for each in upstreams if each.name == "openai"), None)
    return Router(upstreams, openai or openai_for_callers(settings), rules)


def session_bounds(settings: Settings) -> Bounds:
    """How much is kept of conversations."""
    return Bounds(
        ttl_seconds=settings.session_ttl_hours * 3600,
        most_sessions=settings.max_sessions,
        most_messages=settings.max_session_messages,
        most_bytes=MOST_SESSION_BYTES,
    )
