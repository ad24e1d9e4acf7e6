"""No field that OpenAI documents is dropped in silence: an upstream is sent it, or the caller is
told, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat import completion_create_params as documented

from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.ollama import OllamaUpstream
from chat_api.upstreams.openai import OpenAIUpstream
from chat_api.upstreams.parameters import AT_OLLAMA, AT_PACKAGED, OPENAIS_OWN
from tests.ollama_wire import root, speak
from tests.scripted import ScriptedUpstream
from tests.services.gateways import gateway_to

MESSAGES = [{"role": "user", "content": "Hi"}]
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
ASKED = {"messages", "model", "n", "stream", "stream_options"}
"""What every upstream is asked by; other tests hold it."""
VALUES: JsonObject = {
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "function_call": {"name": "f"},
    "functions": [FUNCTION],
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_completion_tokens": 5,
    "max_tokens": 5,
    "metadata": {"a": "b"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "omni-moderation-latest"},
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 0.5,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "explicit"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "s",
    "seed": 5,
    "service_tier": "flex",
    "stop": ["x"],
    "store": True,
    "temperature": 0.5,
    "tool_choice": "required",
    "tools": [TOOL],
    "top_logprobs": 2,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {},
}


def ask(gateway: Gateway, scripted: ScriptedUpstream, **fields: Any) -> tuple[JsonObject, set[str]]:
    """What the upstream was sent, and what was told."""
    client = Client()
    gateway.complete({"messages": MESSAGES, "model": "llama3.2", **fields}, client)
    return scripted.exchanges[-1].json, set(client.record.dropped_params)


@pytest.fixture(params=["openai", "ollama", "local"])
def kind(
    request: pytest.FixtureRequest,
    scripted: ScriptedUpstream,
    openai_at: Callable[..., OpenAIUpstream],
    ollama_at: Callable[..., OllamaUpstream],
) -> OpenAIUpstream | OllamaUpstream:
    if request.param == "ollama":
        scripted.script = speak
        return ollama_at(root(scripted))
    return openai_at(scripted.url, ignores=AT_PACKAGED if request.param == "local" else {})


def test_the_table_has_every_field_that_the_sdk_documents() -> None:
    fields = set(documented.CompletionCreateParamsBase.__annotations__) | {"stream"}
    assert set(VALUES) | ASKED == fields
    known = {name for name in {*OPENAIS_OWN, *AT_OLLAMA, *AT_PACKAGED} if "." not in name}
    assert known <= fields


def test_every_field_is_sent_or_told(
    kind: OpenAIUpstream | OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    gateway = gateway_to(kind)
    plain, nothing = ask(gateway, scripted)
    assert nothing == set()
    for name, value in VALUES.items():
        sent, told = ask(gateway, scripted, **{name: value})
        assert told <= {name}
        assert told or sent != plain, f"{name} is dropped in silence"
        if not kind.ignores:
            assert sent == {**plain, name: value} and not told


def test_what_was_told_at_ollama_is_not_sent(
    scripted: ScriptedUpstream, ollama_at: Callable[..., OllamaUpstream]
) -> None:
    scripted.script = speak
    gateway = gateway_to(ollama_at(root(scripted)))
    plain, _ = ask(gateway, scripted)
    for name in VALUES.keys() & AT_OLLAMA.keys():
        assert ask(gateway, scripted, **{name: VALUES[name]}) == (plain, {name})
