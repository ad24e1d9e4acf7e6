"""From OpenAI's chat completion request to Ollama's `POST /api/chat`.

What Ollama takes stands in its own repository (github.com/ollama/ollama, read at fb30760 of
2026-08): `docs/api.md`, `docs/capabilities/*.mdx`, `api/types.go` (`ChatRequest`, `Options`,
`ThinkValue`), and `openai/openai.go` (`FromChatRequest`, what its own OpenAI door makes of the
same fields). Fields that are not named here go up as they came: `keep_alive`, `think`, `logprobs`
and `format`, say. The table is in docs/ollama.md.
"""

from __future__ import annotations

from typing import Any

from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.ollama_messages import chat_messages
from chat_api.upstreams.parameters import AT_OLLAMA
from chat_api.upstreams.shapes import array_at, invalid, number_at, object_at, string_at

OPTIONS = (
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "num_ctx"),
    *("num_predict", "num_keep", "top_k", "min_p", "typical_p", "repeat_last_n", "repeat_penalty"),
)
"""Numbers that stand in Ollama's `options` under the same name."""

LENGTHS = ("max_tokens", "max_completion_tokens")
"""Both are `num_predict`; the last one wins, as it replaced the first."""

TRANSLATED = (
    *(*OPTIONS, *LENGTHS, "messages", "options", "reasoning_effort", "response_format"),
    *("stop", "stream", "stream_options", "tool_choice", "tools"),
    *AT_OLLAMA,
)
"""What does not go up as it came."""

EFFORTS: dict[Any, str | bool] = {"none": False, "minimal": "low", "xhigh": "max"}
"""`reasoning_effort` where `think` has another word for it; Ollama judges the rest."""


def chat_request(body: JsonObject, *, stream: bool) -> JsonObject:
    """The body of `POST /api/chat`.

    Args:
        body: of OpenAI's `POST /chat/completions`, `model` set; it is not changed.

    Raises:
        InvalidRequest: something in it that Ollama has no word for, or that is misshapen.
    """
    request = {
        name: value
        for name, value in body.items()
        if name not in TRANSLATED and value is not None  # null is as good as left out
    }
    request["messages"] = chat_messages(body["messages"])
    request["stream"] = stream  # left out it would mean true
    request["options"] = _options(body)
    if tools := _tools(body.get("tools"), body.get("tool_choice")):
        request["tools"] = tools
    if wanted := _format(body.get("response_format")):
        request["format"] = wanted
    effort = body.get("reasoning_effort")
    if effort is not None:
        request.setdefault("think", EFFORTS.get(effort, effort) if type(effort) is str else effort)
    return request


def _options(body: JsonObject) -> JsonObject:
    """Ollama's `options`. To a number that is none it answers 500 (`Options.FromMap`), so those
    are looked at here. What the caller put into `options` itself wins."""
    options: JsonObject = {}
    fields = [(name, name) for name in OPTIONS] + [(name, "num_predict") for name in LENGTHS]
    for name, option in fields:
        if body.get(name) is not None:
            options[option] = number_at(name, body[name])
    stop = body.get("stop")
    if stop is not None:
        stops = [stop] if type(stop) is str else array_at("stop", stop)
        options["stop"] = [string_at("stop", text) for text in stops]
    if body.get("options") is not None:
        options |= object_at("options", body["options"])
    return options


def _tools(tools: Any, choice: Any) -> list[JsonObject]:
    """The tools that the model may call. Ollama knows no `tool_choice`: `none` sends no tools, a
    function's name only that one, and nothing makes the model call it."""
    every: list[JsonObject] = array_at("tools", [] if tools is None else tools)
    offered = {}
    for number, tool in enumerate(every):
        path = f"tools[{number}]"
        if object_at(path, tool).get("type") != "function":
            raise invalid(f"{path}.type", "must be `function` for Ollama.")
        function = object_at(f"{path}.function", tool.get("function"))
        offered[string_at(f"{path}.function.name", function.get("name"))] = tool
    if choice == "none":
        return []
    if type(choice) is not dict:
        return every
    allowed = choice.get("allowed_tools")
    chosen = array_at("tool_choice", allowed.get("tools")) if type(allowed) is dict else [choice]
    try:
        return [offered[one["function"]["name"]] for one in chosen]
    except (KeyError, TypeError):
        raise invalid("tool_choice", "names no function of `tools`.") from None


def _format(wanted: Any) -> str | JsonObject | None:
    """Ollama's `format`: `json` or a JSON schema; None for text."""
    if wanted is None:
        return None
    path = "response_format"
    kind = object_at(path, wanted).get("type")
    if kind == "json_schema":
        path = f"{path}.json_schema"
        return object_at(f"{path}.schema", object_at(path, wanted.get(kind)).get("schema"))
    if kind not in ("text", "json_object"):
        raise invalid(f"{path}.type", "must be `text`, `json_object` or `json_schema`.")
    return "json" if kind == "json_object" else None
