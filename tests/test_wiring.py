"""Which upstream answers, by what is set."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat_api.errors import SettingsError
from chat_api.services.clients import Client
from chat_api.settings import Settings
from chat_api.upstream_wiring import (
    build_upstreams,
    default_upstream,
    local_model,
    local_model_to_start,
)
from chat_api.upstreams import local, ollama
from chat_api.upstreams_file import NamedUpstream, UpstreamsFile
from chat_api.wiring import build_services, limit_store, response_bounds
from tests.fakes import completion
from tests.ollama_wire import speak
from tests.ports import free_port
from tests.scripted import ScriptedUpstream
from tests.servers import ROOT

OWN_KEY = "sk-proj-" + "k" * 156


@pytest.fixture(autouse=True)
def nothing_found_before() -> Iterator[None]:
    yield
    ollama.is_listening.cache_clear()  # the next test's port may be this one's


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(openai_api_key="k"), "openai"),
        (Settings(openai_base_url="http://h/v1"), "openai"),
        (Settings(upstream="openai"), "openai"),
        (Settings(ollama_url="http://h:11434"), "ollama"),
        (Settings(ollama_url="http://h:11434", openai_api_key="k"), "openai"),
        (Settings(ollama_url="http://h:11434", local_model_path="/some.gguf"), "ollama"),
        (Settings(upstream="ollama", openai_api_key="k"), "ollama"),
        (Settings(upstream="mock", openai_api_key="k"), "mock"),
        (Settings(upstream="local", openai_api_key="k"), "local"),
        (Settings(local_model_path="/some.gguf"), "local"),
    ],
)
def test_the_settings_name_the_upstream(settings: Settings, name: str) -> None:
    assert default_upstream(settings) == name


@pytest.mark.usefixtures("nothing_installed")
def test_ollama_is_found_where_nothing_else_says_who_answers(scripted: ScriptedUpstream) -> None:
    def chosen(**settings: Any) -> str:
        return default_upstream(Settings(look_for_ollama_on=scripted.port, **settings))

    assert chosen() == "ollama"
    assert chosen(openai_api_key="k") == "openai"
    assert chosen(upstream="mock") == "mock"
    assert default_upstream(Settings(look_for_ollama_on=free_port())) == "none"


def test_ollama_is_asked_where_it_was_found(scripted: ScriptedUpstream) -> None:
    scripted.script = speak
    services = build_services(Settings(look_for_ollama_on=scripted.port, models=("live",)))
    with contextlib.closing(services.upstream):
        assert (services.upstream.name, services.upstream.provider) == ("ollama", "Ollama")
        assert services.models.names()[0] == "llama3.2:latest"


@pytest.mark.usefixtures("nothing_installed")
def test_without_anything_no_upstream_is_set_up() -> None:
    services = build_services(Settings())
    assert (services.upstream.name, services.upstream.is_set_up) == ("none", False)
    assert services.upstream.models() == []
    services.upstream.close()


@pytest.mark.usefixtures("nothing_installed")
def test_the_local_model_is_asked_for_but_not_installed() -> None:
    with pytest.raises(SettingsError, match=r"requirements-local\.txt"):
        local_model(Settings(upstream="local"))


def test_another_model_file_must_be_there(tmp_path: Path) -> None:
    if local.find_model(None) is None:
        pytest.skip("the local model is not installed")
    with pytest.raises(SettingsError, match="LOCAL_MODEL_PATH"):
        local_model(Settings(local_model_path=str(tmp_path / "none.gguf")))
    other = tmp_path / "Other-1B.gguf"
    other.write_bytes(b"GGUF")
    services = build_services(Settings(local_model_path=str(other)))
    assert (services.upstream.name, services.upstream.provider) == ("local", "Local")
    assert services.models.default == "other-1b"


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("settings", "model"),
    [
        (Settings(upstream="mock", default_model="m"), "gpt-4o-mini"),
        (Settings(upstream="ollama", default_model="m"), "gpt-4o-mini"),
        (Settings(), "gpt-4o-mini"),
        (Settings(upstream="openai"), "gpt-4o-mini"),
        (Settings(upstream="openai", default_model="m"), "m"),
    ],
    ids=["mock", "ollama", "none", "openai", "openai with a model"],
)
def test_a_callers_own_key_goes_to_openai_whoever_answers_otherwise(
    scripted: ScriptedUpstream, settings: Settings, model: str
) -> None:
    # No connection is kept: nothing here could close it.
    scripted.script = lambda exchange: exchange.reply(200, completion(), "Connection: close\r\n")
    services = build_services(replace(settings, openai_base_url=scripted.url))
    client = services.caller_keys.with_key(Client(), OWN_KEY)
    services.gateway.complete({"messages": [{"role": "user", "content": "Hi"}]}, client)
    (exchange,) = scripted.exchanges
    assert exchange.headers["authorization"] == f"Bearer {OWN_KEY}"
    assert exchange.json["model"] == client.record.model == model
    assert client.record.upstream == "openai"


def test_the_mock_and_openai_have_their_default_models() -> None:
    assert build_services(Settings(upstream="mock")).models.default == "mock-1"
    assert build_services(Settings(openai_api_key="k")).models.default == "gpt-4o-mini"
    assert build_services(Settings(upstream="ollama")).models.default == "llama3"
    mistral = Settings(upstream="ollama", default_model="mistral")
    assert build_services(mistral).models.default == "mistral"
    other = Settings(openai_api_key="k", default_model="gpt-5.5")
    assert build_services(other).models.default == "gpt-5.5"


def upstream_names(**settings: Any) -> list[str]:
    return [upstream.name for upstream in build_upstreams(Settings(**settings))]


def test_what_else_is_set_answers_beside_the_default() -> None:
    assert upstream_names(openai_api_key="k", ollama_url="http://h") == ["openai", "ollama"]
    assert upstream_names(upstream="mock", openai_base_url="http://h") == ["mock", "openai"]
    assert upstream_names(upstream="mock") == ["mock"]
    further = UpstreamsFile(
        upstreams=(NamedUpstream(name="groq", base_url="http://h"),),
        aliases={"fake": "mock/mock-1"},
    )
    assert upstream_names(openai_api_key="k", further=further) == ["openai", "mock", "groq"]


def test_the_default_model_is_the_default_upstreams() -> None:
    settings = Settings(openai_api_key="k", ollama_url="http://h", default_model="gpt-5.5")
    openai, ollama = build_upstreams(settings)
    assert (openai.default_model, ollama.default_model) == ("gpt-5.5", "llama3")


def test_the_local_model_is_started_where_a_fallback_names_it() -> None:
    further = UpstreamsFile(fallbacks={"*": ("local/any",)})
    if local.find_model(None) is None:
        pytest.skip("the local model is not installed")
    assert local_model_to_start(Settings(openai_api_key="k", further=further)) is not None
    assert local_model_to_start(Settings(openai_api_key="k")) is None


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(), "sqlite"),
        (Settings(requests_per_minute=30), "sqlite"),
        (Settings(database_url="postgres://h/d"), "postgresql"),
        (Settings(database_url="postgres://h/d", redis_url="redis://h"), "redis"),
    ],
)
def test_the_settings_name_who_counts_for_the_limits(settings: Settings, name: str) -> None:
    store = limit_store(settings)
    assert store is not None and store.name == name
    assert limit_store(Settings(requests_per_minute=0, redis_url="redis://h")) is None


def test_redis_is_imported_only_where_it_is_used() -> None:
    script = (
        "import sys; from chat_api import create_app; from chat_api.settings import Settings;"
        "create_app(Settings(upstream='mock')); print('redis' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_the_settings_bound_what_is_kept_of_responses() -> None:
    bounds = response_bounds(Settings(response_ttl_hours=0.5, max_responses=7))
    assert (bounds.ttl_seconds, bounds.most) == (1800, 7)
