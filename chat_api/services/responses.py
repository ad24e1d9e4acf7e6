"""OpenAI's Responses, made of chat completions."""

from __future__ import annotations

import secrets
import time
from typing import Any

from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.usage import tokens
from chat_api.upstreams.base import Completion, JsonObject

OWN = {"input", "instructions", "max_output_tokens", "reasoning", "text"}
"""Parameters that are called otherwise in a chat completion."""
KEPT = {"store", "metadata", "parallel_tool_calls"}
"""Parameters that go no further: nothing is stored, pairs are given back, there are no tools."""
IDLE = {"background", "context_management", "include", "n", "stream", "tool_choice", "tools"}
IDLE |= {"top_logprobs", "truncation"}
"""Parameters that the schema lets in only with values that mean the same as leaving them out."""
SHORT_FORM = {"input", "model", "instructions", "temperature"}

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is not whole, by its `finish_reason`."""

DEFAULTS: JsonObject = {
    "background": False,
    "error": None,
    "max_tool_calls": None,
    "previous_response_id": None,
    "store": False,
    "tools": [],
    "top_logprobs": 0,
    "truncation": "disabled",
}
"""What is the same in every response yet."""

GIVEN_BACK: JsonObject = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_p": 1.0,
    "user": None,
}
"""Parameters that the response repeats, and what OpenAI documents for those left out."""


class ResponseService:
    """Responses on top of the gateway, so on every upstream."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def create(self, request: JsonObject, client: Client) -> JsonObject:
        """A response, whole.

        Args:
            request: a loaded `ResponseRequestSchema`.
        """
        created = int(time.time())
        completion = self._gateway.complete(_completion_request(request), client)
        return _response(request, completion, created)


def is_short(request: JsonObject) -> bool:
    """Whether a request asks for so little that the short form says all."""
    given = {name for name, value in request.items() if value is not None}
    return given <= SHORT_FORM and isinstance(request["input"], str)


def short_form(response: JsonObject) -> JsonObject:
    """A response as the message in it."""
    parts = response["output"][0]["content"]
    text = "".join(part.get("text") or part.get("refusal") or "" for part in parts)
    return {"model": response["model"], "output": {"role": "assistant", "content": text}}


def _completion_request(request: JsonObject) -> JsonObject:
    """The same as the body of a chat completion."""
    body = {
        name: value
        for name, value in request.items()
        if value is not None and name not in OWN | KEPT | IDLE
    }
    body["messages"] = _messages(request)
    renamed = {
        "max_completion_tokens": request.get("max_output_tokens"),
        "reasoning_effort": (request.get("reasoning") or {}).get("effort"),
        "verbosity": (request.get("text") or {}).get("verbosity"),
    }
    return body | {name: value for name, value in renamed.items() if value is not None}


def _messages(request: JsonObject) -> list[JsonObject]:
    given = request["input"]
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    messages = [{"role": item["role"], "content": _content(item["content"])} for item in given]
    if request.get("instructions") is not None:
        messages.insert(0, {"role": "system", "content": request["instructions"]})
    return messages


def _content(content: Any) -> Any:
    """A text, or text parts under the name that chat completions have for them. A lone part is
    a plain text, which every upstream takes."""
    if isinstance(content, str):
        return content
    if len(content) == 1:
        return content[0]["text"]
    return [{"type": "text", "text": part["text"]} for part in content]


def _response(request: JsonObject, completion: Completion, created: int) -> JsonObject:
    data = completion.data
    choice = data["choices"][0]
    reason = INCOMPLETE.get(choice.get("finish_reason"))
    status = "incomplete" if reason else "completed"
    given_back = {
        name: default if request.get(name) is None else request[name]
        for name, default in GIVEN_BACK.items()
    }
    text, reasoning = request.get("text") or {}, request.get("reasoning") or {}
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": created,
        "completed_at": None if reason else int(time.time()),
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": data.get("model") or "",
        "output": [_message(choice["message"], status)],
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "service_tier": data.get("service_tier") or "default",
        "text": {"format": {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "usage": _usage(data.get("usage")),
        **given_back,
        **DEFAULTS,
    }


def _message(message: JsonObject, status: str) -> JsonObject:
    """The answer as an output item."""
    parts: list[JsonObject] = []
    text, refusal = message.get("content"), message.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append({"type": "refusal", "refusal": refusal})
    if isinstance(text, str) and (text or not parts):
        parts.insert(0, _text_part(text))
    return {
        "id": f"msg_{secrets.token_hex(24)}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": parts or [_text_part("")],
    }


def _text_part(text: str) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(usage: Any) -> JsonObject | None:
    """Tokens under the names that responses have for them; None where they were not counted."""
    if not isinstance(usage, dict):
        return None

    def count(*path: str) -> int:
        return tokens(usage, *path) or 0

    asked, said = count("prompt_tokens"), count("completion_tokens")
    return {
        "input_tokens": asked,
        "input_tokens_details": {
            "cached_tokens": count("prompt_tokens_details", "cached_tokens"),
            "cache_write_tokens": count("prompt_tokens_details", "cache_write_tokens"),
        },
        "output_tokens": said,
        "output_tokens_details": {
            "reasoning_tokens": count("completion_tokens_details", "reasoning_tokens")
        },
        "total_tokens": count("total_tokens") or asked + said,
    }
