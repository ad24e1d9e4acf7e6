"""The next upstream is asked as long as the caller has seen nothing of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_mock import MockerFixture

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.health import Health
from chat_api.services.routing import Rules
from chat_api.upstreams.refusals import from_status
from tests.fakes import FakeUpstream, chunk, chunks, completion
from tests.services.gateways import gateway_to

ROLE = chunk({"role": "assistant", "content": ""})
FAILING = [
    errors.UpstreamUnreachable("x"),
    errors.UpstreamTimeout("x"),
    errors.UpstreamFailed("x"),
    errors.UpstreamOverloaded("x"),
    errors.UpstreamBroken("x"),
    from_status(429, {}, None),
    from_status(401, {}, None),
]


def body(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hi"}], **more}


@pytest.fixture
def first() -> FakeUpstream:
    return FakeUpstream("first")


@pytest.fixture
def second() -> FakeUpstream:
    upstream = FakeUpstream("second")
    upstream.default_model = "other"
    return upstream


def gateway(first: FakeUpstream, second: FakeUpstream, **options: Any) -> Gateway:
    return gateway_to(first, second, rules=Rules(fallbacks={"*": ["second/other"]}), **options)


def text(stream: Any) -> str:
    events = [event for batch in stream for event in batch]
    deltas = [choice["delta"] for event in events for choice in event.data["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


@pytest.mark.parametrize("failure", FAILING, ids=lambda failure: type(failure).__name__)
def test_a_whole_answer_comes_from_the_next_one(
    first: FakeUpstream, second: FakeUpstream, failure: Exception
) -> None:
    first.enqueue(*[failure] * 3)
    second.enqueue(completion("from the second"))
    client = Client()
    found = gateway(first, second).complete(body(), client)
    assert found.data["choices"][0]["message"]["content"] == "from the second"
    record = client.record
    assert (record.upstream, record.model, record.alias) == ("second", "other", "gpt-4o-mini")
    assert record.attempts == len(first.calls) + 1
    assert (first.calls[0].body["model"], second.calls[0].body["model"]) == ("gpt-4o-mini", "other")


@pytest.mark.parametrize("failure", FAILING, ids=lambda failure: type(failure).__name__)
def test_a_stream_comes_from_the_next_one(
    first: FakeUpstream, second: FakeUpstream, failure: Exception
) -> None:
    first.enqueue(*[[failure]] * 3)
    second.enqueue(chunks("from the ", "second"))
    client = Client()
    assert text(gateway(first, second).stream(body(), client)) == "from the second"
    assert (client.record.upstream, client.record.outcome) == ("second", "ok")
    assert all(stream.closed for stream in first.streams + second.streams)


@pytest.mark.parametrize(
    "refusal",
    [
        from_status(400, {}, None),
        from_status(404, {}, None),
        from_status(422, {}, None),
        from_status(401, {}, None, callers_key="sk-own"),
        from_status(429, {"x-should-retry": "false"}, None, callers_key="sk-own"),
    ],
    ids=["400", "404", "422", "the caller's key", "the caller's limit"],
)
def test_what_is_wrong_with_the_request_is_told_at_once(
    first: FakeUpstream, second: FakeUpstream, refusal: Exception
) -> None:
    gate = gateway(first, second)
    first.enqueue(refusal, [refusal])
    with pytest.raises(type(refusal)):
        gate.complete(body(), Client())
    with pytest.raises(type(refusal)):
        gate.stream(body(), Client())
    assert second.calls == []


def test_who_cannot_take_a_request_is_passed_by(first: FakeUpstream, second: FakeUpstream) -> None:
    third = FakeUpstream("third")
    rules = Rules(fallbacks={"*": ["second/other", "third/any"]})
    gate = gateway_to(first, second, third, rules=rules)
    first.enqueue(errors.UpstreamTimeout("x"), [errors.UpstreamTimeout("x")])
    second.enqueue(errors.KeyMissing("none"), errors.InvalidRequest("no word for it"))
    third.enqueue(completion("third"), chunks("third"))
    client = Client()
    gate.complete(body(), client)
    assert client.record.upstream == "third"
    assert text(gate.stream(body(), Client())) == "third"


def test_each_upstream_is_on_record(first: FakeUpstream, second: FakeUpstream) -> None:
    first.enqueue(*[errors.UpstreamFailed("x")] * 3)
    second.enqueue(errors.UpstreamFailed("x"), completion())
    client = Client()
    gateway(first, second).complete(body(), client)
    record = client.record
    assert record.passed_by == [("first", 3, "UpstreamFailed")]
    assert record.last_tried("ok") == ("second", 2, "ok")


def test_when_all_fail_the_last_failure_is_told(first: FakeUpstream, second: FakeUpstream) -> None:
    first.enqueue(errors.UpstreamTimeout("x"), [errors.UpstreamTimeout("x")])
    second.enqueue(errors.UpstreamBroken("x"), [errors.UpstreamBroken("x")])
    gate = gateway(first, second)
    with pytest.raises(errors.UpstreamBroken):
        gate.complete(body(), Client())
    with pytest.raises(errors.UpstreamBroken):
        gate.stream(body(), Client())
    assert gate.admissions.in_flight == 0
    assert all(stream.closed for stream in first.streams + second.streams)


@pytest.mark.parametrize(
    "steps",
    [
        [ROLE, errors.UpstreamBroken("x")],
        [ROLE],
        [ROLE, {"error": {"message": "x"}}],
        [ROLE, {"choices": "nonsense"}],
        [{"object": "none"}],
    ],
    ids=["breaks", "ends", "says so", "nonsense", "no chunk"],
)
def test_a_role_is_no_content_yet(
    first: FakeUpstream, second: FakeUpstream, steps: list[Any]
) -> None:
    first.enqueue(steps)
    second.enqueue(chunks("second"))
    stream = gateway(first, second).stream(body(), Client())
    events = [event.data for batch in stream for event in batch]
    roles = [choice["delta"].get("role") for data in events for choice in data["choices"]]
    assert roles.count("assistant") == 1, "the first one's role is not shown"


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "a"},
        {"reasoning_content": "hm"},
        {"refusal": "no"},
        {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": ""}}]},
    ],
    ids=lambda delta: next(iter(delta)),
)
def test_after_the_first_content_a_failure_is_told(
    first: FakeUpstream, second: FakeUpstream, delta: dict[str, Any]
) -> None:
    first.enqueue([ROLE, chunk(delta), errors.UpstreamBroken("x")])
    stream = gateway(first, second).stream(body(), Client())
    with pytest.raises(errors.UpstreamBroken):
        list(stream)
    assert second.calls == []


def test_an_answer_without_content_is_an_answer(first: FakeUpstream, second: FakeUpstream) -> None:
    first.enqueue([ROLE, chunk({}, "stop")])
    assert text(gateway(first, second).stream(body(), Client())) == ""
    assert second.calls == []


def test_after_the_grace_the_next_one_is_still_asked(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    first.enqueue([ROLE, 0.2, errors.UpstreamBroken("x")])
    second.enqueue(chunks("second"))
    gate = gateway(first, second, grace_seconds=0.05, heartbeat_seconds=0.05)
    stream = gate.stream(body(), Client())
    batches = list(stream)
    assert batches[0] == [], "the headers leave"
    assert text(batches) == "second"


def test_who_sends_much_and_says_nothing_is_passed_by(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    roles = [chunk({"role": "assistant"}, padding="x" * 1024)] * 2000
    first.enqueue(roles)
    second.enqueue(chunks("second"))
    stream = gateway(first, second).stream(body(), Client())
    assert text(stream) == "second"
    assert not first.streams[0].ended, "it was read to its end"
    assert stream.record.passed_by[0].outcome == "UpstreamBroken"


def test_what_is_held_of_the_next_one_is_counted_anew(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    roles = [chunk({"role": "assistant"}, padding="x" * 1024)] * 700
    first.enqueue([*roles, errors.UpstreamBroken("x")])
    second.enqueue([*roles, *chunks("second")])
    assert text(gateway(first, second).stream(body(), Client())) == "second"


def test_who_sends_without_a_pause_and_says_nothing_does_not_prolong_the_grace(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    first.enqueue([*[ROLE] * 4000, chunk({"content": "first"}, "stop")])
    stream = gateway(first, second, grace_seconds=0.001).stream(body(), Client())
    assert not first.streams[0].ended, "the headers leave before all of it is read"
    assert text(stream) == "first"


def test_who_leaves_while_nobody_has_spoken_ends_the_call(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    first.enqueue([ROLE, 5.0])
    gate = gateway(first, second, grace_seconds=0.02)
    gate.stream(body(), Client()).close()
    assert (gate.admissions.in_flight, first.streams[0].closed, second.calls) == (0, 1, [])


def test_several_answers_come_from_the_next_one_too(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    second.answers_one_choice = True
    first.enqueue(errors.UpstreamTimeout("x"), [errors.UpstreamTimeout("x")])
    second.enqueue(completion("a"), completion("a"), chunks("b"), chunks("b"))
    gate = gateway(first, second)
    assert len(gate.complete(body(n=2), Client()).data["choices"]) == 2
    assert text(gate.stream(body(n=2), Client())) == "bb"


def test_repeated_failures_send_an_upstream_to_cool_off(
    first: FakeUpstream, second: FakeUpstream, mocker: MockerFixture
) -> None:
    clock = mocker.patch("chat_api.services.health.time.monotonic", return_value=0.0)
    health = Health(2, 30.0)
    gate = gateway(first, second, health=health)
    first.enqueue(errors.UpstreamTimeout("x"), errors.UpstreamTimeout("x"), completion("again"))
    second.enqueue(*[completion("second")] * 3)
    for _ in range(3):
        gate.complete(body(), Client())
    assert (len(first.calls), len(second.calls)) == (2, 3)
    assert health.cooling_seconds("first") == 30

    clock.return_value = 31.0
    found = gate.complete(body(), Client())
    assert found.data["choices"][0]["message"]["content"] == "again"


def test_when_all_cool_off_the_call_is_told_to_wait(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    gate = gateway(first, second, health=Health(1, 30.0))
    first.enqueue(errors.UpstreamTimeout("x"))
    second.enqueue(errors.UpstreamTimeout("x"))
    with pytest.raises(errors.UpstreamTimeout):
        gate.complete(body(), Client())
    with pytest.raises(errors.UpstreamCoolingOff) as caught:
        gate.stream(body(), Client())
    assert 0 < (caught.value.retry_after_seconds or 0) <= 30
    assert (len(first.calls), len(second.calls), gate.admissions.in_flight) == (1, 1, 0)


def test_who_is_alone_is_never_left_alone(first: FakeUpstream) -> None:
    gate = gateway_to(first, health=Health(1, 30.0))
    first.enqueue(errors.UpstreamTimeout("x"), completion())
    with pytest.raises(errors.UpstreamTimeout):
        gate.complete(body(), Client())
    gate.complete(body(), Client())


def test_a_conversation_must_fit_into_every_models_context(
    first: FakeUpstream, second: FakeUpstream
) -> None:
    second.context_tokens = 1000
    assert gateway(first, second).context_tokens(None, Client()) == 1000
    assert gateway_to(first, second).context_tokens(None, Client()) == first.context_tokens
