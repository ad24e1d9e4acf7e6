"""Choice, admission, retries, counting."""

from __future__ import annotations

import time

import pytest
from pytest_mock import MockerFixture

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.models import Models
from chat_api.settings import Settings
from chat_api.upstreams.missing import MissingUpstream
from chat_api.upstreams.refusals import from_status
from chat_api.wiring import Services, build_services
from tests.fakes import FakeUpstream, chunk, chunks, completion


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


def gateway(upstream: FakeUpstream, **options: float) -> Gateway:
    values = {"heartbeat_seconds": 0, "most_calls": 10, **options}
    models = Models(upstream, (), ("*",))
    return Gateway(models, lambda: models, **values)  # type: ignore[arg-type]


def test_a_streams_waits_stay_within_the_grace(upstream: FakeUpstream) -> None:
    upstream.enqueue([overloaded(0.5)], chunks("x"))
    with pytest.raises(errors.UpstreamOverloaded):
        gateway(upstream, grace_seconds=0.3).stream(body(), Client())
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
    stream = gateway(upstream, grace_seconds=0.05).stream(body(), Client())
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
    small = gateway(upstream, most_calls=1)
    upstream.enqueue(chunks("x"), completion())
    stream = small.stream(body(), Client())
    with pytest.raises(errors.Overloaded):
        small.complete(body(), Client())
    with pytest.raises(errors.Overloaded):
        small.stream(body(), Client())
    stream.close()
    small.complete(body(), Client())
    assert small.in_flight == 0


def test_readiness_tells_how_the_last_call_went(services: Services, upstream: FakeUpstream) -> None:
    assert services.gateway.readiness() == (True, "fake")
    upstream.enqueue(errors.UpstreamTimeout("silent"), from_status(400, {}, None), completion())
    for expected in ((False, "silent"), (True, "fake"), (True, "fake")):
        try:
            services.gateway.complete(body(), Client())
        except errors.UpstreamError:
            pass
        assert services.gateway.readiness() == expected


def test_a_callers_bad_key_does_not_make_the_upstream_look_down(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(from_status(401, {}, None, callers_key="sk-own"))
    with pytest.raises(errors.UpstreamKeyRefused):
        services.gateway.complete(body(), Client(upstream_key="sk-own"))
    assert services.gateway.readiness() == (True, "fake")


def test_a_stream_that_breaks_makes_the_upstream_look_down(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "x"})])
    with pytest.raises(errors.UpstreamBroken):
        list(services.gateway.stream(body(), Client()))
    assert services.gateway.readiness()[0] is False


def test_without_an_upstream_the_text_says_what_to_set() -> None:
    missing = MissingUpstream(default_model="gpt-4o-mini")
    services = build_services(Settings(), missing)
    with pytest.raises(errors.NoUpstream, match="OPENAI_API_KEY"):
        services.gateway.complete(body(), Client())
    with pytest.raises(errors.NoUpstream):
        services.gateway.stream(body(), Client())
    assert services.gateway.readiness()[0] is False


def test_a_failure_is_forgotten_after_a_while(
    services: Services, upstream: FakeUpstream, mocker: MockerFixture
) -> None:
    upstream.enqueue(errors.UpstreamTimeout("silent"))
    with pytest.raises(errors.UpstreamTimeout):
        services.gateway.complete(body(), Client())
    assert services.gateway.readiness() == (False, "silent")
    later = time.monotonic() + 31
    mocker.patch("chat_api.services.gateway.time.monotonic", return_value=later)
    assert services.gateway.readiness() == (True, "fake")


def test_a_silent_upstream_is_not_well(upstream: FakeUpstream) -> None:
    upstream.enqueue(errors.UpstreamTimeout("silent"), [5.0])
    patient = gateway(upstream, grace_seconds=0.05)
    with pytest.raises(errors.UpstreamTimeout):
        patient.complete(body(), Client())
    patient.stream(body(), Client()).close()
    assert patient.readiness() == (False, "silent")
