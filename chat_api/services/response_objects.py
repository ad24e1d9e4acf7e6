"""OpenAI's response object: what the request said, given back, and room for what becomes of it."""

from __future__ import annotations

from typing import Any

from chat_api.services.usage import tokens
from chat_api.upstreams.base import JsonObject

BLANK: JsonObject = {
    "id": None,
    "object": "response",
    "created_at": None,
    "status": None,
    "background": False,
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "",
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "reasoning": None,
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "text": None,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": None,
    "user": None,
    "metadata": {},
}
"""A response's fields in OpenAI's order, with what it documents for those left out."""

GIVEN_BACK = {"instructions", "max_output_tokens", "max_tool_calls", "metadata", "model"}
GIVEN_BACK |= {"parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention"}
GIVEN_BACK |= {"safety_identifier", "service_tier", "temperature", "tool_choice", "top_logprobs"}
GIVEN_BACK |= {"top_p", "truncation", "user"}
"""Parameters that the response repeats as they came."""


def blank_response(request: JsonObject) -> JsonObject:
    """A response before anything happened.

    Args:
        request: a loaded `ResponseRequestSchema`.
    """
    given = {name: request[name] for name in GIVEN_BACK if request.get(name) is not None}
    text, reasoning = request.get("text") or {}, request.get("reasoning") or {}
    return {
        **BLANK,
        **given,
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tools": [_tool(tool) for tool in request.get("tools") or ()],
    }


def usage_of(usage: Any) -> JsonObject | None:
    """A chat completion's usage under the names that responses have; None where it was not
    counted."""
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


def _tool(tool: JsonObject) -> JsonObject:
    """With the fields that clients read of every function, null or false where left out."""
    return {"description": None, "parameters": None, "strict": False, **tool}
