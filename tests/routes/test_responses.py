"""`POST /v1/responses`: both forms, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types.responses import Response

from tests.fakes import FakeUpstream, completion

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
    assert data["store"] is False, "nothing is stored yet"
    assert {**given, "store": False}.items() <= data.items()
    assert (data["instructions"], data["temperature"]) == ("Be brief.", 0.5)
    assert data["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    }


@pytest.mark.parametrize("name", ["stream", "stream_options", "background", "previous_response_id"])
@pytest.mark.parametrize("value", [True, "resp_1"])
def test_what_is_not_there_yet_is_refused_by_name(
    client: FlaskClient, name: str, value: object
) -> None:
    reply = client.post(URL, json={"input": "Hi", name: value})
    error = reply.get_json()["error"]
    assert (reply.status_code, error["param"]) == (400, name)
    assert error["code"] == "unsupported_parameter"
    assert name in error["message"]


MESSAGE = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"conversation": "conv_1"}, "conversation", "unsupported_parameter"),
        ({"include": ["x"]}, "include", "unsupported_parameter"),
        ({"truncation": "auto"}, "truncation", "unsupported_parameter"),
        ({"messages": [MESSAGE]}, "messages", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"n": True}, "n", "unsupported_parameter"),
        ({"top_logprobs": False}, "top_logprobs", "unsupported_parameter"),
        ({"stream": 0}, "stream", "unsupported_parameter"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format", "unsupported_parameter"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary", "unsupported_parameter"),
        ({"input": None}, "input", "invalid_value"),
        ({"input": {}}, "input", "invalid_value"),
        ({"input": []}, "input", "invalid_value"),
        ({"input": ["x"]}, "input[0]", "invalid_value"),
        ({"input": [MESSAGE, {"type": "reasoning"}]}, "input[1].type", "unsupported_value"),
        ({"input": [{"type": "function_call"}]}, "input[0].type", "unsupported_value"),
        ({"input": [{"content": "x"}]}, "input[0].role", "missing_required_parameter"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": ["user"], "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": [{"role": "user", "content": 1}]}, "input[0].content", "invalid_value"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata", "invalid_value"),
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


@pytest.mark.parametrize(
    ("part", "path", "code"),
    [
        ("x", "", "invalid_value"),
        ({}, ".type", "missing_required_parameter"),
        ({"type": "input_image", "image_url": "x"}, ".type", "unsupported_value"),
        ({"type": ["odd"]}, ".type", "unsupported_value"),
        ({"type": "input_text"}, ".text", "missing_required_parameter"),
        ({"type": "input_text", "text": 1}, ".text", "invalid_value"),
    ],
    ids=str,
)
def test_bad_parts_are_named(client: FlaskClient, part: object, path: str, code: str) -> None:
    good = {"type": "input_text", "text": "x"}
    body = {"input": [MESSAGE, {"role": "user", "content": [good, part]}]}
    error = client.post(URL, json=body).get_json()["error"]
    assert (error["param"], error["code"]) == (f"input[1].content[1]{path}", code)


def test_a_missing_input_is_named(client: FlaskClient) -> None:
    error = client.post(URL, json={}).get_json()["error"]
    assert (error["param"], error["code"]) == ("input", "missing_required_parameter")


def test_nulls_count_as_left_out(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    nulls = dict.fromkeys(("model", "tools", "store", "stream", "text", "reasoning", "metadata"))
    assert client.post(URL, json={"input": "Hi", **nulls}).get_json() == SHORT_REPLY
    assert set(upstream.calls[0].body) == {"model", "messages"}
