"""Bodies: the good ones of each route, and what becomes of them."""

from __future__ import annotations

import gzip
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzzing.values import TEXTS, Raw, wild, written

TOOL = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "maximum": 9}}
PARTS = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
]
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHAT = {"message": "Hi", "model": "gpt-4o", "temperature": 1, "max_tokens": 5, "session_id": None}
HISTORY = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
COMPLETIONS = [
    {"messages": HISTORY, "stream": True, "stream_options": {"include_usage": True}, "n": 2},
    {"messages": [{"role": "user", "content": PARTS}], "store": True, "metadata": {"a": "b"}},
    {
        "messages": [
            *HISTORY,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
        ],
        "tools": [{"type": "function", "function": TOOL}],
        "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        "stop": ["\n"],
        "seed": 7,
        "logit_bias": {"50256": -100},
    },
]
ITEMS = [
    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "a cat"},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
]
RESPONSES = [
    {"input": "Hi", "instructions": "Be brief.", "temperature": 0},
    {"input": ITEMS[:1], "stream": True, "metadata": {"a": "b"}, "max_output_tokens": 20},
    {"input": "Hi", "background": True, "stream": True},
    {"input": "Hi", "background": True},
    {"input": "And?", "previous_response_id": "{response}"},
    {"input": "And?", "conversation": {"id": "{conversation}"}, "truncation": "auto"},
    {
        "input": ITEMS,
        "tools": [{"type": "function", **TOOL}],
        "tool_choice": {"type": "function", "name": "look"},
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
        "store": False,
    },
]
GOOD: dict[str, list[dict[str, Any]]] = {
    "/ui/render": [{"text": "# Hi\n```py\n1\n```"}],
    "/chat": [CHAT, {"message": "Hi", "messages": HISTORY}],
    "/chat/stream": [CHAT, {"message": "Hi", "messages": HISTORY, "session_id": "{session}"}],
    "/ask": [{"messages": HISTORY, "model": "gpt-4o"}],
    "/api/sessions": [{"developer_message": "Be brief."}, {}],
    "/api/chat": [
        {"user_message": "Hi", "developer_message": "Be brief.", "session_id": "{session}"},
        {"user_message": "Hi", "api_key": "sk-proj-" + "x" * 156},
    ],
    "/api/test-key": [{"api_key": "sk-proj-" + "x" * 156}],
    "/v1/chat/completions": COMPLETIONS,
    "/v1/chat/completions/{completion_id}": [{"metadata": {"a": "c"}}],
    "/v1/responses": RESPONSES,
    "/v1/conversations": [{"metadata": {"a": "b"}, "items": ITEMS[:3]}],
    "/v1/conversations/{conversation_id}": [{"metadata": {"a": "c"}}],
    "/v1/conversations/{conversation_id}/items": [{"items": ITEMS[:3]}],
    "/v1/embeddings": [
        {"input": ["Hi", "you"], "model": "text-embedding-3-small", "dimensions": 4},
        {"input": [1, 2, 3], "encoding_format": "base64"},
    ],
}
"""Names in braces stand for what is there (`requests.Known`)."""


MOST_BYTES_TO_REPEAT = 2_000
"""What was repeated is not repeated once more: 200 times 200 times of it would be no request."""


def good_body(rng: Random, path: str) -> Any:
    """One that the route takes; an empty object where none is known."""
    return deepcopy(rng.choice(GOOD.get(path, [{}])))


def mutated(rng: Random, body: Any) -> Any:
    """The body with something else in one place, at any depth."""
    holder, key = rng.choice(_places(body) or [({"": body}, "")])
    change = rng.randrange(7)
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, dict):
        holder[rng.choice(TEXTS)] = holder.pop(key)
    elif change == 2 and isinstance(holder, dict):
        twice = b",%b:%b" % (written(key), written(wild(rng)))
        holder[key] = Raw(written(holder[key]) + twice)
    elif change == 3 and isinstance(holder, dict):
        holder[rng.choice(["", "user", "x" * 300, "\ud800", "stream", "id"])] = wild(rng)
    elif change == 4 and len(written(body)) < MOST_BYTES_TO_REPEAT:
        holder[key] = [holder[key]] * rng.choice([1, 2, 200])
    else:
        holder[key] = wild(rng)
    return body


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in it with each of its keys."""
    if not isinstance(value, (dict, list)):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def spoilt(rng: Random, raw: bytes) -> bytes:
    """The bytes in another coding, cut, doubled, or with some changed."""
    at, change = rng.randrange(len(raw) + 1), rng.randrange(9)
    text = raw.decode(errors="replace")
    if change == 0:
        return gzip.compress(raw, 1, mtime=0)
    if change < 4:
        return text.encode(["utf-16", "utf-32-le", "utf-8-sig"][change - 1], "surrogatepass")
    if change == 4:
        return raw[:at]
    if change == 5:
        return raw + rng.choice([raw, b"\x00", b" " * 5_000, b",", b"}"])
    if change == 6:
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    if change == 7:
        return rng.choice([b"", b"[]", b"null", b'"Hi"', b"1", b"[" * 100_000, b"a=b&c=d"])
    return rng.randbytes(rng.randrange(200))
