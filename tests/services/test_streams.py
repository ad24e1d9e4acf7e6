"""A streamed answer: what is shown, what is booked, how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import CallerGone, ChatApiError, UpstreamBroken, UpstreamTimeout
from chat_api.schemas.chat_completions import MOST_CHOICES as MOST_TO_ASK_FOR
from chat_api.services.choice_parts import MOST_CHOICES
from chat_api.services.clients import CallRecord
from chat_api.services.streams import ChatStream
from tests.fakes import USAGE_CHUNK, FakeEventStream, chunk, chunks


class Closes:
    """Counts how often it is called."""

    count = 0

    def __call__(self, failure: ChatApiError | None) -> None:
        self.count += 1


def open_stream(*steps: Any, shows_usage: bool = False, heartbeat: float = 0) -> ChatStream:
    events = FakeEventStream(list(steps))
    return ChatStream(
        events,
        events.read(float("inf")),
        record=CallRecord(),
        shows_usage=shows_usage,
        heartbeat_seconds=heartbeat,
        on_close=Closes(),
    )


def read(stream: ChatStream) -> tuple[list[dict[str, Any]], ChatApiError | None]:
    seen: list[dict[str, Any]] = []
    try:
        for batch in stream:
            seen += [event.data for event in batch]
    except ChatApiError as error:
        return seen, error
    return seen, None


def test_usage_is_booked_and_its_event_hidden_from_who_did_not_ask() -> None:
    stream = open_stream(*chunks("Hel", "lo"))
    seen, error = read(stream)
    assert error is None and not stream.shows_usage
    assert not any(data.get("usage") for data in seen)
    assert len(seen) == 4
    assert (stream.record.prompt_tokens, stream.record.completion_tokens) == (9, 2)
    assert stream.record.outcome == "ok"
    assert stream.model == "gpt-4o-mini-2024-07-18"


def test_usage_is_shown_as_it_came_to_who_asked() -> None:
    sent = chunks("Hel", "lo")
    stream = open_stream(*sent, shows_usage=True)
    assert read(stream) == (sent, None)
    assert stream.record.completion_tokens == 2


def test_usage_beside_choices_is_booked_and_the_choices_stay() -> None:
    last = chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2})
    stream = open_stream(chunk({"content": "x"}), last)
    seen, _ = read(stream)
    assert seen[-1]["choices"][0]["finish_reason"] == "stop"
    assert stream.record.completion_tokens == 2


@pytest.mark.parametrize(
    "steps",
    [
        [chunk({"content": "x"})],
        [chunk({"role": "assistant"}), USAGE_CHUNK],
        [USAGE_CHUNK],
        [chunk({"content": "x"}), {"error": {"message": "secret"}}],
        [chunk({"content": "x"}), {**chunk({}, "stop"), "error": {"message": "secret"}}],
        [chunk({"content": "x"}), {"choices": None}],
        [chunk({"content": "x"}), {"choices": ["text"]}],
        [chunk({"content": "x"}), {"choices": [{"index": []}]}],
        [chunk({"content": "x"}), {}],
    ],
    ids=str,
)
def test_an_answer_without_its_end_is_a_failure(steps: list[Any]) -> None:
    stream = open_stream(*steps)
    _, error = read(stream)
    assert isinstance(error, UpstreamBroken)
    assert "secret" not in str(error)
    assert stream.record.outcome == "UpstreamBroken"


def test_each_of_several_choices_needs_its_end() -> None:
    def part(index: int, finish: str | None = None) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": {}, "finish_reason": finish}]}

    assert read(open_stream(part(0), part(1), part(0, "stop"), part(1, "stop")))[1] is None
    _, error = read(open_stream(part(0), part(1), part(0, "stop")))
    assert isinstance(error, UpstreamBroken)


@pytest.mark.parametrize("finish_reason", [None, "stop"])
def test_more_choices_than_anybody_may_ask_for_are_a_failure(finish_reason: str | None) -> None:
    """Each of their indexes would be kept as long as the stream lives."""
    choice = {"delta": {}, "finish_reason": finish_reason}
    parts = [{**chunk({}), "choices": [{"index": n, **choice}]} for n in range(MOST_CHOICES + 1)]
    seen, error = read(open_stream(*parts[:-1], *parts[:-1], chunk({}, "stop"), *parts))
    assert len(seen) == 3 * MOST_CHOICES + 1
    assert isinstance(error, UpstreamBroken)


def test_as_many_choices_are_let_through_as_may_be_asked_for() -> None:
    assert MOST_CHOICES == MOST_TO_ASK_FOR


def test_what_came_before_a_failure_is_shown() -> None:
    seen, error = read(open_stream([chunk({"content": "x"}), {"error": {}}]))
    assert [data["choices"][0]["delta"]["content"] for data in seen] == ["x"]
    assert isinstance(error, UpstreamBroken)


def test_silence_gives_empty_batches() -> None:
    stream = open_stream(chunk({"content": "x"}), 0.12, chunk({}, "stop"), heartbeat=0.05)
    batches = [len(batch) for batch in stream]
    assert batches[0] == batches[-1] == 1
    assert 0 in batches[1:-1]


@pytest.mark.parametrize("failure", [UpstreamTimeout("t"), CallerGone("c"), UpstreamBroken("b")])
def test_failures_midway_come_through_and_close(failure: ChatApiError) -> None:
    stream = open_stream(chunk({"content": "x"}), failure)
    assert read(stream)[1] is failure
    assert stream.record.outcome == type(failure).__name__
    assert stream._on_close.count == 1  # type: ignore[attr-defined]


def test_closing_before_the_end_means_that_the_caller_left() -> None:
    stream = open_stream(*chunks("Hel", "lo"))
    stream.close()
    stream.close()
    assert stream.record.outcome == "CallerGone"
    assert stream._events.closed == 1  # type: ignore[attr-defined]
    assert stream._on_close.count == 1  # type: ignore[attr-defined]
