"""Who can answer: the upstreams that the settings name, or that are there."""

from __future__ import annotations

from pathlib import Path

from chat_api.errors import SettingsError
from chat_api.settings import OLLAMA_PORT, Settings
from chat_api.upstreams import local, ollama
from chat_api.upstreams.base import Upstream
from chat_api.upstreams.missing import MissingUpstream
from chat_api.upstreams.mock import MockUpstream
from chat_api.upstreams.ollama import OllamaUpstream
from chat_api.upstreams.openai import CONTEXT_TOKENS, OpenAIUpstream
from chat_api.upstreams.parameters import AT_LOCAL, AT_PACKAGED
from chat_api.upstreams_file import NamedUpstream

OPENAI_MODEL = "gpt-4o-mini"
OLLAMA_MODEL = "llama3"


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
    raise SettingsError(
        "The local model is to answer: requirements-local.txt is not installed (`make install`)"
    )


def local_model_to_start(settings: Settings) -> Path | None:
    """The GGUF file where the local model may have to answer, None where it never will.

    Raises:
        SettingsError: it is to answer and is not there.
    """
    return local_model(settings) if "local" in _names(settings) else None


def build_upstreams(settings: Settings) -> list[Upstream]:
    """Those who answer, the default one first."""
    named = [_named(settings, upstream) for upstream in settings.further.upstreams]
    return [*(_built_in(settings, name) for name in _names(settings)), *named]


def openai_for_callers(settings: Settings) -> OpenAIUpstream:
    """OpenAI without a key of the server's: for callers who bring theirs."""
    return _openai(settings, OPENAI_MODEL)


def _names(settings: Settings) -> list[str]:
    """The built-in upstreams that answer, the default one first. The mock and the local model are
    there when they are the default, or when the file of further upstreams asks for them."""
    wanted = {
        "openai": settings.openai_api_key or settings.openai_base_url,
        "ollama": settings.ollama_url,
        "local": settings.further.mentions("local"),
        "mock": settings.further.mentions("mock"),
    }
    default = default_upstream(settings)
    return [default, *(name for name, is_wanted in wanted.items() if is_wanted and name != default)]


def _built_in(settings: Settings, name: str) -> Upstream:
    # The setting is the default upstream's; the others have their own.
    model = settings.default_model if name == default_upstream(settings) else None
    if name == "none":
        return MissingUpstream(default_model=model or OPENAI_MODEL)
    if name == "mock":
        return MockUpstream(timeout_seconds=settings.upstream_timeout_seconds)
    if name == "ollama":
        return _ollama(settings, model or OLLAMA_MODEL)
    if name == "local":
        return _local(settings)
    return _openai(settings, model or OPENAI_MODEL)


def _openai(settings: Settings, model: str) -> OpenAIUpstream:
    return OpenAIUpstream(
        name="openai",
        provider="OpenAI",
        default_model=model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        proxies=settings.proxies,
        accepts_caller_keys=True,
    )


def _ollama(settings: Settings, model: str) -> OllamaUpstream:
    port = settings.look_for_ollama_on or OLLAMA_PORT
    return OllamaUpstream(
        url=settings.ollama_url or f"http://localhost:{port}",
        default_model=model,
        timeout_seconds=settings.upstream_timeout_seconds,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        proxies=settings.proxies,
    )


def _local(settings: Settings) -> OpenAIUpstream:
    model = local_model(settings)
    return OpenAIUpstream(
        name="local",
        provider="Local",
        default_model=local.model_name(model),
        # Gunicorn's master starts it (gunicorn.conf.py) on the port chosen here or there.
        base_url=f"http://127.0.0.1:{local.loopback_port()}/v1",
        api_key=None,
        timeout_seconds=settings.upstream_timeout_seconds,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        answers_for=("*",),
        answers_one_choice=True,
        ignores=AT_PACKAGED if local.is_packaged(model) else AT_LOCAL,
        context_tokens=local.CONTEXT_TOKENS // local.PARALLEL_CONVERSATIONS,
        retry_pause_seconds=1.25,  # it may still be loading: tried at 0, 1.25 and 3.75 s
    )


def _named(settings: Settings, named: NamedUpstream) -> OpenAIUpstream:
    return OpenAIUpstream(
        name=named.name,
        provider=named.name,
        default_model="",  # it is asked for by the names of its models only
        base_url=named.base_url,
        api_key=named.api_key,
        timeout_seconds=named.timeout_seconds or settings.upstream_timeout_seconds,
        connect_timeout_seconds=settings.upstream_connect_timeout_seconds,
        proxies=settings.proxies,
        answers_one_choice=named.answers_one_choice,
        context_tokens=named.context_tokens or CONTEXT_TOKENS,
    )
