"""`POST /chat` and `POST /chat/stream` as a front end uses them."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from chat_api import errors
from tests.fakes import FakeUpstream, chunk, chunks, completion


def test_a_chat_goes_on_with_the_conversation_of_the_last_reply(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion("Hello Ann!"), completion("Ann."))
    first = client.post("/chat", json={"message": "I am Ann."}).get_json()
    assert set(first) == {"response", "model", "conversation", "usage"}
    second = client.post(
        "/chat", json={"message": "Who am I?", "messages": first["conversation"]}
    ).get_json()
    assert second["response"] == "Ann."
    assert [message["role"] for message in second["conversation"]] == ["user", "assistant"] * 2


def test_a_stream_ends_with_done(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("Hel", "lo"))
    reply = client.post("/chat/stream", json={"message": "Hi"})
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-cache, no-transform"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in reply.headers
    frames = reply.get_data(as_text=True).split("\n\n")
    assert frames[:2] == ['data: {"content": "Hel"}', 'data: {"content": "lo"}']
    assert frames[2].startswith('data: {"done": true')
    last = json.loads(frames[2][6:])
    assert last["model"] == "gpt-4o-mini-2024-07-18" and last["usage"]["total_tokens"] == 11
    assert frames[3:] == [""]


def test_a_broken_stream_says_so_and_is_not_done(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.UpstreamBroken("It broke off.")])
    text = client.post("/chat/stream", json={"message": "Hi"}).get_data(as_text=True)
    assert text == 'data: {"content": "Hel"}\n\ndata: {"error":"It broke off."}\n\n'


def test_nothing_more_is_written_to_a_caller_who_left(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.CallerGone("gone")])
    reply = client.post("/chat/stream", json={"message": "Hi"})
    assert reply.get_data() == b'data: {"content": "Hel"}\n\n'


def test_a_defect_midway_ends_in_an_error_that_hides_its_cause(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), ValueError("the prompt: secret")])
    text = client.post("/chat/stream", json={"message": "Hi"}).get_data(as_text=True)
    assert text.endswith('data: {"error":"Internal error."}\n\n')


@pytest.mark.parametrize("path", ["/chat", "/chat/stream"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`message` is required."),
        ({"message": None}, "`message` must not be null."),
        ({"message": 5}, "`message` must be a string."),
        ({"message": "  \n"}, "`message` must not be blank."),
        ({"message": "x", "temperature": 2.1}, "`temperature` must be a number from 0 to 2."),
        ({"message": "x", "temperature": "1"}, "`temperature` must be a number from 0 to 2."),
        ({"message": "x", "temperature": True}, "`temperature` must be a number from 0 to 2."),
        (
            {"message": "x", "max_tokens": 0},
            "`max_tokens` must be a whole number from 1 to 2147483647.",
        ),
        ({"message": "x", "model": 1}, "`model` must be a string."),
        ({"message": "x", "messages": {}}, "`messages` must be an array of messages."),
        ({"message": "x", "messages": [1]}, "`messages[0]` must be an object."),
        ({"message": "x", "messages": [{}]}, "`messages[0].role` is required."),
        ({"message": "x", "messages": [{"role": 1}]}, "`messages[0].role` must be a string."),
        (
            {"message": "x", "messages": [{"role": "user", "content": 1}]},
            "`messages[0].content` must be a string or an array of parts.",
        ),
    ],
    ids=str,
)
def test_bad_fields_are_named(
    client: FlaskClient, path: str, body: dict[str, object], text: str
) -> None:
    reply = client.post(path, json=body)
    assert (reply.status_code, reply.get_json()) == (400, {"error": text})


def test_unknown_fields_are_ignored(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    assert client.post("/chat", json={"message": "Hi", "tools": 1}).status_code == 200
    assert "tools" not in upstream.calls[0].body
