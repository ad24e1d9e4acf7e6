"""From OpenAI's messages to Ollama's.

Ollama's message is `role`, `content` (a text), `images` (base64), `thinking`, `tool_calls` (with
arguments as an object), `tool_name` and `tool_call_id`: `api/types.go` (`Message`, `ToolCall`)
and `docs/api.md` in github.com/ollama/ollama, read at fb30760 of 2026-08.
"""

from __future__ import annotations

from typing import Any

import orjson

from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.json_values import MOST_DEPTH, loads
from chat_api.upstreams.shapes import array_at, invalid, object_at, string_at

ROLES = {"developer": "system", "function": "tool"}
"""Roles that Ollama calls otherwise."""


def chat_messages(messages: list[JsonObject]) -> list[JsonObject]:
    """The conversation in Ollama's form.

    Raises:
        InvalidRequest: something in it that Ollama has no word for, or that is misshapen.
    """
    names: dict[str, str] = {}  # of the functions called so far, by call id
    return [
        _message(f"messages[{number}]", message, names) for number, message in enumerate(messages)
    ]


def _message(path: str, message: JsonObject, names: dict[str, str]) -> JsonObject:
    role = ROLES.get(message["role"], message["role"])
    text, images = _content(f"{path}.content", message.get("content"))
    translated: JsonObject = {"role": role, "content": text}
    if images:
        translated["images"] = images
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if type(thinking) is str:
        translated["thinking"] = thinking
    if message.get("tool_calls"):
        calls = array_at(f"{path}.tool_calls", message["tool_calls"])
        translated["tool_calls"] = [
            _call(f"{path}.tool_calls[{number}]", call, number, names)
            for number, call in enumerate(calls)
        ]
    if role == "tool":
        translated |= _answered(message, names)
    return translated


def _answered(message: JsonObject, names: dict[str, str]) -> JsonObject:
    """Which call a tool's result answers: its id, and the function's name, which OpenAI's
    callers do not repeat."""
    call_id = message.get("tool_call_id")
    call_id = call_id if type(call_id) is str else ""
    name = message.get("name") or names.get(call_id)
    answered = {"tool_name": name, "tool_call_id": call_id}
    return {field: value for field, value in answered.items() if type(value) is str and value}


def _content(path: str, content: Any) -> tuple[str, list[str]]:
    """A message's text and its images. Sound goes among the images (`FromChatRequest` in
    `openai/openai.go`); texts are put together as `collate` in `template/template.go` does."""
    if type(content) is not list:
        return content or "", []
    texts, images = [], []
    for number, part in enumerate(content):
        kind, where = part["type"], f"{path}[{number}]"
        if kind in ("text", "refusal"):
            texts.append(string_at(f"{where}.{kind}", part.get(kind)))
        elif kind == "image_url":
            images.append(_image(f"{where}.{kind}", part.get(kind)))
        elif kind == "input_audio":
            sound = object_at(f"{where}.{kind}", part.get(kind))
            images.append(string_at(f"{where}.{kind}.data", sound.get("data")))
        else:
            raise invalid(f"{where}.type", "is not known to Ollama.")
    return "\n\n".join(texts), images


def _image(path: str, image: Any) -> str:
    """The base64 of an image. A remote one would have to be fetched, and this server goes to no
    address that a request names."""
    if type(image) is dict:
        path, image = f"{path}.url", image.get("url")
    head, _, data = string_at(path, image).partition(",")
    if head[:5].lower() != "data:" or head[-7:].lower() != ";base64":
        raise invalid(path, "must be a data URL (`data:image/png;base64,…`): nothing is fetched.")
    return data


def _call(path: str, call: Any, index: int, names: dict[str, str]) -> JsonObject:
    """A call that the model made earlier."""
    call = object_at(path, call)
    function = object_at(f"{path}.function", call.get("function"))
    name = string_at(f"{path}.function.name", function.get("name"))
    path = f"{path}.function.arguments"
    arguments = function.get("arguments") or {}
    if type(arguments) is str:
        try:
            arguments = loads(arguments.encode())
        except orjson.JSONDecodeError:
            text = f"must be JSON, nested in no more than {MOST_DEPTH} levels."
            raise invalid(path, text) from None
    called = {"index": index, "name": name, "arguments": object_at(path, arguments)}
    if type(call.get("id")) is not str:
        return {"function": called}
    names[call["id"]] = name
    return {"id": call["id"], "function": called}
