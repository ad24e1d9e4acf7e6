"""`POST /v1/chat/completions`: bytes through, and what is ours to judge."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from chat_api import errors
from tests.fakes import FakeUpstream, chunk, chunks, completion, frame

MESSAGES = [{"role": "user", "content": "Hi"}]
URL = "/v1/chat/completions"


def test_a_reply_is_the_upstreams_own(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion("Hi", x_vendor={"a": [1, None]}))
    reply = client.post(URL, json={"messages": MESSAGES})
    assert reply.get_json() == completion("Hi", x_vendor={"a": [1, None]})
    assert reply.headers["x-upstream"] == "fake"
    assert "x-model-alias" not in reply.headers


def test_unknown_fields_go_upstream_untouched(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    extra = {"top_k": 5, "tools": [{"type": "function"}], "seed": 2**40, "x": {"y": None}}
    client.post(URL, json={"messages": MESSAGES, "model": "m", **extra})
    assert upstream.calls[0].body == {"messages": MESSAGES, "model": "m", **extra}


def test_a_retired_name_is_told_in_a_header(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    reply = client.post(URL, json={"messages": MESSAGES, "model": "gpt-4"})
    assert reply.headers["x-model-alias"] == "gpt-4"
    assert upstream.calls[0].body["model"] == "gpt-4o"


def test_what_was_left_out_for_the_model_is_told_in_a_header(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    refusals = [
        errors.UpstreamRefused("No.", 400, None, param, "unsupported_parameter")
        for param in ("temperature", "max_tokens")
    ]
    upstream.enqueue(*refusals, completion(), chunks("Hi"))
    body = {"messages": MESSAGES, "temperature": 0.5, "max_tokens": 9}
    for asked in (body, {**body, "stream": True}):
        reply = client.post(URL, json=asked)
        dropped = "temperature, max_tokens=max_completion_tokens"
        assert reply.headers["x-dropped-params"] == dropped
        assert "x-dropped-params" in reply.headers["Access-Control-Expose-Headers"]
    upstream.enqueue(completion())
    assert "x-dropped-params" not in client.post(URL, json={"messages": MESSAGES}).headers


def test_a_stream_is_the_upstreams_frames(client: FlaskClient, upstream: FakeUpstream) -> None:
    sent = chunks("Hel", "lo")
    upstream.enqueue(sent, sent)
    body = {"messages": MESSAGES, "stream": True}
    shown = [{name: value for name, value in data.items() if name != "usage"} for data in sent[:-1]]
    reply = client.post(URL, json=body)
    assert reply.get_data() == b"".join(map(frame, shown)) + b"data: [DONE]\n\n"
    asked = {**body, "stream_options": {"include_usage": True}}
    reply = client.post(URL, json=asked)
    assert reply.get_data() == b"".join(map(frame, sent)) + b"data: [DONE]\n\n"


def test_a_broken_stream_has_an_error_and_no_done(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.UpstreamTimeout("Silent.")])
    text = client.post(URL, json={"messages": MESSAGES, "stream": True}).get_data(as_text=True)
    assert text.endswith(
        'data: {"error":{"message":"Silent.","type":"server_error","param":null,'
        '"code":"upstream_timeout"}}\n\n'
    )


def test_the_events_of_one_read_leave_in_one_piece_and_the_end_with_them(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunks("a", "b", "c")])
    reply = client.post(URL, json={"messages": MESSAGES, "stream": True}, buffered=False)
    [piece] = [piece for piece in reply.response if piece]
    assert piece.endswith(b"\n\ndata: [DONE]\n\n")


IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "messages", "missing_required_parameter"),
        ({"messages": None}, "messages", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": "Hi"}, "messages", "invalid_value"),
        ({"messages": [*MESSAGES, "Hi"]}, "messages[1]", "invalid_value"),
        ({"messages": [*MESSAGES, {"role": "bot"}]}, "messages[1].role", "invalid_value"),
        ({"messages": [{"role": ["user"]}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user", "content": {}}]}, "messages[0].content", "invalid_value"),
        (
            {"messages": [*MESSAGES, *MESSAGES, {"role": "user", "content": [{"type": 1}]}]},
            "messages[2].content[0].type",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "user", "content": [IMAGE, {}]}]},
            "messages[0].content[1].type",
            "missing_required_parameter",
        ),
        (
            {"messages": [{"role": "user", "content": [IMAGE, "x"]}]},
            "messages[0].content[1]",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
            "messages[0].content[0].text",
            "invalid_value",
        ),
        ({"messages": MESSAGES, "model": {}}, "model", "invalid_value"),
        ({"messages": MESSAGES, "temperature": -1}, "temperature", "invalid_value"),
        ({"messages": MESSAGES, "n": 0}, "n", "invalid_value"),
        ({"messages": MESSAGES, "n": 17}, "n", "invalid_value"),
        ({"messages": MESSAGES, "n": 1.0}, "n", "invalid_value"),
        ({"messages": MESSAGES, "stream": "true"}, "stream", "invalid_value"),
        ({"messages": MESSAGES, "stream_options": {}}, "stream_options", "invalid_value"),
        (
            {"messages": MESSAGES, "stream": True, "stream_options": 1},
            "stream_options",
            "invalid_value",
        ),
        (
            {"messages": MESSAGES, "stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
            "invalid_value",
        ),
    ],
    ids=str,
)
def test_bad_fields_are_named_as_openai_names_them(
    client: FlaskClient, body: dict[str, Any], param: str, code: str
) -> None:
    reply = client.post(URL, json=body)
    error = reply.get_json()["error"]
    assert reply.status_code == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert param in error["message"]


def test_nulls_count_as_left_out(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    nulls = dict.fromkeys(("model", "temperature", "n", "stream", "stream_options"))
    assert client.post(URL, json={"messages": MESSAGES, **nulls}).status_code == 200


@pytest.mark.parametrize("role", ["developer", "system", "user", "assistant", "tool", "function"])
def test_all_of_openais_roles_are_taken(
    client: FlaskClient, upstream: FakeUpstream, role: str
) -> None:
    upstream.enqueue(completion())
    message = {"role": role, "content": None, "tool_calls": []}
    assert client.post(URL, json={"messages": [message]}).status_code == 200
    assert upstream.calls[0].body["messages"] == [message]


def test_an_image_of_fifty_megabytes_is_too_large(client: FlaskClient) -> None:
    url = "data:image/png;base64," + "A" * 52_428_800
    image = {"type": "image_url", "image_url": {"url": url}}
    reply = client.post(URL, json={"messages": [{"role": "user", "content": [image]}]})
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (413, "request_too_large")


def test_two_thousand_tools_are_too_many(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    assert client.post(URL, json={"messages": MESSAGES, "tools": [{}] * 128}).status_code == 200
    error = client.post(URL, json={"messages": MESSAGES, "tools": [{}] * 2_000}).get_json()["error"]
    assert (error["param"], error["code"]) == ("tools", "array_above_max_length")


def test_obfuscation_is_asked_for_or_not_and_nothing_else(client: FlaskClient) -> None:
    body = {"messages": MESSAGES, "stream": True, "stream_options": {"include_obfuscation": 0}}
    error = client.post(URL, json=body).get_json()["error"]
    assert error["param"] == "stream_options.include_obfuscation"
