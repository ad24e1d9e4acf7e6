"""Which implementation serves: the one place that chooses."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from chat_api.errors import SettingsError
from chat_api.services.chat import ChatService
from chat_api.services.gateway import Gateway
from chat_api.services.limits import Limiter
from chat_api.services.models import Models
from chat_api.services.responses import ResponseService
from chat_api.services.sessions import MOST_SESSION_BYTES, Sessions
from chat_api.settings import OLLAMA_PORT, Settings
from chat_api.stores.base import Bounds, LimitStore
from chat_api.stores.limits import SqlLimits
from chat_api.stores.sessions import SqlSessionStore
from chat_api.stores.sql import Database, open_counters, open_database
from chat_api.upstreams import local, ollama
from chat_api.upstreams.base import Upstream
from chat_api.upstreams.missing import MissingUpstream
from chat_api.upstreams.mock import MockUpstream
from chat_api.upstreams.ollama import OllamaUpstream
from chat_api.upstreams.openai import OpenAIUpstream

OPENAI_MODEL = "gpt-4o-mini"
OLLAMA_MODEL = "llama3"


@dataclass(frozen=True, slots=True)
class Services:
    """What routes work with."""

    upstream: Upstream
    models: Models
    gateway: Gateway
    chat: ChatService
    responses: ResponseService
    database: Database
    sessions: Sessions
    limiter: Limiter


def build_services(settings: Settings, upstream: Upstream | None = None) -> Services:
    """Make everything. Nothing is opened: that would be shared by Gunicorn's workers.

    Args:
        upstream: instead of the one that the settings name.
    """
    upstream = upstream or build_upstream(settings)
    models = Models(upstream, settings.models, settings.allowed_models)
    gateway = Gateway(
        models,
        heartbeat_seconds=settings.stream_heartbeat_seconds,
        most_calls=settings.max_streams,
    )
    database = open_database(settings.database_url, settings.data_dir)
    sessions = Sessions(SqlSessionStore(database, session_bounds(settings)))
    chat = ChatService(gateway, sessions)
    responses = ResponseService(gateway)
    limiter = Limiter(limit_store(settings), settings.requests_per_minute)
    return Services(upstream, models, gateway, chat, responses, database, sessions, limiter)


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


def default_upstream(settings: Settings) -> str:
    """The name of the upstream that answers: `openai`, `ollama`, `local`, `mock`, `none`."""
    if settings.upstream:
        return settings.upstream
    if settings.openai_api_key or settings.openai_base_url:
        return "openai"
    if settings.ollama_url or _ollama_is_found(settings):
        return "ollama"
    return "local" if settings.local_model_path or local.find_model(None) else "none"


def _ollama_is_found(settings: Settings) -> bool:
    port = settings.look_for_ollama_on
    return port is not None and ollama.is_listening(port)


def local_model(settings: Settings) -> Path:
    """The GGUF file of the local model.

    Raises:
        SettingsError: it is asked for and is not there.
    """
    if found := local.find_model(settings.local_model_path):
        return found
    if local.find_model(None) and settings.local_model_path:
        raise SettingsError("LOCAL_MODEL_PATH has a bad value; wanted: the path of a GGUF file")
    raise SettingsError("UPSTREAM=local: requirements-local.txt is not installed (`make install`)")


def local_model_to_start(settings: Settings) -> Path | None:
    """The GGUF file where the local model is to answer, None where another upstream is.

    Raises:
        SettingsError: it is to answer and is not there.
    """
    return local_model(settings) if default_upstream(settings) == "local" else None


def build_upstream(settings: Settings) -> Upstream:
    """The upstream that the settings name, or that is there."""
    name = default_upstream(settings)
    if name == "none":
        return MissingUpstream(default_model=settings.default_model or OPENAI_MODEL)
    if name == "mock":
        return MockUpstream(timeout_seconds=settings.upstream_timeout_seconds)
    if name == "ollama":
        port = settings.look_for_ollama_on or OLLAMA_PORT
        return OllamaUpstream(
            url=settings.ollama_url or f"http://localhost:{port}",
            default_model=settings.default_model or OLLAMA_MODEL,
            timeout_seconds=settings.upstream_timeout_seconds,
            connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
            proxies=settings.proxies,
        )
    if name == "local":
        return OpenAIUpstream(
            name="local",
            provider="Local",
            default_model=local.model_name(local_model(settings)),
            # Gunicorn's master starts it (gunicorn.conf.py) on the port chosen here or there.
            base_url=f"http://127.0.0.1:{local.loopback_port()}/v1",
            api_key=None,
            timeout_seconds=settings.upstream_timeout_seconds,
            connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
            answers_for=("*",),
            answers_one_choice=True,
            context_tokens=local.CONTEXT_TOKENS // local.PARALLEL_CONVERSATIONS,
            retry_pause_seconds=1.25,  # it may still be loading: tried at 0, 1.25 and 3.75 s
        )
    return OpenAIUpstream(
        name="openai",
        provider="OpenAI",
        default_model=settings.default_model or OPENAI_MODEL,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        proxies=settings.proxies,
        accepts_caller_keys=True,
    )
