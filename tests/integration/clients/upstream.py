"""What the upstream behind the clients answers: always the same, by what it is asked.

It speaks OpenAI's protocol to the byte and knows a few words in the last message:

| last message | answer |
| --- | --- |
| an image | what kind of image it is and how large |
| a tool's result | that result |
| `wait` | none, until the caller leaves |
| `status N` | a refusal with that HTTP status |
| `cut` | a stream that breaks off after its first piece |
| `refuse`, `long`, `think` | a refusal in words; a text cut at its limit; a thought before a text |
| `history` | everything that was said so far |
| anything else | `You said: …` |

With tools it calls each of them once; with a JSON schema it writes what fits the schema.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from typing import Any

from tests.fakes import chunk, completion, frame, vectors
from tests.scripted import Exchange

MODELS = ("gpt-4o-mini", "text-embedding-3-small")
VECTOR = [0.5, -0.25, 1.0]
STATUS = re.compile(r"status (\d{3})")
REFUSED = "I'd rather not."
THOUGHT = "Let me see."
SAMPLES = {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "null": None}


def answer(exchange: Exchange) -> None:
    """The script of the upstream."""
    if exchange.path.endswith("/models"):
        models = [{"id": n, "object": "model", "created": 1, "owned_by": "x"} for n in MODELS]
        exchange.reply(200, {"object": "list", "data": models})
        return
    asked = exchange.json
    prompt = _text(asked["messages"][-1]) if "messages" in asked else str(asked["input"])
    if prompt == "wait":
        exchange.wait_until_caller_leaves()
    elif found := STATUS.search(prompt):
        _refuse(exchange, int(found[1]))
    elif "messages" not in asked:
        exchange.reply(200, _vectors(asked))
    elif asked.get("stream"):
        _stream(exchange, asked, prompt)
    else:
        choices = [_choice(asked, prompt, index) for index in range(asked.get("n") or 1)]
        exchange.reply(200, completion(choices=choices, model=asked["model"]))


def _refuse(exchange: Exchange, status: int) -> None:
    error = {"message": f"The upstream says {status}.", "type": f"type_{status}"}
    body = {"error": {**error, "param": "messages[0]", "code": f"code_{status}"}}
    # Neither we nor the client try again: the wait would be a test's.
    exchange.reply(status, body, "x-should-retry: false\r\nRetry-After: 7\r\n")


def _vectors(asked: Any) -> Any:
    given = asked["input"]
    several = type(given) is list and type(given[0]) is not int
    return vectors(*[VECTOR] * (len(given) if several else 1), model=asked["model"])


def _choice(asked: Any, prompt: str, index: int) -> Any:
    message, reason = _message(asked, prompt)
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reason}


def _message(asked: Any, prompt: str) -> tuple[dict[str, Any], str]:
    """The whole answer and why it ends."""
    said = {"role": "assistant", "content": None, "refusal": None}
    last = asked["messages"][-1]
    wanted = (asked.get("response_format") or {}).get("type")
    if asked.get("tools") and last["role"] != "tool":
        functions = [tool["function"] for tool in asked["tools"]]
        return {**said, "tool_calls": [*map(_call, functions, itertools.count(1))]}, "tool_calls"
    if prompt == "refuse":
        return {**said, "refusal": REFUSED}, "stop"
    if wanted == "json_schema":
        schema = asked["response_format"]["json_schema"]["schema"]
        return {**said, "content": json.dumps(sample(schema, schema))}, _reason(prompt)
    if wanted == "json_object":
        return {**said, "content": '{"city": "Paris"}'}, "stop"
    if prompt == "think":
        said["reasoning_content"] = THOUGHT
    return {**said, "content": _reply(asked["messages"], prompt)}, _reason(prompt)


def _reason(prompt: str) -> str:
    return "length" if prompt == "long" else "stop"


def _reply(messages: list[Any], prompt: str) -> str:
    last = messages[-1]
    if last["role"] == "tool":
        results = [_text(message) for message in messages if message["role"] == "tool"]
        return f"The tools say: {', '.join(results)}"
    if prompt == "history":
        return "; ".join(f"{message['role']}: {_text(message)}" for message in messages)
    for part in last["content"] if type(last["content"]) is list else ():
        if part["type"] == "image_url":
            kind, _, data = part["image_url"]["url"].partition(";base64,")
            return f"I see {kind.removeprefix('data:')} of {len(base64.b64decode(data))} bytes"
    return f"You said: {prompt}"


def _call(function: Any, number: int) -> Any:
    schema = function.get("parameters") or {}
    called = {"name": function["name"], "arguments": json.dumps(sample(schema, schema))}
    return {"id": f"call_{number}", "type": "function", "function": called}


def sample(schema: Any, root: Any) -> Any:
    """Something that fits a JSON schema, as clients write them."""
    if "$ref" in schema:
        return sample(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return sample(schema[several][0], root)
    if schema.get("type") == "array":
        return [sample(schema.get("items", {"type": "string"}), root)]
    if schema.get("type", "object") == "object":
        return {name: sample(part, root) for name, part in schema.get("properties", {}).items()}
    return SAMPLES[schema["type"]]


def _stream(exchange: Exchange, asked: Any, prompt: str) -> None:
    message, reason = _message(asked, prompt)
    with_usage = (asked.get("stream_options") or {}).get("include_usage")
    rest: dict[str, Any] = {"model": asked["model"], **({"usage": None} if with_usage else {})}
    exchange.start_stream()

    def send(delta: Any, finish_reason: str | None = None) -> None:
        exchange.chunk(frame(chunk(delta, finish_reason, **rest)))

    send({"role": "assistant", "content": ""})
    if thought := message.get("reasoning_content"):
        send({"reasoning_content": thought})
    for piece in re.findall(r"\S+\s*", message["content"] or ""):
        send({"content": piece})
        if prompt == "cut":
            exchange.send(b"0\r\n\r\n")
            return
    if message["refusal"]:
        send({"refusal": message["refusal"]})
    for index, call in enumerate(message.get("tool_calls") or ()):
        arguments = call["function"]["arguments"]
        function = {"name": call["function"]["name"], "arguments": ""}
        send({"tool_calls": [{"index": index, **call, "function": function}]})
        for part in (arguments[:4], arguments[4:]):
            send({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    send({}, reason)
    if with_usage:
        last = {**chunk({}, **rest), "choices": [], "usage": completion()["usage"]}
        exchange.chunk(frame(last))
    exchange.chunk(b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


def _text(message: Any) -> str:
    content = message["content"]
    if type(content) is list:
        return " ".join(part["text"] for part in content if part["type"] == "text")
    return content or ""
