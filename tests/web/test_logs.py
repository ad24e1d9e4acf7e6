"""One line a request, with what operators need and nothing that is secret."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, chunk, chunks, completion


def logged(upstream: FakeUpstream) -> FlaskClient:
    """A client whose application was made with standard output captured."""
    settings = Settings(openai_api_key="sk-canary")
    return create_app(settings, build_services(settings, upstream)).test_client()


def lines(capture: pytest.CaptureFixture[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capture.readouterr().out.splitlines()]


def test_a_call_is_one_line(
    upstream: FakeUpstream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    upstream.enqueue(completion("the answer"))
    headers = {"X-Request-ID": "id-1", "Authorization": "Bearer sk-canary-own"}
    logged(upstream).post("/chat", json={"message": "the prompt"}, headers=headers)
    out = capfdbinary.readouterr().out
    assert not any(secret in out for secret in (b"canary", b"the prompt", b"the answer"))
    (line,) = (json.loads(line) for line in out.splitlines())
    assert line.pop("duration_ms") >= 0 and line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "id-1",
        "method": "POST",
        "route": "/chat",
        "status": 200,
        "model": "gpt-4o-mini",
        "upstream": "fake",
        "attempts": 1,
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "outcome": "ok",
    }


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (chunks("x"), "ok"),
        ([chunk({"content": "x"})], "UpstreamBroken"),
        ([chunk({"content": "x"}), errors.CallerGone("x")], "CallerGone"),
    ],
    ids=["ok", "broken", "gone"],
)
def test_a_streams_line_tells_how_it_ended(
    upstream: FakeUpstream,
    capfdbinary: pytest.CaptureFixture[bytes],
    steps: list[object],
    outcome: str,
) -> None:
    upstream.enqueue(steps)
    with logged(upstream).post("/chat/stream", json={"message": "Hi"}, buffered=False) as reply:
        assert lines(capfdbinary) == []
        b"".join(reply.response)
    (line,) = lines(capfdbinary)
    assert (line["status"], line["outcome"]) == (200, outcome)


def test_refusals_and_unknown_paths_are_logged_without_the_path(
    upstream: FakeUpstream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    logged(upstream).get("/nope/secret")
    logged(upstream).post("/chat", json={})
    first, second = lines(capfdbinary)
    assert (first["route"], first["status"], first["outcome"]) == (None, 404, "refused")
    assert (second["route"], second["outcome"]) == ("/chat", "InvalidRequest")


def test_a_crash_is_logged_by_its_place_and_not_by_its_text(
    upstream: FakeUpstream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    upstream.enqueue(ValueError("the prompt"))
    logged(upstream).post("/chat", json={"message": "Hi"})
    crash, line = lines(capfdbinary)
    assert (crash["event"], crash["error"], line["outcome"]) == (
        "crash",
        "ValueError",
        "InternalError",
    )
    assert "the prompt" not in str(crash)


def test_people_get_lines_to_read(
    upstream: FakeUpstream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    settings = Settings(log_format="console")
    create_app(settings, build_services(settings, upstream)).test_client().get("/health")
    assert b"route=/health" in capfdbinary.readouterr().out


def test_the_level_is_a_bound(
    upstream: FakeUpstream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    settings = Settings(log_level="warning")
    create_app(settings, build_services(settings, upstream)).test_client().get("/health")
    assert capfdbinary.readouterr().out == b""
