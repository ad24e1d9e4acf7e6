"""What Ollama says on the wire, a script for `ScriptedUpstream` that says it, and what comes of it.

The answers are those that `docs/api.md`, `docs/api/errors.mdx` and `docs/capabilities/*.mdx` of
github.com/ollama/ollama show (at fb30760), in the framing of `streamResponse` in
`server/routes.go`: one JSON object a line, one chunk a line.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from chat_api.upstreams.base import Call, Event, EventStream
from tests.scripted import Exchange, ScriptedUpstream

MODEL = "llama3.2"
CREATED_AT = "2023-08-04T08:52:19.385406455-07:00"
CREATED = 1_691_164_339
TIMES = {
    "total_duration": 4883583458,
    "load_duration": 1334875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342546000,
    "eval_count": 282,
    "eval_duration": 4535599000,
}
USAGE = {"prompt_tokens": 26, "completion_tokens": 282, "total_tokens": 308}
WEATHER = {"function": {"name": "get_weather", "arguments": {"city": "Tokyo"}}}
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather in a given city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
TAGS = {
    "models": [
        {
            "name": "llama3.2:latest",
            "model": "llama3.2:latest",
            "modified_at": "2025-05-04T17:37:44.706015396-07:00",
            "size": 2019393189,
            "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
            "details": {"format": "gguf", "family": "llama", "families": ["llama"]},
        },
        {
            "name": "hf.co/someone/gpt-oss:20b",
            "modified_at": "2025-05-10T08:06:48.639712648-07:00",
        },
    ]
}


def line(content: str = "", **message: Any) -> dict[str, Any]:
    """One line of a stream."""
    said = {"role": "assistant", "content": content, **message}
    return {"model": MODEL, "created_at": CREATED_AT, "message": said, "done": False}


def last(reason: str = "stop", **message: Any) -> dict[str, Any]:
    """The last line of a stream; a whole answer, too."""
    return {**line(**message), "done_reason": reason, "done": True, **TIMES}


def start(exchange: Exchange) -> None:
    """The head of a streamed answer."""
    exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
        b"Date: Fri, 21 Nov 2026 10:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
    )


def end(exchange: Exchange) -> None:
    """The end of its framing."""
    exchange.send(b"0\r\n\r\n")


def play(*pieces: bytes) -> Any:
    """A script: a streamed answer of these pieces, each in a chunk of its own."""

    def script(exchange: Exchange) -> None:
        start(exchange)
        for piece in pieces:
            exchange.chunk(piece)
        end(exchange)

    return script


def root(server: ScriptedUpstream) -> str:
    """The URL that stands for `http://localhost:11434`."""
    return server.url.removesuffix("/v1")


def encode(data: Any) -> bytes:
    """A line's bytes, as Go writes them."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def speak(exchange: Exchange) -> None:
    """A script: what an Ollama does that has `llama3.2` and likes to call tools."""
    if exchange.path.endswith("/api/tags"):
        exchange.reply(200, TAGS)
        return
    asked = exchange.json
    if asked["model"] not in (MODEL, f"{MODEL}:latest"):
        exchange.reply(404, {"error": f"model '{asked['model']}' not found"})
    elif not asked["stream"]:
        calls = {"tool_calls": [WEATHER]} if asked.get("tools") else {}
        exchange.reply(200, last(content="" if calls else "Hello!", **calls))
    elif asked.get("tools"):
        other = {"function": {"name": "get_weather", "arguments": {"city": "Kyōto"}}}
        lines = line(tool_calls=[WEATHER]), line(tool_calls=[other]), last()
        play(*map(encode, lines))(exchange)
    else:
        play(*map(encode, (line("Hel"), line("lo!"), last())))(exchange)


def call(**fields: Any) -> Call:
    """A call to be made."""
    messages = [{"role": "user", "content": "Hi"}]
    return Call({"model": MODEL, "messages": messages, **fields})


def read_all(stream: EventStream) -> list[Event]:
    """Every event of a stream, which is closed behind them."""
    events = []
    with contextlib.closing(stream):
        while not stream.ended:
            events += stream.read(float("inf"))
    return events


def text_of(events: list[Event]) -> str:
    """The text in them."""
    choices = [choice for event in events for choice in event.data["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def reasons_of(events: list[Event]) -> list[str]:
    """Their finish reasons."""
    choices = [choice for event in events for choice in event.data["choices"]]
    return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
