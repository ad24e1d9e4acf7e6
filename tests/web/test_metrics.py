"""What is counted of a request."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chat_api import errors
from chat_api.services.clients import CallRecord
from chat_api.services.limits import Limiter
from chat_api.web import exposition, metrics
from chat_api.web.metrics import Metrics
from chat_api.web.tallies import Tallies
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunk, chunks, completion
from tests.figures import Figures, scrape


def test_a_request_is_counted_by_method_route_and_status(client: FlaskClient) -> None:
    client.get("/models")
    client.get("/v1/models/some/model")
    client.get("/nope")
    client.delete("/models")
    found = scrape(client)
    count = "http_requests_total"
    assert found.total(count, method="GET", route="/models", status="200") == 1
    assert found.total(count, route="/v1/models/<path:model>") == 1
    assert found.total(count, route="unmatched", status="404") == 1
    assert found.total(count, method="DELETE", route="unmatched", status="405") == 1
    assert found.total(count) == found.total("http_request_duration_seconds_count") == 4
    assert scrape(client).total(count, route="/metrics") == 1  # itself, when it was read


def test_a_calls_outcome_tokens_and_tries_are_counted(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(errors.UpstreamUnreachable("x"), completion(), errors.UpstreamTimeout("x"))
    for _ in range(2):
        client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "x"}]})
    client.post("/chat", json={})
    found = scrape(client)
    assert found.total("chat_outcomes_total", upstream="fake", outcome="ok") == 1
    assert found.total("chat_outcomes_total", upstream="fake", outcome="UpstreamTimeout") == 1
    assert found.total("chat_outcomes_total") == 2, "a request refused at the door is no call"
    assert found.total("upstream_attempts_total", upstream="fake") == 3
    assert found.total("chat_tokens_total", upstream="fake", kind="prompt") == 9
    assert found.total("chat_tokens_total", upstream="fake", kind="completion") == 2
    assert found.total("chat_first_piece_seconds_count") == 0


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (chunks("x"), "ok"),
        ([chunk({"content": "x"})], "UpstreamBroken"),
        ([chunk({"content": "x"}), errors.CallerGone("x")], "CallerGone"),
    ],
    ids=["ok", "broken", "gone"],
)
def test_a_stream_is_counted_once_when_it_has_ended(
    client: FlaskClient, upstream: FakeUpstream, steps: list[object], outcome: str
) -> None:
    upstream.enqueue(steps)
    with client.post("/chat/stream", json={"message": "Hi"}, buffered=False) as reply:
        before = scrape(client)
        assert before.total("chat_outcomes_total") == 0
        assert before.total("chat_completions_in_flight") == 1
        b"".join(reply.response)
    found = scrape(client)
    assert found.total("chat_outcomes_total", outcome=outcome) == 1
    assert found.total("chat_outcomes_total") == 1
    assert found.total("chat_first_piece_seconds_count", upstream="fake") == 1
    assert found.total("http_requests_total", route="/chat/stream", status="200") == 1
    assert found.total("chat_completions_in_flight") == 0


def test_what_runs_in_the_background_is_counted_at_its_end(
    client: FlaskClient, upstream: FakeUpstream, services: Services
) -> None:
    upstream.enqueue(chunks("x"))
    client.post("/v1/responses", json={"input": "Hi", "background": True})
    services.background.end(10.0)
    found = scrape(client)
    assert found.total("chat_outcomes_total", upstream="fake", outcome="ok") == 1
    assert found.total("chat_tokens_total", upstream="fake", kind="completion") == 2
    assert found.total("http_requests_total", route="/v1/responses", status="200") == 1


def test_callers_cannot_make_new_names(client: FlaskClient, upstream: FakeUpstream) -> None:
    chance = random.Random(4)
    methods = ["GET", "POST", "BREW", "PROPFIND"]
    scrape(client)  # is counted itself
    seen: list[Figures] = []
    for number in range(500):
        word = f"{chance.getrandbits(64):x}"
        upstream.enqueue(completion())
        client.post("/chat", json={"message": word, "model": word})
        client.open(f"/{word}", method=chance.choice([*methods, word.upper()]))
        client.get(f"/v1/models/{word}", headers={"X-Request-ID": word})
        client.get(f"/api/sessions/{word}")
        if number in (50, 499):
            seen.append(scrape(client))
    early, late = seen
    assert early.counters().keys() == late.counters().keys()
    assert late.values("http_requests_total", "method") == {"GET", "POST", "other"}


@pytest.mark.parametrize("tokens", [None, "9", -1, 0, 10**400, 1.5, True, float("nan")])
def test_nonsense_of_an_upstream_is_not_counted(app: Flask, tokens: Any) -> None:
    figures = metrics.of(app)
    record = CallRecord(upstream="fake", attempts=1, prompt_tokens=tokens)
    figures.count_call(record, "ok", None)
    text, _ = exposition.render(figures, "")
    assert Figures(text.decode()).total("chat_tokens_total") == 0


def test_the_limiters_failures_are_shown(services: Services) -> None:
    limiter = Limiter(None, None)
    figures = Metrics(Tallies(slots=1), services.gateway, limiter)

    def shown() -> float:
        text = exposition.render(figures, "")[0].decode()
        assert "\nrate_limiter_failures_total " in text, "there from the start"
        return Figures(text).total("rate_limiter_failures_total")

    assert shown() == 0
    limiter.failures = 3
    assert (shown(), shown()) == (3, 3)
    limiter.failures += 1
    assert shown() == 4


def test_threads_lose_no_count(app: Flask) -> None:
    figures = metrics.of(app)

    def repeat(work: Callable[[], None]) -> Callable[[], None]:
        return lambda: [work() for _ in range(2_000)] and None

    threads = [
        threading.Thread(
            target=repeat(lambda: figures.count_request("GET", "/health", 200, 0.1)),
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text, _ = exposition.render(figures, "")
    assert Figures(text.decode()).total("http_requests_total") == 16_000
