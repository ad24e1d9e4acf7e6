"""A scripted upstream for front-end work without a key (`UPSTREAM=mock`).

It repeats what it is told, always the same for the same request, and misbehaves when the last
message asks for it in square brackets, e.g. `Hello [delay=2] [cut=3]`:

| directive | effect |
| --- | --- |
| `[delay=S]` | S seconds before the answer |
| `[pace=S]` | S seconds before each further piece of a stream |
| `[silence=S]` | S seconds of silence in the middle of a stream |
| `[words=N]` | an answer of N words (10,000 at most) |
| `[cut=N]` | the stream breaks off after N pieces; a whole reply fails |
| `[status=N]` | an error of that HTTP status, 400 to 599 |
| `[retry_after=S]` | with `[status=…]`: its `Retry-After` |
| `[tool=NAME]` | a call of that function instead of text |
| `[finish=REASON]` | another `finish_reason` than `stop` |
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator

import orjson

from chat_api.errors import UpstreamBroken, UpstreamTimeout
from chat_api.upstreams.base import Call, Completion, Embeddings, Event, JsonObject
from chat_api.upstreams.mock_embeddings import embedding_list, last_text
from chat_api.upstreams.parameters import NONE
from chat_api.upstreams.refusals import from_status

DIRECTIVE = re.compile(r"\[(\w+)=([\w.-]{1,64})\]")
MODEL = "mock-1"
SILENT = "The upstream stayed silent for too long."
CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z: answers carry no clock, so that they can be compared."""


class MockUpstream:
    """See the module's text."""

    name = "mock"
    provider = "Mock"
    is_set_up = True
    accepts_caller_keys = False
    answers_for: tuple[str, ...] = ("*",)
    implied_suffix = ""
    answers_one_choice = True
    ignores = NONE
    default_model = MODEL
    context_tokens = 8_192
    retry_pause_seconds = 0.25

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds

    def complete(self, call: Call) -> Completion:
        """See `Upstream.complete`."""
        script = Script(call.body)
        self._obey(script, call)
        if "cut" in script.directives:
            raise UpstreamBroken("The upstream broke off in the middle of its answer.")
        data = script.base("chat.completion")
        choice = {"index": 0, "message": script.message(), "logprobs": None}
        data["choices"] = [{**choice, "finish_reason": script.finish_reason}]
        data["usage"] = script.usage()
        return Completion(orjson.dumps(data), data)

    def stream(self, call: Call) -> MockEventStream:
        """See `Upstream.stream`."""
        return MockEventStream(call, Script(call.body), self._timeout)

    def embed(self, call: Call) -> Embeddings:
        """See `Upstream.embed`; the last text may ask for a delay or an error."""
        prompt = {"role": "user", "content": last_text(call.body["input"])}
        self._obey(Script({"messages": [prompt]}), call)
        return Embeddings(None, embedding_list(call.body))

    def models(self) -> list[JsonObject]:
        """See `Upstream.models`."""
        return [{"id": MODEL, "object": "model", "created": CREATED, "owned_by": "mock"}]

    def close(self) -> None:
        """Nothing is open."""

    def _obey(self, script: Script, call: Call) -> None:
        """Wait and fail as told."""
        delay = script.number("delay")
        call.caller.wait(min(delay, self._timeout))
        if delay > self._timeout:
            raise UpstreamTimeout(SILENT)
        script.fail_if_told()


class Script:
    """What one request told the mock to do."""

    def __init__(self, body: JsonObject) -> None:
        self._body = body
        prompt = _last_text(body["messages"])
        self.directives: dict[str, str] = dict(DIRECTIVE.findall(prompt))
        text = " ".join(DIRECTIVE.sub("", prompt).split())
        words = ["word"] * min(int(self.number("words")), 10_000) or ["You", "said:", *text.split()]
        self.pieces = [words[0], *(f" {word}" for word in words[1:])]
        self.tool = self.directives.get("tool")
        self.arguments = orjson.dumps({"query": text}).decode()
        tools = "tool_calls" if self.tool else "stop"
        self.finish_reason = self.directives.get("finish", tools)
        self.call_id = "call_" + self._digest()

    def number(self, name: str) -> float:
        """A directive's number, 0 where there is none."""
        try:
            return max(0.0, min(float(self.directives.get(name, 0)), 86_400.0))
        except ValueError:
            return 0.0

    def fail_if_told(self) -> None:
        """Raises: UpstreamError, as `[status=…]` says."""
        status = int(self.number("status"))
        if 400 <= status < 600:
            headers = {"retry-after": self.directives.get("retry_after", "")}
            error = {"message": f"The mock was told to fail with {status}.", "type": "mock_error"}
            raise from_status(status, headers, {"error": {**error, "code": f"mock_{status}"}})

    def base(self, kind: str) -> JsonObject:
        """The fields that replies and chunks share."""
        identity = {"id": f"chatcmpl-{self._digest()}", "object": kind, "created": CREATED}
        return {**identity, "model": self._body["model"], "system_fingerprint": "fp_mock"}

    def message(self) -> JsonObject:
        """The whole answer."""
        if not self.tool:
            return {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        function = {"name": self.tool, "arguments": self.arguments}
        call = {"id": self.call_id, "type": "function", "function": function}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}

    def deltas(self) -> list[JsonObject]:
        """The answer in pieces, the role first."""
        if not self.tool:
            first = {"role": "assistant", "content": "", "refusal": None}
            return [first, *({"content": piece} for piece in self.pieces)]
        head = {"name": self.tool, "arguments": ""}
        call = {"index": 0, "id": self.call_id, "type": "function", "function": head}
        deltas: list[JsonObject] = [{"role": "assistant", "content": None, "tool_calls": [call]}]
        for start in range(0, len(self.arguments), 8):
            fragment = {"arguments": self.arguments[start : start + 8]}
            deltas.append({"tool_calls": [{"index": 0, "function": fragment}]})
        return deltas

    def usage(self) -> JsonObject:
        """One token a word."""
        asked = sum(len(str(message.get("content")).split()) for message in self._body["messages"])
        said = len(self.pieces)
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}

    def _digest(self) -> str:
        return hashlib.sha256(orjson.dumps(self._body["messages"])).hexdigest()[:24]


class MockEventStream:
    """The mock's answer, piece by piece. See `UpstreamStream`."""

    headers = None

    def __init__(self, call: Call, script: Script, timeout_seconds: float) -> None:
        self.ended = False
        self._caller = call.caller
        self._timeout = timeout_seconds
        self._wants_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
        self._script = script
        self._steps = self._play()
        self._next: tuple[float, Event | None] | None = None
        self._ready_at = time.monotonic()

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        if self.ended:
            return []
        if self._next is None:
            self._next = next(self._steps, (0.0, None))
            self._ready_at = time.monotonic() + self._next[0]
        silence_end = self._ready_at - self._next[0] + self._timeout
        self._caller.wait(min(until, self._ready_at, silence_end) - time.monotonic())
        now = time.monotonic()
        if now < self._ready_at:
            if now >= silence_end:
                raise UpstreamTimeout(SILENT)
            return []
        event, self._next = self._next[1], None
        self.ended = event is None
        return [event] if event else []

    def close(self) -> None:
        """See `EventStream.close`."""
        self.ended = True

    def _play(self) -> Iterator[tuple[float, Event]]:
        """Each event, and the seconds before it."""
        script = self._script
        pause = script.number("delay")
        deltas = script.deltas()
        for number, delta in enumerate(deltas):
            if number == 0:
                script.fail_if_told()
            if "cut" in script.directives and number > script.number("cut"):
                return
            if number == len(deltas) // 2:
                pause += script.number("silence")
            yield pause, self._chunk(delta, None)
            pause = script.number("pace")
        yield pause, self._chunk({}, script.finish_reason)
        if self._wants_usage:
            yield 0.0, Event(None, {**self._base(), "choices": [], "usage": script.usage()})

    def _base(self) -> JsonObject:
        return self._script.base("chat.completion.chunk")

    def _chunk(self, delta: JsonObject, finish_reason: str | None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        data = {**self._base(), "choices": [choice]}
        if self._wants_usage:
            data["usage"] = None
        return Event(None, data)


def _last_text(messages: list[JsonObject]) -> str:
    """The text of the last message, of its text parts when it has parts."""
    content = messages[-1].get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""
