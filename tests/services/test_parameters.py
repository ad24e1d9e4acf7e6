"""What a model refuses is left out, remembered and told; what is the caller's own fault is not."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import UpstreamBroken, UpstreamRefused
from chat_api.services.clients import Client
from chat_api.services.gateway import Gateway
from chat_api.services.parameters import MAY_BE_LEFT_OUT
from chat_api.services.routing import Rules
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.parameters import AT_OLLAMA
from tests.fakes import FakeUpstream, chunks, completion
from tests.services.gateways import gateway_to

MESSAGES = [{"role": "user", "content": "Hi"}]
ONLY_DEFAULT = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the "
ONLY_DEFAULT += "default (1) value is supported."


def body(**more: Any) -> JsonObject:
    return {"messages": MESSAGES, "model": "picky", **more}


def unsupported(
    param: str | None, code: str = "unsupported_parameter", text: str = "No."
) -> UpstreamRefused:
    return UpstreamRefused(text, 400, "invalid_request_error", param, code)


def sent(upstream: FakeUpstream) -> JsonObject:
    """What went up last beside the conversation."""
    return {k: v for k, v in upstream.calls[-1].body.items() if k not in ("messages", "model")}


def ask(gateway: Gateway, **more: Any) -> list[str]:
    """Ask; what was dropped."""
    client = Client()
    gateway.complete(body(**more), client)
    return client.record.dropped_params


def test_max_tokens_goes_under_its_other_name_and_from_then_on_at_once(
    upstream: FakeUpstream,
) -> None:
    gateway = gateway_to(upstream)
    upstream.enqueue(unsupported("max_tokens"), completion(), completion())
    for tries in (2, 3):
        assert ask(gateway, max_tokens=7) == ["max_tokens=max_completion_tokens"]
        assert sent(upstream) == {"max_completion_tokens": 7}
        assert len(upstream.calls) == tries
    upstream.enqueue(completion())
    assert ask(gateway) == []


def test_an_older_server_gets_the_older_name(upstream: FakeUpstream) -> None:
    upstream.enqueue(unsupported("max_completion_tokens"), completion())
    assert ask(gateway_to(upstream), max_completion_tokens=7) == [
        "max_completion_tokens=max_tokens"
    ]
    assert sent(upstream) == {"max_tokens": 7}


def test_a_model_that_takes_neither_name_has_its_refusal_told(upstream: FakeUpstream) -> None:
    gateway = gateway_to(upstream)
    upstream.enqueue(unsupported("max_tokens"), unsupported("max_completion_tokens"))
    with pytest.raises(UpstreamRefused) as raised:
        ask(gateway, max_tokens=7)
    assert raised.value.param == "max_completion_tokens"
    assert len(upstream.calls) == 2


def test_one_of_both_names_is_left_out_where_both_came(upstream: FakeUpstream) -> None:
    upstream.enqueue(unsupported("max_tokens"), completion())
    assert ask(gateway_to(upstream), max_tokens=7, max_completion_tokens=9) == ["max_tokens"]
    assert sent(upstream) == {"max_completion_tokens": 9}


def test_a_model_may_refuse_one_after_the_other(upstream: FakeUpstream) -> None:
    gateway = gateway_to(upstream)
    given = {"temperature": 0.2, "logprobs": True, "top_logprobs": 2, "max_tokens": 7, "n": 1}
    refusals = [unsupported("temperature"), unsupported("logprobs"), unsupported("max_tokens")]
    upstream.enqueue(*refusals, completion(), completion())
    dropped = {"temperature", "logprobs", "top_logprobs", "max_tokens=max_completion_tokens"}
    for tries in (4, 5):
        assert set(ask(gateway, **given)) == dropped
        assert sent(upstream) == {"n": 1, "max_completion_tokens": 7}
        assert len(upstream.calls) == tries


def test_a_value_is_remembered_alone_where_others_may_be_taken(upstream: FakeUpstream) -> None:
    gateway = gateway_to(upstream)
    refusal = unsupported("reasoning_effort", "unsupported_value")
    upstream.enqueue(refusal, completion(), completion(), completion())
    assert ask(gateway, reasoning_effort="minimal") == ["reasoning_effort"]
    assert ask(gateway, reasoning_effort="low") == []
    assert sent(upstream) == {"reasoning_effort": "low"}
    assert ask(gateway, reasoning_effort="minimal") == ["reasoning_effort"]
    assert len(upstream.calls) == 4


def test_where_only_the_default_is_taken_no_other_value_is_tried(upstream: FakeUpstream) -> None:
    gateway = gateway_to(upstream)
    refusal = unsupported("temperature", "unsupported_value", ONLY_DEFAULT)
    upstream.enqueue(refusal, completion(), completion())
    assert ask(gateway, temperature=0.2) == ["temperature"]
    assert ask(gateway, temperature=0.7) == ["temperature"]
    assert len(upstream.calls) == 3


def test_what_is_learned_is_of_that_model_and_upstream_alone(upstream: FakeUpstream) -> None:
    other = FakeUpstream("other")
    rules = Rules(aliases={"there": "other/picky"})
    gateway = gateway_to(upstream, other, rules=rules)
    upstream.enqueue(unsupported("seed"), completion(), completion())
    other.enqueue(completion())
    ask(gateway, seed=1)
    assert ask(gateway, seed=1, model="gpt-4o") == []
    assert ask(gateway, seed=1, model="there") == []
    assert sent(other) == {"seed": 1}


@pytest.mark.parametrize(
    "refusal",
    [
        unsupported("messages"),
        unsupported("tools"),
        unsupported("n"),
        unsupported("response_format"),
        unsupported("stream", "unsupported_value"),
        unsupported("messages[0].content", "unsupported_value"),
        unsupported(None),
        unsupported("top_p"),
        unsupported("temperature", "invalid_value"),
        unsupported("max_tokens", "unsupported_value"),
        UpstreamRefused("No.", 404, None, "temperature", "unsupported_parameter"),
        UpstreamRefused("No.", 422, None, "temperature", "unsupported_parameter"),
    ],
    ids=lambda refusal: f"{refusal.status} {refusal.param} {refusal.code}",
)
def test_other_refusals_are_the_callers_and_teach_nothing(
    upstream: FakeUpstream, refusal: UpstreamRefused
) -> None:
    gateway = gateway_to(upstream)
    given: JsonObject = {"temperature": 0.5, "tools": [{}], "response_format": {}, "max_tokens": 5}
    upstream.enqueue(refusal, completion())
    with pytest.raises(UpstreamRefused):
        ask(gateway, **given)
    assert ask(gateway, **given) == []
    assert sent(upstream) == given


def test_strict_means_that_nothing_is_changed(upstream: FakeUpstream) -> None:
    upstream.enqueue(unsupported("temperature"))
    with pytest.raises(UpstreamRefused):
        ask(gateway_to(upstream, strict_params=True), temperature=0.5)
    assert len(upstream.calls) == 1


def test_a_stream_is_refused_before_its_first_piece_and_asked_anew(upstream: FakeUpstream) -> None:
    gateway, client = gateway_to(upstream), Client()
    upstream.enqueue([unsupported("top_p")], chunks("Hi"))
    stream = gateway.stream(body(top_p=0.5), client)
    assert [event.data for batch in stream for event in batch][1]["choices"][0]["delta"]
    assert client.record.dropped_params == ["top_p"]
    assert "top_p" not in sent(upstream)
    assert [each.closed for each in upstream.streams] == [1, 1]


def test_of_several_answers_each_call_is_adapted_and_told_once(upstream: FakeUpstream) -> None:
    upstream.answers_one_choice = True
    gateway = gateway_to(upstream)
    upstream.enqueue(unsupported("stop"), completion())
    ask(gateway, stop="x")
    upstream.enqueue(completion(), completion())
    assert ask(gateway, stop="x", n=2) == ["stop"]


def test_a_fallback_that_takes_everything_has_nothing_dropped(upstream: FakeUpstream) -> None:
    second = FakeUpstream("second")
    gateway = gateway_to(upstream, second, rules=Rules(fallbacks={"picky": ("second/picky",)}))
    upstream.enqueue(unsupported("seed"), UpstreamBroken("x"))
    second.enqueue(completion())
    assert ask(gateway, seed=1) == []
    assert sent(second) == {"seed": 1}


def test_many_models_are_forgotten_again(upstream: FakeUpstream) -> None:
    gateway = gateway_to(upstream)
    for number in range(1_001):
        upstream.enqueue(unsupported("seed"), completion())
        ask(gateway, seed=1, model=f"m{number}")
    upstream.enqueue(completion(), completion())
    assert ask(gateway, seed=1, model="m1000") == ["seed"]
    assert ask(gateway, seed=1, model="m0") == []


def test_what_an_upstream_has_no_word_for_is_told_where_it_asks_for_something(
    upstream: FakeUpstream,
) -> None:
    upstream.ignores = AT_OLLAMA
    gateway = gateway_to(upstream)
    upstream.enqueue(completion(), completion())
    asked = {"logit_bias": {"1": 2}, "store": None, "user": "u", "tool_choice": "required"}
    assert set(ask(gateway, **asked)) == {"logit_bias", "user", "tool_choice"}
    nothing = {"modalities": ["text"], "tool_choice": "auto", "service_tier": "auto", "user": None}
    assert ask(gateway, **nothing) == []


def test_what_may_be_left_out_never_holds_the_question(upstream: FakeUpstream) -> None:
    question = {"messages", "model", "tools", "tool_choice", "n", "response_format", "stream"}
    assert not MAY_BE_LEFT_OUT & question
