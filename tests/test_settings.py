"""Settings: read once, from one place, with one clear line when something is wrong."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from chat_api.errors import SettingsError
from chat_api.settings import DEFAULT_MODELS, Settings, load_settings


def test_nothing_set_gives_the_defaults_of_the_contract() -> None:
    settings = load_settings()
    assert settings == Settings(proxies=settings.proxies, look_for_ollama_on=11434)
    assert (settings.host, settings.port, settings.workers) == ("0.0.0.0", 5000, 2)
    assert settings.models == DEFAULT_MODELS
    assert (settings.upstream_timeout_seconds, settings.stream_heartbeat_seconds) == (300, 15)
    assert (settings.max_streams, settings.max_body_bytes) == (2000, 20_971_520)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    settings = load_settings()
    assert (settings.port, settings.openai_api_key) == (5000, None)


@pytest.mark.parametrize(
    ("alias", "field", "value", "expected"),
    [
        ("OPENAI_API_KEY_CYB_SEC", "openai_api_key", "sk-1", "sk-1"),
        ("OPENAI_API_BASE", "openai_base_url", "http://h:1/v1/", "http://h:1/v1"),
        ("DEFAULT_MODEL", "default_model", "m", "m"),
        ("OLLAMA_URL", "ollama_url", "http://h:11434/", "http://h:11434"),
        ("OLLAMA_URL", "ollama_url", "http://h:11434/api/chat", "http://h:11434"),
        ("OLLAMA_URL", "ollama_url", "https://h/home/api/chat/", "https://h/home"),
        ("OPENAI_TIMEOUT", "upstream_timeout_seconds", "2.5", 2.5),
        ("REQUEST_TIMEOUT", "upstream_timeout_seconds", "7", 7.0),
        ("API_KEY", "api_keys", "a, b,", ("a", "b")),
        ("UPSTREAM", "upstream", "Mock", "mock"),
        ("DATABASE_URL", "database_url", "postgres://u:p@h:1/d", "postgres://u:p@h:1/d"),
        ("DATABASE_URL", "database_url", "postgresql:///d", "postgresql:///d"),
        ("DATABASE_URL", "database_url", "postgres://u:p@h:1/d?sslmode=require", None),
        ("SESSION_TTL_HOURS", "session_ttl_hours", "0.5", 0.5),
        ("RESPONSE_TTL_HOURS", "response_ttl_hours", "0.5", 0.5),
        ("MAX_RESPONSES", "max_responses", "7", 7),
        ("CLIENT_KEY_PATTERN", "client_key_pattern", r"gsk_\w{52}", re.compile(r"gsk_\w{52}")),
        ("RATE_LIMIT_PER_MINUTE", "requests_per_minute", "0", 0),
        ("TRUSTED_PROXIES", "trusted_proxies", "1", 1),
        ("REDIS_URL", "redis_url", "redis://h", "redis://h"),
        ("REDIS_URL", "redis_url", "rediss://:p@h:1/2?ssl_cert_reqs=none", None),
        ("REDIS_URL", "redis_url", "unix:///run/redis.sock?db=1", None),
    ],
)
def test_values_and_aliases_are_read(
    monkeypatch: pytest.MonkeyPatch, alias: str, field: str, value: str, expected: object
) -> None:
    monkeypatch.setenv(alias, value)
    assert getattr(load_settings(), field) == (value if expected is None else expected)


def test_the_first_name_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_MODEL", "alias")
    monkeypatch.setenv("OPENAI_MODEL", "name")
    assert load_settings().default_model == "name"


def test_a_dotenv_file_is_read_beneath_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("OPENAI_MODEL=from-file\nPORT=1234\n")
    monkeypatch.setenv("PORT", "4321")
    settings = load_settings()
    assert (settings.default_model, settings.port) == ("from-file", 4321)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("WEB_CONCURRENCY", "0"),
        ("UPSTREAM", "nope"),
        ("UPSTREAM_TIMEOUT", "-1"),
        ("UPSTREAM_TIMEOUT", "nan"),
        ("STREAM_HEARTBEAT_SECONDS", "inf"),
        ("MAX_STREAMS", "1.5"),
        ("OPENAI_BASE_URL", "localhost:8000"),
        ("OPENAI_BASE_URL", "http://user:secret@host/v1"),
        ("OPENAI_BASE_URL", "http://:secret@host/v1"),
        ("OPENAI_BASE_URL", "http://host:abc/v1"),
        ("OPENAI_BASE_URL", "http://host:99999/v1"),
        ("OPENAI_BASE_URL", "http://ho st/v1"),
        ("OPENAI_BASE_URL", "https://host/v1?api-version=1"),
        ("ALLOW_ORIGINS", "http://[::1]:3000"),
        ("OLLAMA_URL", "localhost:11434"),
        ("LOG_FORMAT", "xml"),
        ("API_KEY", " , "),
        ("OPENAI_API_KEY", "sk-…"),
        ("OPENAI_API_KEY", "sk-a\r\nX-Evil: 1"),
        ("HTTPS_PROXY", "socks5://localhost:1080"),
        ("HTTPS_PROXY", "https://localhost:3128"),
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("DATABASE_URL", "postgres://u:secret@h:port/d"),
        ("DATABASE_URL", "postgres://u:secret@h"),
        ("SESSION_TTL_HOURS", "0"),
        ("MAX_SESSIONS", "0"),
        ("RESPONSE_TTL_HOURS", "0"),
        ("MAX_RESPONSES", "0"),
        ("RATE_LIMIT_PER_MINUTE", "-1"),
        ("RATE_LIMIT_PER_MINUTE", "many"),
        ("TRUSTED_PROXIES", "all"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://:secret@h:6379"),
        ("REDIS_URL", "redis://:secret@h:port"),
        ("REDIS_URL", "redis://:secret@h/name"),
        ("REDIS_URL", "redis://h?db=secret"),
        ("REDIS_URL", "redis://h?socket_timeout=60"),
        ("REDIS_URL", "redis://h?ssl_cert_reqs=none"),
        ("REDIS_URL", "unix://secret"),
        ("MAX_SESSION_MESSAGES", "1"),
        ("CLIENT_KEY_PATTERN", "sk-["),
        ("CLIENT_KEY_PATTERN", "(sk-.+)+"),
        ("CLIENT_KEY_PATTERN", "a{99999999999999999999}"),
        ("CLIENT_KEY_PATTERN", "(" * 5000 + ")" * 5000),
        ("ALLOW_ORIGINS", ".*"),
        ("ALLOW_ORIGINS", ","),
        ("MODELS", ","),
        ("ALLOWED_MODELS", " , "),
        ("API_KEY", "one,two three"),
        ("API_KEY", "tab\tin it"),
        ("OPENAI_MODEL", "two\nlines"),
        ("HOST", "256.1.1.1"),
        ("HOST", "not an address"),
        ("ALLOW_ORIGINS", "https://a.example,b.example"),
    ],
)
def test_a_bad_value_is_named_with_the_form_wanted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert text.startswith(name) and "\n" not in text and "secret" not in text


@pytest.mark.parametrize("pattern", ["(a|b?)+", "a*b*c*"])
def test_a_pattern_that_is_refused_breaks_a_rule_that_is_told(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setenv("CLIENT_KEY_PATTERN", pattern)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "without repeats of what has a choice in it" in str(caught.value)
    assert "two of open length at most" in str(caught.value)


def test_a_key_is_not_in_the_text_of_the_settings() -> None:
    url = "postgres://u:sk-canary@h/d"
    settings = Settings(
        openai_api_key="sk-canary", api_keys=("sk-canary",), database_url=url, redis_url=url
    )
    assert "sk-canary" not in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("text", [b"\xff\xfe", None], ids=["not UTF-8", "a folder"])
def test_a_dotenv_file_that_cannot_be_read_is_named(tmp_path: Path, text: bytes | None) -> None:
    (tmp_path / ".env").mkdir() if text is None else (tmp_path / ".env").write_bytes(text)
    with pytest.raises(SettingsError, match=r"^\.env "):
        load_settings()
