"""What OpenAI's protocol has beyond text goes through as it is: bytes in, bytes out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import chunk, completion, frame
from tests.integration.doors import V1
from tests.integration.stage import Stage
from tests.integration.wire import send
from tests.scripted import Exchange
from tests.servers import Server


def fragment(index: int, arguments: str, **head: Any) -> dict[str, Any]:
    """A piece of a tool call."""
    name = {"name": f"f{index}"} if head else {}
    return {"index": index, **head, "function": {**name, "arguments": arguments}}


def call(index: int) -> dict[str, Any]:
    """The head of a tool call."""
    return fragment(index, "", id=f"call_{index}", type="function")


LOGPROBS = {"content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]}
SAID: dict[str, list[dict[str, Any]]] = {
    "tools": [
        {"role": "assistant", "content": None, "tool_calls": [call(0)]},
        {"tool_calls": [fragment(0, '{"a"')]},
        {"tool_calls": [call(1), fragment(0, ":1}")]},
        {"tool_calls": [fragment(1, "{}")]},
    ],
    "refusal": [{"role": "assistant", "content": ""}, {"refusal": "No."}],
    "reasoning_content": [{"reasoning_content": "Hm."}, {"content": "Hi"}],
    "reasoning": [{"reasoning": "Hm."}, {"content": "Hi"}],
    "audio": [{"audio": {"id": "a", "data": "AAAA", "transcript": "Hi"}}],
    "function_call": [{"function_call": {"name": "f", "arguments": "{}"}}],
    "annotations": [{"content": "Hi", "annotations": [{"type": "url_citation"}]}],
}
ASKED = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "file", "file": {"file_data": "AAAA", "filename": "a.pdf"}},
]


def stream(exchange: Exchange, frames: list[bytes]) -> None:
    exchange.start_stream()
    for each in frames:
        exchange.chunk(each)
    exchange.send(b"0\r\n\r\n")


@pytest.mark.parametrize("what", SAID)
def test_pieces_come_as_the_upstream_wrote_them(relay: Server, stage: Stage, what: str) -> None:
    extra = {"service_tier": "default", "obfuscation": "x7Kq", "vendor": {"b": 1, "a": [2]}}
    chunks = [chunk(delta, **extra) for delta in SAID[what]]
    chunks[-1]["choices"][0]["logprobs"] = LOGPROBS
    frames = [*map(frame, [*chunks, chunk({}, "stop")]), b"data: [DONE]\n\n"]
    stage.play(lambda exchange: stream(exchange, frames))
    reply = send(relay, V1.path, V1.body(stream=True))
    assert reply.body == b"".join(frames)


@pytest.mark.parametrize("what", SAID)
def test_a_whole_reply_comes_as_the_upstream_wrote_it(
    relay: Server, stage: Stage, what: str
) -> None:
    whole = completion(service_tier="default", vendor={"b": 1, "a": [2]})
    for delta in SAID[what]:
        whole["choices"][0]["message"].update(delta)
    whole["choices"][0]["logprobs"] = LOGPROBS
    raw = frame(whole)[6:-2].replace(b":", b" : ", 3)  # as nobody here would write it
    stage.play(lambda exchange: exchange.reply(200, raw))
    assert send(relay, V1.path, V1.body()).body == raw


def test_parts_that_are_no_text_go_up_as_they_came(relay: Server, stage: Stage) -> None:
    body = {
        "messages": [{"role": "user", "content": ASKED}],
        "stream_options": {"include_obfuscation": False},
        "stream": True,
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
    }
    assert send(relay, V1.path, body).status == 200
    sent = stage.exchange().json
    options = {"include_obfuscation": False, "include_usage": True}
    assert sent == {**body, "model": sent["model"], "stream_options": options}
