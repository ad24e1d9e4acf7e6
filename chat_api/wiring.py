"""Which implementation serves: the one place that chooses."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache

from chat_api.services.caller_keys import CallerKeys
from chat_api.services.chat import ChatService
from chat_api.services.chat_completions import ChatCompletions
from chat_api.services.conversations import Conversations
from chat_api.services.embeddings import EmbeddingService
from chat_api.services.gateway import Gateway
from chat_api.services.health import Health
from chat_api.services.idempotency import Idempotency
from chat_api.services.limits import Limiter
from chat_api.services.models import Models
from chat_api.services.readiness import Readiness
from chat_api.services.rendering import Rendering
from chat_api.services.response_runs import BackgroundRuns
from chat_api.services.response_turns import Turns
from chat_api.services.responses import ResponseService
from chat_api.services.routing import Router, Rules
from chat_api.services.session_chat import SessionChat
from chat_api.services.sessions import MOST_SESSION_BYTES, Sessions
from chat_api.services.stored_completions import StoredCompletions
from chat_api.settings import Settings
from chat_api.stores.base import Bounds, LimitStore, ReplyBounds
from chat_api.stores.conversations import SqlConversationStore
from chat_api.stores.idempotency import SqlIdempotencyStore
from chat_api.stores.limits import SqlLimits
from chat_api.stores.response_base import ResponseBounds
from chat_api.stores.responses import SqlResponseStore
from chat_api.stores.sessions import SqlSessionStore
from chat_api.stores.sql import Database, open_counters, open_database
from chat_api.stores.stored_completions import SqlCompletionStore
from chat_api.upstream_wiring import build_upstreams, openai_for_callers
from chat_api.upstreams.base import KeyedUpstream, Upstream
from chat_api.upstreams.openai import OpenAIUpstream


@dataclass(frozen=True, slots=True)
class Services:
    """What routes work with."""

    router: Router
    models: Models
    gateway: Gateway
    chat: ChatService
    chat_completions: ChatCompletions
    stored_completions: StoredCompletions
    responses: ResponseService
    conversations: Conversations
    background: BackgroundRuns
    embeddings: EmbeddingService
    database: Database
    sessions: Sessions
    session_chat: SessionChat
    caller_keys: CallerKeys
    idempotency: Idempotency
    limiter: Limiter
    readiness: Readiness
    rendering: Rendering

    @property
    def upstream(self) -> Upstream:
        """The default one."""
        return self.router.default


def build_services(
    settings: Settings, *upstreams: Upstream, openai: KeyedUpstream | None = None
) -> Services:
    """Make everything. Nothing is opened: that would be shared by Gunicorn's workers.

    Args:
        upstreams: instead of those that the settings name, the default one first.
        openai: instead of the one that callers' own keys are for.
    """
    answering = upstreams or build_upstreams(settings)

    @cache
    def openai_upstream() -> KeyedUpstream:
        """Made by the first caller's key, where OpenAI does not answer anyway: with its
        certificates it takes 20 to 115 ms, and most servers never see such a key."""
        found = (each for each in answering if isinstance(each, OpenAIUpstream))
        named = (each for each in found if each.name == "openai")
        return openai or next(named, None) or openai_for_callers(settings)

    router = Router(answering, openai_upstream, routing_rules(settings))
    health = Health(settings.further.cooldown_failures, settings.further.cooldown_seconds)
    gateway = Gateway(
        router,
        health,
        heartbeat_seconds=settings.stream_heartbeat_seconds,
        most_calls=settings.max_streams,
        strict_params=settings.strict_params,
    )
    database = open_database(settings.database_url, settings.data_dir)
    sessions = Sessions(SqlSessionStore(database, session_bounds(settings)))
    bounds = response_bounds(settings)
    responses = SqlResponseStore(database, bounds)
    conversations = Conversations(SqlConversationStore(database, bounds), responses)
    turns = Turns(gateway, responses, conversations, sessions)
    runs = BackgroundRuns(
        gateway, turns, responses, heartbeat_seconds=settings.stream_heartbeat_seconds
    )
    stored = StoredCompletions(SqlCompletionStore(database, bounds))
    keys = CallerKeys(settings.client_key_pattern, openai_upstream)
    limiter = Limiter(limit_store(settings), settings.requests_per_minute)
    return Services(
        router=router,
        models=Models(router, settings.models),
        gateway=gateway,
        chat=ChatService(gateway, sessions),
        responses=ResponseService(gateway, turns, runs, responses),
        conversations=conversations,
        background=runs,
        embeddings=EmbeddingService(gateway),
        chat_completions=ChatCompletions(gateway, stored),
        stored_completions=stored,
        database=database,
        sessions=sessions,
        session_chat=SessionChat(gateway, sessions, keys),
        caller_keys=keys,
        idempotency=Idempotency(SqlIdempotencyStore(database, ReplyBounds())),
        limiter=limiter,
        readiness=Readiness(router, health, database, limiter),
        rendering=Rendering(),
    )


def routing_rules(settings: Settings) -> Rules:
    """What the settings say of models' names."""
    further = settings.further
    return Rules(
        allowed=settings.allowed_models,
        aliases=further.aliases,
        claims=[(model, each.name) for each in further.upstreams for model in each.models],
        fallbacks=further.fallbacks,
    )


def limit_store(settings: Settings) -> LimitStore | None:
    """What counts for the rate limits: Redis where there is one, else the database; None where
    there are no limits."""
    if settings.requests_per_minute == 0:
        return None
    if settings.redis_url is None:
        return SqlLimits(open_counters(settings.database_url, settings.data_dir))
    module = importlib.import_module("chat_api.stores.redis_limits")
    store: LimitStore = module.RedisLimits(settings.redis_url)
    return store


def session_bounds(settings: Settings) -> Bounds:
    """How much is kept of conversations."""
    return Bounds(
        ttl_seconds=settings.session_ttl_hours * 3600,
        most_sessions=settings.max_sessions,
        most_messages=settings.max_session_messages,
        most_bytes=MOST_SESSION_BYTES,
    )


def response_bounds(settings: Settings) -> ResponseBounds:
    """How much is kept of responses, and of conversations on `/v1`."""
    return ResponseBounds(settings.response_ttl_hours * 3600, settings.max_responses)
