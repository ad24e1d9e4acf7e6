"""Every setting, read once from the environment. The only module that reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.request import getproxies_environment

from environs import Env, EnvError

from chat_api import setting_forms as forms
from chat_api.errors import SettingsError
from chat_api.setting_forms import Form
from chat_api.upstreams_file import UpstreamsFile, read_upstreams_file

DEFAULT_MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4-turbo",
    "gpt-4",
    "gpt-3.5-turbo",
    "o1-preview",
    "o1-mini",
)
UPSTREAMS = ("openai", "ollama", "local", "mock")
OLLAMA_PORT = 11434
"""Where Ollama listens when it is told nothing else."""
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[\w.-]+(:\d+)?|null")
LOG_LEVELS = ("debug", "info", "warning", "error")


def _setting(names: str, read: Form, form: str, default: Any, help: str, **options: Any) -> Any:
    """A field with its environment names (the first one wins), its reader and its help."""
    metadata = {"names": names.split(), "read": read, "form": form, "help": help}
    return field(default=default, metadata=metadata, **options)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server was told. Tests build one; the server calls `load_settings`."""

    openai_api_key: str | None = _setting(
        "OPENAI_API_KEY OPENAI_API_KEY_CYB_SEC", forms.key, "a key of visible ASCII", None,
        "the server's own key for the OpenAI upstream", repr=False,
    )  # fmt: skip
    openai_base_url: str | None = _setting(
        "OPENAI_BASE_URL OPENAI_API_BASE", forms.url,
        "an http:// or https:// URL without a user name", None,
        "base URL of that upstream (any OpenAI-compatible server)",
    )  # fmt: skip
    default_model: str | None = _setting(
        "OPENAI_MODEL DEFAULT_MODEL", forms.name, "a model name", None,
        "default model; unset: `gpt-4o-mini`, `llama3` for Ollama, the local model's own name",
    )  # fmt: skip
    models: tuple[str, ...] = _setting(
        "MODELS", forms.names, "comma-separated model names, or `live`", DEFAULT_MODELS,
        "what `/models` lists; `live` for what the upstreams offer",
    )  # fmt: skip
    allowed_models: tuple[str, ...] = _setting(
        "ALLOWED_MODELS", forms.names, "comma-separated names or patterns", ("*",),
        "the models that may be asked for",
    )  # fmt: skip
    upstream: str | None = _setting(
        "UPSTREAM", forms.one_of(*UPSTREAMS), f"one of {', '.join(UPSTREAMS)}", None,
        "the default upstream; unset: OpenAI when a key or base URL is set, else Ollama when its "
        "URL is set or it is found on its standard port, else the local model",
    )  # fmt: skip
    upstreams_file: str | None = _setting(
        "UPSTREAMS_FILE", forms.text, "the path of a TOML file", None,
        "further named upstreams, aliases and fallbacks: docs/routing.md",
    )  # fmt: skip
    ollama_url: str | None = _setting(
        "OLLAMA_URL", forms.ollama_url, "an http:// or https:// URL without a user name", None,
        "turns the Ollama upstream on; its root, or the URL of its `/api/chat`",
    )  # fmt: skip
    local_model_path: str | None = _setting(
        "LOCAL_MODEL_PATH", forms.text, "the path of a GGUF file", None,
        "another GGUF file for the local model",
    )  # fmt: skip
    api_keys: tuple[str, ...] = _setting(
        "API_KEY", forms.keys, "one or more comma-separated keys", (),
        "keys that callers need; unset: open to all", repr=False,
    )  # fmt: skip
    allow_origins: tuple[str, ...] = _setting(
        "ALLOW_ORIGINS", forms.names, "comma-separated origins, or `*`", ("*",),
        "origins whose browser pages may call",
    )  # fmt: skip
    strict_params: bool = _setting(
        "STRICT_PARAMS", forms.flag, "true or false", False,
        "whether a model's refusal of a parameter reaches the caller; else it is left out and told",
    )  # fmt: skip
    host: str = _setting(
        "HOST", forms.host, "an address of this machine, or its name", "0.0.0.0", "bind address"
    )
    port: int = _setting("PORT", forms.whole(0, 65_535), "a port number", 5000, "bind port")
    workers: int = _setting(
        "WEB_CONCURRENCY", forms.whole(1, 256), "a number from 1 to 256", 2, "Gunicorn workers"
    )
    upstream_timeout_seconds: float = _setting(
        "UPSTREAM_TIMEOUT OPENAI_TIMEOUT REQUEST_TIMEOUT", forms.seconds(0.1),
        "seconds, 0.1 or more", 300.0,
        "upstream silence before a 504 (in streams: before an error event)",
    )  # fmt: skip
    upstream_connect_timeout_seconds: float = _setting(
        "UPSTREAM_CONNECT_TIMEOUT", forms.seconds(0.1), "seconds, 0.1 or more", 5.0,
        "time to reach the upstream",
    )  # fmt: skip
    stream_heartbeat_seconds: float = _setting(
        "STREAM_HEARTBEAT_SECONDS", forms.seconds(0), "seconds, 0 for none", 15.0,
        "longest silence in a stream before a `: ping`; 0 = off",
    )  # fmt: skip
    max_streams: int = _setting(
        "MAX_STREAMS", forms.whole(1, 100_000), "a number from 1 to 100000", 2000,
        "calls in flight per worker; more get 503 with `Retry-After`",
    )  # fmt: skip
    max_body_bytes: int = _setting(
        "MAX_BODY_BYTES", forms.whole(1, 2**31), "a number of bytes", 20_971_520, "413 above"
    )
    graceful_timeout_seconds: int = _setting(
        "GRACEFUL_TIMEOUT", forms.whole(0, 86_400), "whole seconds", 25,
        "time that streams get to finish on SIGTERM",
    )  # fmt: skip
    data_dir: str = _setting(
        "DATA_DIR", forms.text, "the path of a folder", "./data",
        "folder of the embedded SQLite store; made when missing",
    )  # fmt: skip
    database_url: str | None = _setting(
        "DATABASE_URL", forms.postgresql_url, "postgresql://user:password@host:port/database", None,
        "PostgreSQL, for several machines; unset: SQLite in `DATA_DIR`", repr=False,
    )  # fmt: skip
    redis_url: str | None = _setting(
        "REDIS_URL", forms.redis_url, "redis://[user:password@]host:port/0, rediss://… or unix:///path",
        None, "Redis, which then counts for the rate limits", repr=False,
    )  # fmt: skip
    requests_per_minute: int | None = _setting(
        "RATE_LIMIT_PER_MINUTE", forms.whole(0, 1_000_000), "a number from 0 to 1000000", None,
        "calls of one caller that spend tokens, in any minute; 0 = no limits at all; unset: 600 "
        "on `/api/*`, no others",
    )  # fmt: skip
    trusted_proxies: int = _setting(
        "TRUSTED_PROXIES", forms.whole(0, 100), "a number from 0 to 100", 0,
        "proxies in front of this server whose `X-Forwarded-For` is believed",
    )  # fmt: skip
    session_ttl_hours: float = _setting(
        "SESSION_TTL_HOURS", forms.number(1e-6, 1e6), "a number of hours above 0", 168.0,
        "hours without activity after which a session is gone",
    )  # fmt: skip
    max_sessions: int = _setting(
        "MAX_SESSIONS", forms.whole(1, 100_000_000), "a number from 1 to 100000000", 100_000,
        "sessions that are kept; above, those with the oldest activity go",
    )  # fmt: skip
    max_session_messages: int = _setting(
        "MAX_SESSION_MESSAGES", forms.whole(2, 1_000_000), "a number from 2 to 1000000", 1000,
        "messages that a session keeps; above, its oldest exchanges go",
    )  # fmt: skip
    response_ttl_hours: float = _setting(
        "RESPONSE_TTL_HOURS", forms.number(1e-6, 1e6), "a number of hours above 0", 720.0,
        "hours without activity after which a stored response or conversation is gone",
    )  # fmt: skip
    max_responses: int = _setting(
        "MAX_RESPONSES", forms.whole(1, 100_000_000), "a number from 1 to 100000000", 100_000,
        "responses that are kept, and as many conversations; above, those with the oldest "
        "activity go",
    )  # fmt: skip
    client_key_pattern: re.Pattern[str] | None = _setting(
        "CLIENT_KEY_PATTERN", forms.pattern,
        "a regular expression without repeats of what has a choice in it, and with two of open "
        "length at most (docs/keys-and-limits.md)", None,
        "form of the `api_key` that callers bring, matched whole; unset: OpenAI's project keys",
    )  # fmt: skip
    log_format: str = _setting(
        "LOG_FORMAT", forms.one_of("json", "console"), "json or console", "json",
        "`console` for people",
    )  # fmt: skip
    log_level: str = _setting(
        "LOG_LEVEL", forms.one_of(*LOG_LEVELS), f"one of {', '.join(LOG_LEVELS)}", "info",
        "least level that is logged",
    )  # fmt: skip
    look_for_ollama_on: int | None = None
    """The loopback port on which Ollama may be found at start where nothing says who answers.
    `load_settings` sets it: settings made by hand look for nothing."""
    further: UpstreamsFile = field(default_factory=UpstreamsFile)
    """What `upstreams_file` says; `load_settings` reads it."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """HTTPS_PROXY and NO_PROXY as urllib reads them; for upstreams reached over TLS."""

    def __post_init__(self) -> None:
        # flask-cors takes what is not a plain name for a regular expression: `.*` would be `*`.
        for origin in self.allow_origins:
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise SettingsError(f"ALLOW_ORIGINS: {origin!r} is not `*` or scheme://host[:port]")


def load_settings() -> Settings:
    """Read the environment, and `.env` of the working directory beneath it.

    An empty variable counts as unset, as in `OPENAI_API_KEY=` of a copied .env.example.

    Raises:
        SettingsError: a value is bad; one line that names the variable and the form wanted.
    """
    env = Env()
    try:
        env.read_env(".env", recurse=False)
    except (OSError, ValueError) as error:  # not UTF-8, a folder
        raise SettingsError(".env cannot be read; wanted: a text file in UTF-8") from error
    values: dict[str, Any] = {}
    for item in fields(Settings):
        for name in item.metadata.get("names", ()):
            if env.str(name, "").strip():
                values[item.name] = _read(env, name, item.metadata)
                break
    proxies = getproxies_environment()
    if not re.fullmatch(r"(http://)?[^\s/]*/?", proxies.get("https", "")):
        raise SettingsError("HTTPS_PROXY has a bad value; wanted: http://host:port")
    if path := values.get("upstreams_file"):
        values["further"] = read_upstreams_file(path, lambda name: env.str(name, "").strip())
    return Settings(proxies=proxies, look_for_ollama_on=OLLAMA_PORT, **values)


def _read(env: Env, name: str, metadata: Mapping[str, Any]) -> Any:
    try:
        return metadata["read"](env.str(name))
    except (EnvError, ValueError) as error:
        # The value is not repeated: it may be a key that was put into the wrong variable.
        raise SettingsError(f"{name} has a bad value; wanted: {metadata['form']}") from error
