"""What is known of upstreams by how their calls ended: failures in a row, cooling off, a probe."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable

import pytest
from pytest_mock import MockerFixture

from chat_api import errors
from chat_api.services.clients import Client
from chat_api.services.health import Health
from chat_api.upstreams.refusals import from_status
from tests.fakes import FakeUpstream
from tests.services.gateways import gateway_to

DOWN = errors.UpstreamTimeout("silent")
SAYS_NOTHING = [
    errors.CallerGone("x"),
    errors.KeyMissing("x"),
    errors.InvalidRequest("x"),
    errors.NoUpstream("x"),
    from_status(429, {}, None),
]
JUDGED = [from_status(400, {}, None), from_status(401, {}, None, callers_key="sk-own"), None]


@pytest.fixture
def at(mocker: MockerFixture) -> Callable[[float], None]:
    """Sets the clock."""
    clock = mocker.patch("chat_api.services.health.time.monotonic", return_value=0.0)

    def set_clock(seconds: float) -> None:
        clock.return_value = seconds

    return set_clock


def failing(health: Health, at: Callable[[float], None], *moments: float) -> None:
    for moment in moments:
        at(moment)
        health.remember("x", DOWN, moment)


@pytest.mark.parametrize("seconds", [30.0, 120.0])
def test_failures_in_a_row_send_it_to_cool_off(at: Callable[[float], None], seconds: float) -> None:
    health = Health(3, seconds)
    failing(health, at, 0, 400)  # however far apart: nothing was well between them
    assert health.cooling_seconds("x") == 0
    failing(health, at, 800)
    assert health.cooling_seconds("x") == seconds
    assert not health.lets_through("x")
    assert health.failure("x") == "silent"


def test_after_the_cool_down_one_call_is_let_through(at: Callable[[float], None]) -> None:
    health = Health(2, 30)
    failing(health, at, 0, 0)
    at(31)
    assert health.lets_through("x")
    assert not health.lets_through("x"), "the others wait for what it shows"
    failing(health, at, 40)
    assert health.cooling_seconds("x") == 30, "one failure is enough"
    at(71)
    assert health.lets_through("x")
    health.remember("x", None, 71)
    assert health.lets_through("x") and health.lets_through("x")


def test_a_probe_that_never_ends_is_not_waited_for_for_ever(at: Callable[[float], None]) -> None:
    health = Health(1, 30)
    failing(health, at, 0)
    at(31)
    assert health.lets_through("x") and not health.lets_through("x")
    at(62)
    assert health.lets_through("x")


def test_a_probing_stream_lets_others_in_when_it_speaks(at: Callable[[float], None]) -> None:
    health = Health(2, 30)
    failing(health, at, 0, 0)
    at(31)
    assert health.lets_through("x")
    health.speaks("x")
    assert health.lets_through("x") and health.lets_through("x")
    failing(health, at, 32)
    assert not health.lets_through("x"), "but its next failure counts"


@pytest.mark.parametrize("error", SAYS_NOTHING, ids=lambda error: type(error).__name__)
def test_what_says_nothing_changes_nothing(
    at: Callable[[float], None], error: errors.ChatApiError
) -> None:
    health = Health(1, 30)
    failing(health, at, 0)
    health.remember("x", error, 10)
    assert health.cooling_seconds("x") == 30
    at(31)
    assert health.lets_through("x")
    health.remember("x", error, 31)
    assert health.lets_through("x"), "the next one may find out"


@pytest.mark.parametrize("error", JUDGED, ids=lambda error: type(error).__name__)
def test_who_answers_or_judges_is_well(
    at: Callable[[float], None], error: errors.ChatApiError | None
) -> None:
    health = Health(1, 30)
    failing(health, at, 0)
    health.remember("x", error, 5)
    assert (health.cooling_seconds("x"), health.failure("x")) == (0, None)


def test_an_old_stream_that_ends_well_says_nothing_of_now(at: Callable[[float], None]) -> None:
    health = Health(1, 30)
    failing(health, at, 100)
    health.remember("x", None, 50)
    assert health.cooling_seconds("x") == 30


class Text(str):
    """A string that can be watched."""


def test_nothing_of_a_failed_call_is_kept_but_a_sentence() -> None:
    upstream = FakeUpstream()
    health = Health(3, 30)

    def fail() -> list[weakref.ref[Text]]:
        prompt, key = Text("prompt"), Text("sk-own")
        upstream.enqueue(errors.UpstreamTimeout("silent"))
        with contextlib.suppress(errors.UpstreamTimeout):
            body = {"messages": [{"role": "user", "content": prompt}]}
            gateway_to(upstream, health=health).complete(body, Client(upstream_key=key))
        upstream.calls.clear()
        return [weakref.ref(prompt), weakref.ref(key)]

    watched = fail()
    gc.collect()
    assert health.failure("fake") == "silent"
    assert [text() for text in watched] == [None, None]


def test_unknown_upstreams_are_well() -> None:
    health = Health(1, 30)
    health.speaks("x")
    assert health.lets_through("x") and health.failure("x") is None
