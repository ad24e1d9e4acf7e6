"""From what Ollama's `POST /api/chat` answers to OpenAI's completion and chunks.

What it answers stands in its own repository (github.com/ollama/ollama, read at fb30760 of
2026-08): `docs/api.md`, `docs/api/streaming.mdx` and `errors.mdx`, `api/types.go`
(`ChatResponse`, `Metrics`, `ListModelResponse`), `server/routes.go` (`ChatHandler`,
`streamResponse`), and `openai/openai.go` (`ToChatCompletion`, `FinishChunk`, `ToListCompletion`),
whose choices are followed but for the name of the thinking text, `reasoning_content` here.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime
from typing import Any

import orjson

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.base import Event, JsonObject

FINISH_REASONS = {"load": "stop", "unload": "stop"}
"""`done_reason` where OpenAI has another word. Up to May 2024 (0.1.37) there was none."""


def completion(answer: Any) -> JsonObject:
    """The whole reply.

    Raises:
        UpstreamBroken: this is no whole answer of `/api/chat`.
    """
    try:
        if answer["done"] is not True:
            raise KeyError("done")
        return _completion(answer, answer["message"])
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UpstreamBroken("The upstream's answer is no chat completion.") from error


class Chunks:
    """Makes the chunks of one streamed reply from its lines, in the order they come."""

    def __init__(self, *, with_usage: bool) -> None:
        self.done = False
        """The last line came."""
        self._with_usage = with_usage
        self._base: JsonObject = {}
        self._calls = 0

    def feed(self, line: Any) -> list[Event]:
        """The chunks that a line makes.

        Raises:
            UpstreamBroken: it says that Ollama failed, or is no line of `/api/chat`.
        """
        try:
            if line.get("error"):  # in its own words, which may hold what is not for callers
                raise UpstreamBroken("The upstream failed in the middle of its answer.")
            return self._chunks(line)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise UpstreamBroken("The upstream sent a line that is no piece of a chat.") from error

    def _chunks(self, line: JsonObject) -> list[Event]:
        done = line["done"] is True
        message = line["message"] if not done else line.get("message") or {}
        chunks = []
        if not self._base:
            self._base = _base("chat.completion.chunk", line)
            chunks.append(self._chunk({"role": "assistant", "content": ""}))
        deltas: list[JsonObject] = []
        if thinking := _text(message, "thinking"):
            deltas.append({"reasoning_content": thinking})
        if content := _text(message, "content"):
            deltas.append({"content": content})
        if calls := tool_calls(message):
            numbered = [{"index": n, **call} for n, call in enumerate(calls, self._calls)]
            deltas.append({"tool_calls": numbered})
            self._calls += len(calls)
        logprobs = _logprobs(line)
        if logprobs and not deltas:  # of a token that Ollama still holds back
            deltas.append({"content": ""})
        for number, delta in enumerate(deltas, 1):
            chunks.append(self._chunk(delta, logprobs if number == len(deltas) else None))
        if done:
            self.done = True
            chunks.append(self._chunk({}, finish_reason=_finish_reason(line, self._calls)))
            if self._with_usage:
                chunks.append(Event(None, {**self._base, "choices": [], "usage": _usage(line)}))
        return chunks

    def _chunk(
        self, delta: JsonObject, logprobs: JsonObject | None = None, finish_reason: Any = None
    ) -> Event:
        rest = {"delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        chunk = {**self._base, "choices": [{"index": 0, **rest}]}
        if self._with_usage:
            chunk["usage"] = None
        return Event(None, chunk)


def tool_calls(message: JsonObject) -> list[JsonObject]:
    """The calls in a message as OpenAI writes them. Ollama gives each of them whole, and has given
    them ids since November 2025 (0.13); one without gets its id here."""
    calls: list[JsonObject] = []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        arguments = function.get("arguments") or {}
        if type(arguments) is not str:
            arguments = orjson.dumps(arguments).decode()
        called = {"name": function["name"], "arguments": arguments}
        call_id = call.get("id") or f"call_{uuid.uuid4().hex[:24]}"
        calls.append({"id": call_id, "type": "function", "function": called})
    return calls


def model_objects(tags: Any) -> list[JsonObject]:
    """OpenAI's model objects from what `GET /api/tags` answers.

    Raises:
        UpstreamBroken: this is no such answer.
    """
    try:
        return [_model(tag) for tag in tags["models"] or ()]
    except (LookupError, TypeError, AttributeError) as error:
        raise UpstreamBroken("The upstream's list of models is none.") from error


def _model(tag: JsonObject) -> JsonObject:
    name = _text(tag, "model") or tag["name"]
    path = name.split("/")  # `llama3:latest` is `library/llama3:latest`
    owner = path[-2] if len(path) > 1 else "library"
    created = _seconds(tag.get("modified_at"))
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


def _completion(answer: JsonObject, message: JsonObject) -> JsonObject:
    calls = tool_calls(message)
    text = _text(message, "content")
    said: JsonObject = {"role": "assistant", "content": text, "refusal": None}
    if thinking := _text(message, "thinking"):
        said["reasoning_content"] = thinking
    if calls:
        said |= {"content": text or None, "tool_calls": calls}
    finish_reason = _finish_reason(answer, len(calls))
    rest = {"message": said, "logprobs": _logprobs(answer), "finish_reason": finish_reason}
    choices = [{"index": 0, **rest}]
    return {**_base("chat.completion", answer), "choices": choices, "usage": _usage(answer)}


def _base(kind: str, answer: JsonObject) -> JsonObject:
    """The fields that replies and chunks share."""
    identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind}
    created = _seconds(answer.get("created_at")) or int(time.time())
    model = {"model": answer["model"], "system_fingerprint": "fp_ollama"}
    return {**identity, "created": created, **model}


def _finish_reason(answer: JsonObject, calls: int) -> str:
    reason = _text(answer, "done_reason") or "stop"
    reason = FINISH_REASONS.get(reason, reason)
    return "tool_calls" if calls and reason == "stop" else reason


def _usage(answer: JsonObject) -> JsonObject:
    """Counts that are 0 are left out there: of a prompt that was cached as a whole, say."""
    asked, said = answer.get("prompt_eval_count") or 0, answer.get("eval_count") or 0
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _logprobs(answer: JsonObject) -> JsonObject | None:
    tokens = answer.get("logprobs")
    if not tokens:
        return None
    filled = [{"bytes": None, "top_logprobs": [], **token} for token in tokens]
    return {"content": filled, "refusal": None}


def _text(holder: JsonObject, name: str) -> str:
    """A text that may be null or left out."""
    text = holder.get(name)
    if text is not None and type(text) is not str:
        raise TypeError(name)
    return text or ""


def _seconds(moment: Any) -> int:
    """UTC epoch seconds of a moment in RFC 3339, 0 for none; nanoseconds are cut off."""
    try:
        return max(0, int(datetime.fromisoformat(moment).timestamp()))
    except (TypeError, ValueError):
        return 0
