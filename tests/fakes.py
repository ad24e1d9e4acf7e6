"""Stand-ins that are real implementations: an upstream with a queue, and small answers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson

from chat_api.errors import ChatApiError
from chat_api.upstreams.base import Call, Completion, Embeddings, Event, JsonObject
from chat_api.upstreams.parameters import NONE, Ignored
from chat_api.upstreams.waiting import Caller

LONGEST_SILENCE_SECONDS = 30.0
"""Until an event that nobody sets: the test fails then, and does not hang."""


def completion(text: str = "Hello!", **extra: Any) -> JsonObject:
    """A whole reply as OpenAI writes it."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
        **extra,
    }


def vectors(*found: Any, **extra: Any) -> JsonObject:
    """A list of embeddings as OpenAI writes it."""
    data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(found)]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return {"object": "list", "data": data, "model": "vectors-1", "usage": usage, **extra}


def chunk(delta: JsonObject, finish_reason: str | None = None, **extra: Any) -> JsonObject:
    """A chunk of a streamed reply."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        **extra,
    }


USAGE_CHUNK = {**chunk({}), "choices": [], "usage": completion()["usage"]}


def chunks(*texts: str) -> list[JsonObject]:
    """The chunks of a whole streamed reply, usage included, `"usage": null` before it."""
    first = chunk({"role": "assistant", "content": ""}, usage=None)
    pieces = [chunk({"content": text}, usage=None) for text in texts]
    return [first, *pieces, chunk({}, "stop", usage=None), USAGE_CHUNK]


def frame(data: JsonObject) -> bytes:
    """An event's bytes as an upstream sends them."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


class Silence:
    """Of so many seconds, or until an event is set: that holds however slow a test's machine is."""

    def __init__(self, length: float | threading.Event) -> None:
        self._event = length if isinstance(length, threading.Event) else None
        seconds = length if isinstance(length, int | float) else LONGEST_SILENCE_SECONDS
        self._ends_at = time.monotonic() + seconds

    def is_over(self, until: float) -> bool:
        """Whether it ends until then, however late this wakes up; waits for it. A test may put a
        clock of its own in place of `time.monotonic` and `time.sleep`."""
        seconds = max(0.0, min(until, self._ends_at) - time.monotonic())
        if self._event:
            return self._event.wait(seconds) or self._ends_at <= until
        time.sleep(seconds)
        return self._ends_at <= until


class FakeEventStream:
    """Batches of chunks, errors to be raised, and lengths of silence (see `Silence`)."""

    headers = None

    def __init__(self, steps: list[Any]) -> None:
        self.ended = False
        self.closed = 0
        self._steps = deque(steps)
        self._silence: Silence | None = None

    def read(self, until: float) -> list[Event]:
        """See `EventStream.read`."""
        if self._silence:
            if not self._silence.is_over(until):
                return []
            self._silence = None
        if not self._steps:
            self.ended = True
            return []
        step = self._steps.popleft()
        if isinstance(step, Exception):
            raise step
        if isinstance(step, int | float | threading.Event):
            self._silence = Silence(step)
            return self.read(until)
        batch = step if isinstance(step, list) else [step]
        self.ended = not self._steps
        return [Event(frame(data), data) for data in batch]

    def close(self) -> None:
        """See `EventStream.close`."""
        self.closed += 1


class FakeUpstream:
    """Answers what was enqueued, oldest first, and keeps the calls it got."""

    provider = "Fake"
    is_set_up = True
    accepts_caller_keys = True
    answers_for: tuple[str, ...] = ()
    implied_suffix = ""
    answers_one_choice = False
    ignores: Ignored = NONE
    default_model = "gpt-4o-mini"
    context_tokens = 8_192
    retry_pause_seconds = 0.001

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.calls: list[Call] = []
        self.streams: list[FakeEventStream] = []
        self.listing: list[JsonObject] | ChatApiError = []
        self.listed = 0
        self.verdict: ChatApiError | None = None
        self.checked: list[str] = []
        self._queue: deque[Any] = deque()

    def enqueue(self, *answers: Any) -> None:
        """Answers to come: a completion, a list of a stream's steps, or an error to be raised."""
        self._queue.extend(answers)

    def complete(self, call: Call) -> Completion:
        """See `Upstream.complete`."""
        answer = self._next(call)
        return Completion(orjson.dumps(answer), answer)

    def stream(self, call: Call) -> FakeEventStream:
        """See `Upstream.stream`."""
        stream = FakeEventStream(self._next(call))
        self.streams.append(stream)
        return stream

    def embed(self, call: Call) -> Embeddings:
        """See `Upstream.embed`."""
        answer = self._next(call)
        return Embeddings(orjson.dumps(answer), answer)

    def models(self) -> list[JsonObject]:
        """See `Upstream.models`."""
        self.listed += 1
        if isinstance(self.listing, ChatApiError):
            raise self.listing
        return self.listing

    def check_key(self, key: str, caller: Caller) -> None:
        """See `KeyedUpstream.check_key`; `verdict` is raised."""
        self.checked.append(key)
        if self.verdict:
            raise self.verdict

    def close(self) -> None:
        """Nothing is open."""

    def _next(self, call: Call) -> Any:
        self.calls.append(call)
        answer = self._queue.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


class WatchedUpstream(FakeUpstream):
    """Does something when it is asked for a stream."""

    def __init__(self, watch: Callable[[], object]) -> None:
        super().__init__()
        self._watch = watch

    def stream(self, call: Call) -> FakeEventStream:
        """See `Upstream.stream`."""
        self._watch()
        return super().stream(call)


def listed(*names: str) -> list[JsonObject]:
    """A list of models as OpenAI writes it."""
    return [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in names]
