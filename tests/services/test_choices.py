"""`n` answers, whole and streamed, from upstreams of both kinds."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import orjson
import pytest

from chat_api import errors
from chat_api.services.choice_parts import summed
from chat_api.services.clients import Client
from chat_api.upstreams.base import Event
from chat_api.wiring import Services
from tests.fakes import USAGE_CHUNK, FakeUpstream, chunk, chunks, completion
from tests.services.gateways import gateway_to

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def body(n: int, **extra: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}], "n": n, **extra}


def times(factor: int) -> dict[str, int]:
    return {name: value * factor for name, value in USAGE.items()}


def at(index: int, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "choices": [{**choice, "index": index} for choice in data["choices"]]}


def streamed(services: Services, n: int, client: Client | None = None) -> list[Event]:
    """All events, usage shown."""
    asked = body(n, stream_options={"include_usage": True})
    stream = services.gateway.stream(asked, client or Client())
    return [event for batch in stream for event in batch]


def texts(events: list[Event]) -> dict[int, str]:
    found: dict[int, str] = {}
    for event in events:
        for choice in event.data["choices"]:
            text = choice["delta"].get("content") or ""
            found[choice["index"]] = found.get(choice["index"], "") + text
    return found


@pytest.fixture
def single(upstream: FakeUpstream) -> FakeUpstream:
    """An upstream that gives one choice a call."""
    upstream.answers_one_choice = True
    return upstream


def wait_until_closed(upstream: FakeUpstream) -> None:
    """Branches that were called off end a moment later."""
    deadline = time.monotonic() + 5
    while not all(stream.closed for stream in upstream.streams):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_answer_is_asked_for_as_it_came(services: Services, single: FakeUpstream) -> None:
    single.enqueue(completion())
    services.gateway.complete(body(1), Client())
    assert single.calls[0].body["n"] == 1


def test_an_upstream_of_one_choice_is_asked_once_for_each(
    services: Services, single: FakeUpstream
) -> None:
    single.enqueue(*(completion(text, id=f"chatcmpl-{text}") for text in "abc"))
    client = Client()
    answer = services.gateway.complete(body(3, seed=5), client).data
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert sorted(choice["message"]["content"] for choice in answer["choices"]) == ["a", "b", "c"]
    assert answer["usage"] == times(3)
    assert answer["id"] in ("chatcmpl-a", "chatcmpl-b", "chatcmpl-c")
    assert all("n" not in call.body for call in single.calls)
    assert sorted(call.body["seed"] for call in single.calls) == [5, 6, 7]
    assert (client.record.attempts, client.record.completion_tokens) == (3, 6)


def test_a_whole_reply_that_lacks_nothing_passes_as_it_is(
    services: Services, upstream: FakeUpstream
) -> None:
    both = [completion()["choices"][0], {**completion()["choices"][0], "index": 1}]
    upstream.enqueue(completion(choices=both, x_new=1))
    answer = services.gateway.complete(body(2), Client())
    assert answer.data == completion(choices=both, x_new=1)
    assert upstream.calls[0].body["n"] == 2


def test_what_a_whole_reply_lacks_is_asked_for(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion("first"), completion("x"), completion("x"))
    answer = services.gateway.complete(body(3), Client()).data
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert [choice["message"]["content"] for choice in answer["choices"]] == ["first", "x", "x"]
    assert answer["usage"] == times(3)
    assert ["n" in call.body for call in upstream.calls] == [True, False, False]


def test_streams_are_interleaved_under_one_id(services: Services, single: FakeUpstream) -> None:
    for text in "abc":
        single.enqueue([{**data, "id": f"id-{text}"} for data in chunks(text, text)])
    client = Client()
    events = streamed(services, 3, client)
    assert sorted(texts(events)) == [0, 1, 2]
    assert sorted(texts(events).values()) == ["aa", "bb", "cc"]
    assert len({event.data["id"] for event in events}) == 1
    assert len({event.data["created"] for event in events}) == 1
    *before, last = events
    assert (last.data["choices"], last.data["usage"]) == ([], times(3))
    assert all(event.data["usage"] is None for event in before)
    finished = [c["index"] for e in before for c in e.data["choices"] if c["finish_reason"]]
    assert sorted(finished) == [0, 1, 2]
    assert (client.record.attempts, client.record.completion_tokens) == (3, 6)


def test_usage_is_hidden_from_who_did_not_ask(services: Services, single: FakeUpstream) -> None:
    single.enqueue(chunks("a"), chunks("b"))
    stream = services.gateway.stream(body(2), Client())
    assert not any(event.data.get("usage") for batch in stream for event in batch)
    assert stream.usage == times(2)


def test_usage_beside_the_last_text_is_counted_once(
    services: Services, single: FakeUpstream
) -> None:
    single.enqueue(*[[chunk({"content": "a"}, "stop", usage=USAGE)]] * 2)
    events = streamed(services, 2)
    assert [event.data["usage"] for event in events] == [None, None, times(2)]


def test_a_stream_that_lacks_nothing_passes_as_it_is(
    services: Services, upstream: FakeUpstream
) -> None:
    sent = [chunk({"content": "a"}, "stop"), at(1, chunk({"content": "b"}, "stop")), USAGE_CHUNK]
    upstream.enqueue(sent)
    events = streamed(services, 2)
    assert [event.data for event in events] == sent
    assert all(event.raw is not None for event in events)


def test_what_a_stream_lacks_is_asked_for_before_it_ends(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("first"))
    upstream.enqueue(*([{**data, "id": "other"} for data in chunks("x")] for _ in range(2)))
    events = streamed(services, 3)
    assert texts(events) == {0: "first", 1: "x", 2: "x"}
    assert {event.data["id"] for event in events} == {"chatcmpl-1"}
    assert [event.data["usage"] for event in events if event.data.get("usage")] == [times(3)]
    assert events[-1].data["usage"]
    assert ["n" in call.body for call in upstream.calls] == [True, False, False]


@pytest.mark.parametrize("n_given", [1, 2])
def test_usage_may_be_told_any_number_of_times(
    services: Services, upstream: FakeUpstream, n_given: int
) -> None:
    given = [at(index, chunk({"content": "a"}, "stop")) for index in range(n_given)]
    upstream.enqueue([*[USAGE_CHUNK] * 2000, *given, *[USAGE_CHUNK] * 2000], chunks("a"))
    events = streamed(services, 2)
    assert texts(events) == {0: "a", 1: "a"}
    told = [event.data["usage"] for event in events if event.data.get("usage")]
    assert told == [times(3 - n_given)]


def test_who_tells_nothing_but_usage_does_not_prolong_the_grace(upstream: FakeUpstream) -> None:
    upstream.enqueue([*[USAGE_CHUNK] * 4000, chunk({}, "stop")])
    gateway = gateway_to(upstream, grace_seconds=0.001)
    with contextlib.closing(gateway.stream(body(2), Client())) as stream:
        assert next(iter(stream)) == [], "the headers leave before all of it is read"


def test_a_stream_that_breaks_is_not_filled(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue([chunk({"content": "a"})])
    with pytest.raises(errors.UpstreamBroken):
        streamed(services, 2)
    assert len(upstream.calls) == 1


def test_each_call_is_tried_again_by_itself(services: Services, single: FakeUpstream) -> None:
    single.enqueue(errors.UpstreamFailed("x"), completion(), completion())
    client = Client()
    assert len(services.gateway.complete(body(2), client).data["choices"]) == 2
    assert client.record.attempts == 3
    single.enqueue([errors.UpstreamFailed("x")], chunks("a"), chunks("b"))
    assert sorted(texts(streamed(services, 2)).values()) == ["a", "b"]


def test_one_failure_fails_the_whole_call(services: Services, single: FakeUpstream) -> None:
    single.enqueue(completion(), errors.UpstreamTimeout("silent"), completion())
    with pytest.raises(errors.UpstreamTimeout):
        services.gateway.complete(body(3), Client())


@pytest.mark.parametrize(
    "steps",
    [
        [errors.UpstreamTimeout("silent")],
        [chunk({"content": "b"}), errors.UpstreamBroken("x")],
        [chunk({"content": "b"})],
        [chunk({}), {"error": {"message": "secret"}}],
        [chunk({}), {"choices": "odd"}],
        [chunk({}), {"choices": [1]}],
    ],
    ids=str,
)
def test_one_failure_fails_the_stream_and_ends_the_others(
    services: Services, single: FakeUpstream, steps: list[Any]
) -> None:
    endless = [step for _ in range(100) for step in (chunk({"content": "a"}), 0.1)]
    single.enqueue(endless, [0.05, *steps])
    started = time.monotonic()
    with pytest.raises(errors.UpstreamError) as caught:
        streamed(services, 2)
    assert "secret" not in str(caught.value)
    assert time.monotonic() - started < 3
    wait_until_closed(single)


def test_a_failure_before_the_first_piece_is_no_stream(
    services: Services, single: FakeUpstream
) -> None:
    goes_on = threading.Event()
    single.enqueue([goes_on, *chunks("a")], [errors.UpstreamRefused("No.", 400)])
    with pytest.raises(errors.UpstreamRefused):
        services.gateway.stream(body(2), Client())
    goes_on.set()
    wait_until_closed(single)


def test_a_stream_closed_early_ends_all_calls(services: Services, single: FakeUpstream) -> None:
    endless = [step for _ in range(100) for step in (chunk({"content": "a"}), 0.05)]
    single.enqueue(endless, endless, endless)
    stream = services.gateway.stream(body(3), Client())
    next(iter(stream))
    stream.close()
    wait_until_closed(single)


def test_heartbeats_come_while_all_are_silent(upstream: FakeUpstream) -> None:
    upstream.answers_one_choice = True
    goes_on = threading.Event()
    steps = [chunk({"content": "a"}), goes_on, chunk({}, "stop")]
    upstream.enqueue(steps, steps)
    gateway = gateway_to(upstream, heartbeat_seconds=0.1)
    heartbeats = 0
    for batch in gateway.stream(body(2), Client()):
        heartbeats += batch == []
        if heartbeats == 2:
            goes_on.set()
    assert heartbeats >= 2


def test_a_call_counts_for_as_many_as_it_wants(upstream: FakeUpstream) -> None:
    upstream.answers_one_choice = True
    gateway = gateway_to(upstream, most_calls=3)
    upstream.enqueue(*[chunks("x")] * 6)
    stream = gateway.stream(body(2), Client())
    assert gateway.admissions.in_flight == 2
    with pytest.raises(errors.Overloaded):
        gateway.stream(body(2), Client())
    stream.close()
    assert gateway.admissions.in_flight == 0
    gateway.stream(body(4), Client()).close()  # alone: it could never be let in otherwise
    wait_until_closed(upstream)


def test_usage_is_summed_to_its_depth() -> None:
    usage = {"a": 1, "b": {"c": 2, "d": None}, "e": "text", "f": None, "g": True}
    assert summed([usage, None, {"a": 2.5, "b": {"c": 1, "d": 4}, "f": {"x": 1}}, "odd"]) == {
        "a": 3.5,
        "b": {"c": 3, "d": 4},
        "e": "text",
        "f": {"x": 1},
        "g": True,
    }
    assert summed([None]) is None


def test_counts_that_are_nonsense_are_summed_to_what_can_be_written() -> None:
    usage = {"prompt_tokens": 2**64 - 1, "completion_tokens_details": {"reasoning_tokens": 2**63}}
    below = {"prompt_tokens": -(2**63), "completion_tokens": 1}
    assert orjson.dumps(summed([usage, usage, usage]))
    assert orjson.dumps(summed([below, below]))
