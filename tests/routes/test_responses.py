"""`POST /v1/responses`: both forms, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types.responses import Response

from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunks, completion
from tests.integration.wire import wait_for

URL = "/v1/responses"
SHORT = {"input": "Hi", "model": "gpt-4o", "instructions": "Be brief.", "temperature": 0.5}
SHORT_REPLY = {
    "model": "gpt-4o-mini-2024-07-18",
    "output": {"role": "assistant", "content": "Hello!"},
}


def test_the_short_form_is_the_message(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion(), completion())
    reply = client.post(URL, json=SHORT)
    assert (reply.status_code, reply.get_json()) == (200, SHORT_REPLY)
    assert "Preference-Applied" not in reply.headers
    assert client.post(URL, json={"input": "Hi"}, headers={"x-api-key": "x"}).json == SHORT_REPLY


@pytest.mark.parametrize(
    ("extra", "headers"),
    [
        ({}, {"Authorization": "Bearer x"}),
        ({}, {"x-stainless-lang": "js"}),
        ({"store": False}, {}),
        ({"stream": False}, {}),
        ({"seed": 1}, {}),
        ({"input": [{"role": "user", "content": "Hi"}]}, {}),
        ({}, {"Prefer": "return=representation"}),
    ],
    ids=str,
)
def test_all_others_get_the_full_object(
    client: FlaskClient, upstream: FakeUpstream, extra: dict[str, Any], headers: dict[str, str]
) -> None:
    upstream.enqueue(completion())
    reply = client.post(URL, json={**SHORT, **extra}, headers=headers)
    assert reply.get_json()["object"] == "response"


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("return=minimal", "minimal"),
        ('respond-async, Return="Minimal"; x=1, return=representation', "minimal"),
        ("return=representation", "representation"),
        ("return=other, wait=5", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}], ids=str)
def test_a_preference_always_wins(
    client: FlaskClient,
    upstream: FakeUpstream,
    prefer: str,
    applied: str | None,
    headers: dict[str, str],
) -> None:
    upstream.enqueue(completion())
    reply = client.post(
        URL, json={"input": "Hi", "store": True}, headers={**headers, "Prefer": prefer}
    )
    assert ("object" in reply.get_json()) == (applied != "minimal")
    assert reply.headers.get("Preference-Applied") == (applied and f"return={applied}")


def test_what_runs_in_the_background_is_told_in_full(
    client: FlaskClient, services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hello!"))
    given = {"input": "Hi", "background": True}
    reply = client.post(URL, json=given, headers={"Prefer": "return=minimal"})
    assert reply.get_json()["status"] == "queued" and reply.get_json()["store"] is True
    assert "Preference-Applied" not in reply.headers
    services.background.end(10.0)


def test_the_full_object_is_openais(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    given = {"metadata": {"a": "b"}, "store": True, "top_p": 0.5, "tool_choice": "none"}
    reply = client.post(URL, json={**SHORT, **given})
    data = reply.get_json()
    response = Response.model_validate(data, strict=False)
    assert response.output_text == "Hello!"
    assert data["id"].startswith("resp_") and data["output"][0]["id"].startswith("msg_")
    assert data["status"] == data["output"][0]["status"] == "completed"
    assert data["created_at"] <= data["completed_at"]
    assert given.items() <= data.items()
    assert (data["instructions"], data["temperature"]) == ("Be brief.", 0.5)
    assert data["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    }


MESSAGE = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "prompt", "unsupported_parameter"),
        ({"moderation": {"model": "m"}}, "moderation", "unsupported_parameter"),
        ({"context_management": [{"type": "x"}]}, "context_management", "unsupported_parameter"),
        ({"messages": [MESSAGE]}, "messages", "unsupported_parameter"),
        ({"functions": []}, "functions", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"n": True}, "n", "unsupported_parameter"),
        ({"stream": 0}, "stream", "invalid_value"),
        ({"stream_options": {}}, "stream_options", "invalid_value"),
        ({"stream": True, "stream_options": 1}, "stream_options", "invalid_value"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": 1}},
            "stream_options.include_obfuscation",
            "invalid_value",
        ),
        (
            {"stream": True, "stream_options": {"include_usage": True}},
            "stream_options.include_usage",
            "unsupported_parameter",
        ),
        ({"background": 1}, "background", "invalid_value"),
        ({"background": True, "store": False}, "background", "invalid_value"),
        ({"previous_response_id": 1}, "previous_response_id", "invalid_value"),
        ({"conversation": 1}, "conversation", "invalid_value"),
        ({"conversation": {}}, "conversation.id", "missing_required_parameter"),
        ({"conversation": {"id": 1}}, "conversation.id", "invalid_value"),
        (
            {"conversation": "conv_1", "previous_response_id": "resp_1"},
            "previous_response_id",
            "mutually_exclusive_parameters",
        ),
        ({"include": "x"}, "include", "invalid_value"),
        ({"include": ["reasoning.encrypted_content", "x"]}, "include[1]", "invalid_value"),
        ({"truncation": "some"}, "truncation", "invalid_value"),
        ({"top_logprobs": False}, "top_logprobs", "invalid_value"),
        ({"top_logprobs": 21}, "top_logprobs", "invalid_value"),
        ({"max_tool_calls": 0}, "max_tool_calls", "invalid_value"),
        ({"service_tier": 1}, "service_tier", "invalid_value"),
        ({"reasoning": "low"}, "reasoning", "invalid_value"),
        ({"reasoning": {"effort": 1}}, "reasoning.effort", "invalid_value"),
        ({"reasoning": {"depth": 1}}, "reasoning.depth", "unsupported_parameter"),
        ({"prompt_cache_options": {"ttl": 1}}, "prompt_cache_options.ttl", "invalid_value"),
        (
            {"prompt_cache_options": {"prewarm": True}},
            "prompt_cache_options.prewarm",
            "unsupported_parameter",
        ),
        ({"input": None}, "input", "invalid_value"),
        ({"input": {}}, "input", "invalid_value"),
        ({"input": []}, "input", "invalid_value"),
        ({"input": ["x"]}, "input[0]", "invalid_value"),
        ({"input": [{"content": "x"}]}, "input[0].role", "missing_required_parameter"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": ["user"], "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": [{"role": "user", "content": 1}]}, "input[0].content", "invalid_value"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_value"),
        ({"metadata": dict.fromkeys(map(str, range(17)), "x")}, "metadata", "invalid_value"),
        ({"metadata": {"x" * 65: "y"}}, "metadata", "invalid_value"),
        ({"user": 1}, "user", "invalid_value"),
    ],
    ids=str,
)
def test_bad_fields_are_named(
    client: FlaskClient, body: dict[str, Any], param: str, code: str
) -> None:
    reply = client.post(URL, json={"input": "Hi", **body})
    error = reply.get_json()["error"]
    assert (reply.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"


def test_the_conversation_that_is_not_there_is_named(client: FlaskClient) -> None:
    for conversation in ("conv_none", "a-session", {"id": "a-session"}):
        reply = client.post(URL, json={"input": "Hi", "conversation": conversation})
        assert (reply.status_code, reply.get_json()["error"]["param"]) == (404, "conversation")


def test_what_has_no_effect_is_told_of_a_background_response_too(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    body = {"input": "Hi", "background": True, "reasoning": {"summary": "auto"}}
    upstream.enqueue(chunks("Hi"), chunks("Hi"))
    reply = client.post(URL, json={**body, "stream": True})
    assert reply.headers["x-dropped-params"] == "reasoning.summary"
    reply = client.post(URL, json=body)
    assert reply.headers["x-dropped-params"] == "reasoning.summary"
    path = f"{URL}/{reply.get_json()['id']}"
    wait_for(lambda: client.get(path).get_json()["status"] == "completed")


def test_a_missing_input_is_named(client: FlaskClient) -> None:
    error = client.post(URL, json={}).get_json()["error"]
    assert (error["param"], error["code"]) == ("input", "missing_required_parameter")


def test_nulls_count_as_left_out(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    nulls = dict.fromkeys(("model", "tools", "store", "stream", "text", "reasoning", "metadata"))
    assert client.post(URL, json={"input": "Hi", **nulls}).get_json() == SHORT_REPLY
    assert set(upstream.calls[0].body) == {"model", "messages"}
