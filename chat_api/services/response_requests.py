"""From a response's parameters to a chat completion's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from chat_api.errors import InvalidRequest, UpstreamRefused
from chat_api.upstreams.base import JsonObject

LOGPROBS = "message.output_text.logprobs"
"""The value of `include` that asks for them."""

OWN = {"input", "instructions", "include", "max_output_tokens", "parallel_tool_calls"}
OWN |= {"prompt_cache_options", "reasoning", "text", "tool_choice", "tools", "top_logprobs"}
"""Parameters that are called otherwise in a chat completion, or take another form there."""
KEPT = {"background", "conversation", "max_tool_calls", "metadata", "previous_response_id"}
KEPT |= {"store", "stream", "stream_options", "truncation"}
"""Parameters that concern the response, and nobody behind it."""
IDLE = {"context_management", "n"}
"""Parameters that the schema lets in only with values that mean the same as leaving them out."""

OWN_NAMES = {
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "response_format": "text.format",
}
"""What parameters of a chat completion are called in a response's request."""

UNHEARD: dict[str, dict[str, tuple[Any, ...]]] = {
    "prompt_cache_options": {"comparison_response_id": ()},
    "reasoning": {
        "context": ("auto",),
        "generate_summary": (),
        "mode": ("standard",),
        "summary": (),
    },
}
"""What chat completions have no word for, inside of parameters; and the values that ask for
nothing."""
UNHEARD_OF_TOOLS: dict[str, tuple[Any, ...]] = {
    "allowed_callers": (["direct"],),
    "async": (False,),
    "defer_loading": (False,),
    "output_schema": (),
}
"""The same, of a function among `tools`."""
UNHEARD_OF_ITEMS: dict[str, tuple[Any, ...]] = {
    "async": (False,),
    "caller": ({"type": "direct"},),
    "encrypted_content": (),
    "namespace": (),
    "phase": (),
}
"""The same, of an item of `input`."""
UNHEARD_OF_FILES: dict[str, tuple[Any, ...]] = {"detail": ("auto",)}
NUMBER = re.compile(r"\[\d+\]")


def completion_request(request: JsonObject, messages: list[JsonObject]) -> JsonObject:
    """The body of the chat completion that answers a request.

    Args:
        request: a loaded `ResponseRequestSchema`; it is not changed.
        messages: the conversation, as `response_items.messages_of` gives it.

    Raises:
        InvalidRequest: there is nothing to answer.
    """
    body = {
        name: value
        for name, value in request.items()
        if value is not None and name not in OWN | KEPT | IDLE
    }
    instructions = request.get("instructions")
    first = [] if instructions is None else [{"role": "system", "content": instructions}]
    if not first and not messages:
        raise InvalidRequest("`input` says nothing.", "input", "invalid_value")
    text, cache = request.get("text") or {}, request.get("prompt_cache_options") or {}
    renamed = {
        "messages": [*first, *messages],
        "max_completion_tokens": request.get("max_output_tokens"),
        "reasoning_effort": (request.get("reasoning") or {}).get("effort"),
        "verbosity": text.get("verbosity"),
        "response_format": _response_format(text.get("format")),
        "prompt_cache_options": _chosen(cache, "mode", "ttl") or None,
        **_tools(request),
        **_logprobs(request),
    }
    return body | {name: value for name, value in renamed.items() if value is not None}


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Errors that name a parameter of the chat completion name the response's own instead."""
    try:
        yield
    except (InvalidRequest, UpstreamRefused) as error:
        error.param = _own_name(error.param)
        raise


def _own_name(param: str | None) -> str | None:
    if param is None:
        return None
    head, dot, rest = param.partition(".")
    rest = rest.removeprefix("function.").removeprefix("json_schema.")
    return OWN_NAMES.get(head, head) + dot + rest


def dropped_params(request: JsonObject) -> list[str]:
    """The documented parameters of a request that would do something at OpenAI and do nothing
    here, by their paths. Of a name that several items have, the first place is told."""
    dropped = [
        f"include[{number}]"
        for number, value in enumerate(request.get("include") or ())
        if value == "reasoning.encrypted_content"
    ]
    for param, names in UNHEARD.items():
        dropped += _unheard(param, request.get(param) or {}, names)
    for number, tool in enumerate(request.get("tools") or ()):
        dropped += _unheard(f"tools[{number}]", tool, UNHEARD_OF_TOOLS)
    for number, item in enumerate(request["input"] if type(request["input"]) is list else ()):
        dropped += _unheard(f"input[{number}]", item, UNHEARD_OF_ITEMS)
        dropped += _unheard_of_files(f"input[{number}]", item)
    first = {NUMBER.sub("", path): path for path in reversed(dropped)}
    return [path for path in dropped if path in first.values()]


def _unheard(path: str, given: JsonObject, names: dict[str, tuple[Any, ...]]) -> Iterator[str]:
    for name, idle in names.items():
        value = given.get(name)
        if value is not None and value not in idle:
            yield f"{path}.{name}"


def _unheard_of_files(path: str, item: JsonObject) -> Iterator[str]:
    content = item.get("content")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        if part.get("type") == "input_file":
            yield from _unheard(f"{path}.content[{number}]", part, UNHEARD_OF_FILES)


def _tools(request: JsonObject) -> JsonObject:
    """Functions one level deeper. Without any, upstreams refuse what says how to use them."""
    tools = request.get("tools")
    if not tools:
        return {}
    return {
        "tools": [_tool(tool) for tool in tools],
        "tool_choice": _tool_choice(request.get("tool_choice")),
        "parallel_tool_calls": request.get("parallel_tool_calls"),
    }


def _tool(tool: JsonObject) -> JsonObject:
    function = _chosen(tool, "name", "description", "parameters", "strict")
    return {"type": "function", "function": function}


def _tool_choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice["type"] == "function":
        return _named(choice)
    allowed = {"mode": choice["mode"], "tools": [_named(tool) for tool in choice["tools"]]}
    return {"type": "allowed_tools", "allowed_tools": allowed}


def _named(tool: JsonObject) -> JsonObject:
    return {"type": "function", "function": {"name": tool["name"]}}


def _response_format(wanted: JsonObject | None) -> JsonObject | None:
    if wanted is None or wanted["type"] == "text":
        return None
    if wanted["type"] == "json_object":
        return {"type": "json_object"}
    schema = _chosen(wanted, "name", "description", "schema", "strict")
    return {"type": "json_schema", "json_schema": schema}


def _logprobs(request: JsonObject) -> JsonObject:
    most = request.get("top_logprobs")
    if not most and LOGPROBS not in (request.get("include") or ()):
        return {}
    return {"logprobs": True, "top_logprobs": most or None}


def _chosen(given: JsonObject, *names: str) -> JsonObject:
    return {name: given[name] for name in names if given.get(name) is not None}
