"""Choice, admission, retries, counting."""

from __future__ import annotations

import time

import pytest

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.services.routing import Rules
from chat_api.settings import Settings
from chat_api.upstreams.missing import MissingUpstream
from chat_api.upstreams.refusals import from_status
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, chunks, completion, vectors
from tests.services.gateways import gateway_to


def body() -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "Hi"}]}


def overloaded(retry_after: float | None = None) -> errors.UpstreamError:
    error = errors.UpstreamOverloaded("busy")
    error.retry_after_seconds = retry_after
    return error


def test_a_call_carries_the_model_the_caller_and_is_recorded(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion())
    client = Client(upstream_key="sk-own")
    services.gateway.complete(body(), client)
    (call,) = upstream.calls
    assert (call.body["model"], call.caller, call.caller_key) == (
        "gpt-4o-mini",
        client.caller,
        "sk-own",
    )
    record = client.record
    assert (record.model, record.upstream, record.attempts) == ("gpt-4o-mini", "fake", 1)
    assert (record.prompt_tokens, record.completion_tokens) == (9, 2)


def test_a_callers_key_goes_only_where_such_keys_are_taken(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.accepts_caller_keys = False
    upstream.enqueue(completion())
    services.gateway.complete(body(), Client(upstream_key="sk-own"))
    assert upstream.calls[0].caller_key is None


def test_transient_failures_are_hidden_up_to_the_third_try(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(errors.UpstreamUnreachable("x"), errors.UpstreamFailed("x"), completion())
    client = Client()
    services.gateway.complete(body(), client)
    assert client.record.attempts == 3
    upstream.enqueue(*[errors.UpstreamFailed("x")] * 3, completion())
    with pytest.raises(errors.UpstreamFailed):
        services.gateway.complete(body(), Client())
    assert len(upstream.calls) == 6


@pytest.mark.parametrize(
    "failure",
    [
        errors.UpstreamTimeout("x"),
        errors.UpstreamBroken("x"),
        from_status(400, {}, None),
        from_status(401, {}, None),
        from_status(500, {"x-should-retry": "false"}, None),
        from_status(429, {}, {"error": {"code": "insufficient_quota"}}),
        overloaded(6),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_what_must_not_be_tried_again_is_not(
    services: Services, upstream: FakeUpstream, failure: Exception
) -> None:
    upstream.enqueue(failure, completion())
    with pytest.raises(type(failure)):
        services.gateway.complete(body(), Client())
    assert len(upstream.calls) == 1


def test_the_upstreams_wait_is_obeyed(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(overloaded(0.2), completion())
    started = time.monotonic()
    services.gateway.complete(body(), Client())
    assert time.monotonic() - started >= 0.2


def test_waits_add_up_to_five_seconds_at_most(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(overloaded(0.1), overloaded(4.95), completion())
    with pytest.raises(errors.UpstreamOverloaded):
        services.gateway.complete(body(), Client())
    assert len(upstream.calls) == 2


def test_a_streams_waits_stay_within_the_grace(upstream: FakeUpstream) -> None:
    upstream.enqueue([overloaded(0.5)], chunks("x"))
    with pytest.raises(errors.UpstreamOverloaded):
        gateway_to(upstream, grace_seconds=0.3).stream(body(), Client())
    assert len(upstream.calls) == 1


def test_a_stream_is_tried_again_before_its_first_piece(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([errors.UpstreamFailed("x")], chunks("x"))
    with_stream = services.gateway.stream(body(), Client())
    assert sum(len(batch) for batch in with_stream) == 3
    assert [stream.closed for stream in upstream.streams] == [1, 1]


def test_usage_is_always_asked_for_and_other_options_are_kept(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("x"))
    asked = {**body(), "stream_options": {"include_obfuscation": False}}
    services.gateway.stream(asked, Client()).close()
    sent = upstream.calls[0].body
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_the_grace_ends_without_a_first_piece(upstream: FakeUpstream) -> None:
    upstream.enqueue([0.15, *chunks("x")])
    stream = gateway_to(upstream, grace_seconds=0.05).stream(body(), Client())
    batches = list(stream)
    assert batches[0] == []
    assert len(batches) == 4


@pytest.mark.parametrize("steps", [[], [{"error": {"message": "secret"}}]], ids=str)
def test_a_stream_that_fails_at_once_is_refused(
    services: Services, upstream: FakeUpstream, steps: list[object]
) -> None:
    upstream.enqueue(steps)
    with pytest.raises(errors.UpstreamBroken) as caught:
        services.gateway.stream(body(), Client())
    assert "secret" not in str(caught.value)


def test_more_calls_than_admitted_are_refused_at_once(upstream: FakeUpstream) -> None:
    small = gateway_to(upstream, most_calls=1)
    upstream.enqueue(chunks("x"), completion())
    stream = small.stream(body(), Client())
    with pytest.raises(errors.Overloaded):
        small.complete(body(), Client())
    with pytest.raises(errors.Overloaded):
        small.stream(body(), Client())
    stream.close()
    small.complete(body(), Client())
    assert small.admissions.in_flight == 0


def test_without_an_upstream_the_text_says_what_to_set() -> None:
    missing = MissingUpstream(default_model="gpt-4o-mini")
    services = build_services(Settings(), missing)
    with pytest.raises(errors.NoUpstream, match="OPENAI_API_KEY"):
        services.gateway.complete(body(), Client())
    with pytest.raises(errors.NoUpstream):
        services.gateway.stream(body(), Client())


def test_vectors_are_asked_for_as_answers_are(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(errors.UpstreamFailed("x"), vectors([0.5]))
    client = Client(upstream_key="sk-own")
    services.gateway.embed({"model": "vectors-1", "input": "Hi"}, client)
    record = client.record
    assert (record.model, record.upstream, record.attempts) == ("vectors-1", "fake", 2)
    assert (record.prompt_tokens, record.completion_tokens) == (5, None)
    assert upstream.calls[1].caller_key == "sk-own"


def test_vectors_come_from_the_next_one_where_an_upstream_has_none(upstream: FakeUpstream) -> None:
    other = FakeUpstream("other")
    rules = Rules(fallbacks={"vectors-1": ["other/vectors-2"]})
    upstream.enqueue(errors.InvalidRequest("It has none.", "model"))
    other.enqueue(vectors([0.5]))
    client = Client()
    gateway = gateway_to(upstream, other, rules=rules)
    gateway.embed({"model": "vectors-1", "input": "Hi"}, client)
    assert (client.record.upstream, client.record.model) == ("other", "vectors-2")
    assert (client.record.alias, gateway.admissions.in_flight) == ("vectors-1", 0)


def test_vectors_count_among_the_calls_admitted(upstream: FakeUpstream) -> None:
    small = gateway_to(upstream, most_calls=1)
    upstream.enqueue(chunks("x"), vectors([0.5]))
    stream = small.stream(body(), Client())
    with pytest.raises(errors.Overloaded):
        small.embed({"model": "m", "input": "Hi"}, Client())
    stream.close()
    small.embed({"model": "m", "input": "Hi"}, Client())
