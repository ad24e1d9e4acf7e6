"""Bad bodies: each gets the error of its family, and the process goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.doors import CHAT, CHAT_STREAM, DOORS, V1, V1_STREAM, Door, door_name
from tests.integration.stage import Stage
from tests.integration.wire import ask_at, assert_refused, send
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

PLAIN = (CHAT, CHAT_STREAM)
GOOD = {"role": "user", "content": "Hi"}


def nested(depth: int) -> bytes:
    """So many containers in each other, the body itself among them."""
    return b'{"messages":[],"message":"x","deep":%b%b}' % (b"[" * (depth - 1), b"]" * (depth - 1))


NO_JSON = {
    "nothing": b"",
    "a word": b"hello",
    "half": b'{"message": "Hi"',
    "two": b'{"message": "Hi"} {"message": "Hi"}',
    "a comma too many": b'{"message": "Hi",}',
    "single quotes": b"{'message': 'Hi'}",
    "NaN": b'{"message": "Hi", "messages": [], "temperature": NaN}',
    "NaN deep inside": b'{"message": "Hi", "messages": [], "x": [{"y": NaN}]}',
    "Infinity": b'{"message": "Hi", "messages": [], "temperature": -Infinity}',
    "a lone surrogate": b'{"message": "\\ud800", "messages": []}',
    "one deep inside": b'{"message": "Hi", "messages": [], "x": [{"\\udfff": 1}]}',
    "bytes that are no UTF-8": b'{"message": "\xff\xfe", "messages": []}',
    "an encoded surrogate": b'{"message": "\xed\xa0\x80", "messages": []}',
    "UTF-16": '{"message": "Hi"}'.encode("utf-16"),
    "a control character": b'{"message": "\x00"}',
    "a number of 5,000 digits": b'{"message": "Hi", "messages": [], "x": %b}' % (b"9" * 5000),
    "one deep inside, exponents": b'{"message": "Hi", "messages": [], "x": [1e99999]}',
    "an array": b"[]",
    "a string": b'"message"',
    "a number": b"1",
    "null": b"null",
    "100,000 levels": nested(100_000),
    "100,000 levels of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 brackets": b"[" * 100_000,
    "101 levels": nested(101),
    "1,000 levels": nested(1_000),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_JSON)
def test_what_is_no_json_object_is_refused(relay: Server, stage: Stage, kind: str) -> None:
    for door in (CHAT, CHAT_STREAM, V1):
        text = assert_refused(door, send(relay, door.path, NO_JSON[kind]))
        assert text.startswith("The body ")
    assert stage.exchanges == []


def test_nesting_of_100_levels_is_taken(relay: Server, stage: Stage) -> None:
    deep = json.loads("[" * 99 + "]" * 99)
    assert {reply.status for _, reply in ask_at(DOORS, relay, deep=deep)} == {200}


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30, -(10**300)])
def test_a_whole_number_beyond_64_bits_is_refused_by_its_path(
    relay: Server, stage: Stage, number: int
) -> None:
    for path, fields in (
        ("seed", {"seed": number}),
        ("a.b[1].c", {"a": {"b": [0, {"c": number}]}}),
    ):
        for door in (CHAT, V1, V1_STREAM):
            reply = send(relay, door.path, {**V1.body(), **CHAT.body(), **fields})
            text = assert_refused(door, reply)
            assert text == f"`{path}` must not be a whole number beyond 64 bits."
            assert not door.openai or reply.json["error"]["param"] == path
    assert stage.exchanges == []


def test_what_has_many_digits_and_is_within_64_bits_is_passed_on_as_it_is(
    relay: Server, stage: Stage
) -> None:
    sent = {
        "seed": 2**64 - 1,
        "low": -(2**63),
        "text": "9" * 40,
        "digits": 0.12345678901234567890123,
        "large": 1e29,
    }
    assert send(relay, V1.path, V1.body(**sent)).status == 200
    asked = stage.exchange().json
    assert {name: asked[name] for name in sent} == sent
    assert type(asked["seed"]) is type(asked["low"]) is int


@pytest.mark.parametrize("door", PLAIN, ids=door_name)
@pytest.mark.parametrize("message", [None, "", " \n\t\u3000", 5, True, [], {}, ["Hi"]], ids=repr)
def test_a_message_that_says_nothing_is_refused(
    relay: Server, stage: Stage, message: Any, door: Door
) -> None:
    text = assert_refused(door, send(relay, door.path, {"message": message}))
    assert text.startswith("`message` must ")
    assert stage.exchanges == []


@pytest.mark.parametrize("door", PLAIN, ids=door_name)
def test_a_missing_message_is_refused(relay: Server, stage: Stage, door: Door) -> None:
    for body in ({}, {"Message": "Hi"}, {"messages": [GOOD]}, {"prompt": "Hi"}):
        text = assert_refused(door, send(relay, door.path, body))
        assert text == "`message` is required."


WRONG_FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("model", {"model": 5}),
    ("model", {"model": ["gpt-4o"]}),
    ("temperature", {"temperature": "1"}),
    ("temperature", {"temperature": True}),
    ("temperature", {"temperature": 2.01}),
    ("temperature", {"temperature": -0.01}),
    ("temperature", {"temperature": 10**300}),
    ("messages", {"messages": "Hi"}),
    ("messages", {"messages": {"0": GOOD}}),
    ("messages", {"messages": None}),
    ("messages[0]", {"messages": ["Hi"]}),
    ("messages[1]", {"messages": [GOOD, None]}),
    ("messages[1]", {"messages": [GOOD, [GOOD]]}),
    ("messages[0].role", {"messages": [{"content": "Hi"}]}),
    ("messages[0].role", {"messages": [{"role": None, "content": "Hi"}]}),
    ("messages[0].role", {"messages": [{"role": "king", "content": "Hi"}]}),
    ("messages[0].role", {"messages": [{"role": ["user"], "content": "Hi"}]}),
    ("messages[2].role", {"messages": [GOOD, GOOD, {"role": 7, "content": "Hi"}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": 5}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": False}]}),
    ("messages[0].content", {"messages": [{"role": "user", "content": {"text": "Hi"}}]}),
    ("messages[0].content[0]", {"messages": [{"role": "user", "content": ["Hi"]}]}),
    ("messages[0].content[0].type", {"messages": [{"role": "user", "content": [{}]}]}),
    (
        "messages[2].content[0].type",
        {"messages": [GOOD, GOOD, {"role": "user", "content": [{"type": 5}]}]},
    ),
    (
        "messages[0].content[1].text",
        {"messages": [{"role": "user", "content": [{"type": "image_url"}, {"type": "text"}]}]},
    ),
    (
        "messages[0].content[0].text",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ["Hi"]}]}]},
    ),
]
WRONG_AT_V1: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": []}),
    ("n", {"n": 0}),
    ("n", {"n": 17}),
    ("n", {"n": 100_000}),
    ("n", {"n": 1.0}),
    ("n", {"n": "2"}),
    ("n", {"n": True}),
    ("stream", {"stream": "true"}),
    ("stream", {"stream": 1}),
    ("stream_options", {"stream_options": {"include_usage": True}}),
    ("stream_options", {"stream_options": [], "stream": True}),
    (
        "stream_options.include_usage",
        {"stream_options": {"include_usage": "yes"}, "stream": True},
    ),
]
WRONG_AT_CHAT: list[tuple[str, dict[str, Any]]] = [
    ("max_tokens", {"max_tokens": 0}),
    ("max_tokens", {"max_tokens": 1.5}),
    ("max_tokens", {"max_tokens": "5"}),
    ("max_tokens", {"max_tokens": 10**18}),
]


@pytest.mark.parametrize("door", [CHAT, CHAT_STREAM, V1, V1_STREAM], ids=door_name)
def test_the_path_of_a_wrong_field_is_told(relay: Server, stage: Stage, door: Door) -> None:
    for path, fields in WRONG_FIELDS + (WRONG_AT_V1 if door.openai else WRONG_AT_CHAT):
        streamed = {} if "stream_options" in fields and "stream" not in fields else door.body()
        reply = send(relay, door.path, {**V1.body(), **streamed, **fields})
        assert_refused(door, reply)
        assert f"`{path}` " in door.error_text(reply.body), fields
        if door.openai:
            assert reply.json["error"]["param"] == path, fields
            wanted = ("invalid_value", "missing_required_parameter")
            assert reply.json["error"]["code"] in wanted
    assert stage.exchanges == []


@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=door_name)
def test_missing_messages_are_missed(relay: Server, stage: Stage, door: Door) -> None:
    reply = send(relay, door.path, {"stream": door.streamed, "model": "gpt-4o"})
    assert_refused(door, reply)
    error = reply.json["error"]
    assert (error["param"], error["code"]) == ("messages", "missing_required_parameter")
