"""Heartbeats: what the caller hears, not what the upstream says; and replies that are lost."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import Services, build_services
from tests.fakes import USAGE_CHUNK, FakeUpstream, chunk, chunks

THOUGHT = chunk({"reasoning_content": "hm"})
LAST = chunk({}, "stop")
MESSAGES = [{"role": "user", "content": "Hi"}]


class Clock:
    """Time goes on where somebody sleeps, and nowhere else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def pieces_of(upstream: FakeUpstream, heartbeat: float, *steps: Any) -> list[bytes]:
    """What leaves, piece by piece, at /chat/stream."""
    settings = Settings(stream_heartbeat_seconds=heartbeat)
    client = create_app(settings, build_services(settings, upstream)).test_client()
    upstream.enqueue(list(steps))
    reply = client.post("/chat/stream", json={"message": "Hi"}, buffered=False)
    with reply:
        return list(reply.response)


def test_an_upstream_that_only_thinks_is_silence_to_the_caller(upstream: FakeUpstream) -> None:
    steps = [THOUGHT, 0.03, THOUGHT, 0.03, THOUGHT, 0.03, THOUGHT, chunk({"content": "x"}), LAST]
    sent = pieces_of(upstream, 0.05, *steps)
    assert sent[0] == b"", "the headers leave"
    assert b": ping\n\n" in sent
    assert b'data: {"content": "x"}\n\n' in sent


@pytest.mark.parametrize(
    ("path", "asked", "nothing"),
    [
        ("/chat/stream", {"message": "Hi"}, THOUGHT),
        ("/v1/chat/completions", {"messages": MESSAGES, "stream": True}, USAGE_CHUNK),
        ("/v1/responses", {"input": "Hi", "stream": True, "store": False}, chunk({})),
    ],
    ids=["chat", "v1", "responses"],
)
def test_what_makes_no_event_prolongs_no_silence(
    monkeypatch: pytest.MonkeyPatch,
    upstream: FakeUpstream,
    path: str,
    asked: dict[str, Any],
    nothing: Any,
) -> None:
    """By a ping at its time, though the last of it came just before."""
    settings = Settings(stream_heartbeat_seconds=0.4)
    client = create_app(settings, build_services(settings, upstream)).test_client()
    upstream.enqueue([chunk({"content": "x"}), *[0.05, nothing] * 7, 1.0, LAST])
    clock = Clock(monkeypatch)
    with client.post(path, json=asked, buffered=False) as reply:
        sent = [(clock.now, piece) for piece in reply.response if piece]
    assert max(after - before for (before, _), (after, _) in itertools.pairwise(sent)) < 0.7
    pings = [when for when, piece in sent if piece == b": ping\n\n"]
    assert pings == pytest.approx([0.4, 0.8, 1.2])


def test_no_heartbeats_are_sent_where_they_are_off(upstream: FakeUpstream) -> None:
    sent = pieces_of(upstream, 0, THOUGHT, 0.02, THOUGHT, chunk({"content": "x"}), LAST)
    assert b": ping\n\n" not in sent


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "a\x7f", "x" * 257, "\u2028"])
@pytest.mark.parametrize("path", ["/chat", "/chat/stream", "/ask", "/v1/chat/completions"])
def test_a_model_name_that_fits_no_header_is_refused(
    client: FlaskClient, path: str, name: str
) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    body = {"messages": messages} if path in ("/ask", "/v1/chat/completions") else {"message": "x"}
    assert client.post(path, json={**body, "model": name}).status_code == 400


def test_a_stream_is_closed_when_the_server_refuses_its_headers(
    client: FlaskClient, upstream: FakeUpstream, services: Services
) -> None:
    upstream.enqueue(chunks("x"))
    app = client.application

    def refuse(*_: Any) -> Any:
        raise ValueError("a header it does not like")

    with app.test_request_context("/chat/stream", method="POST", json={"message": "Hi"}) as context:
        with pytest.raises(ValueError, match="does not like"):
            app.wsgi_app(context.request.environ, refuse)
    assert services.gateway.admissions.in_flight == 0


def test_a_stream_is_closed_when_its_reply_is_lost_to_a_hook(
    app: Flask, upstream: FakeUpstream, services: Services
) -> None:
    def fail(response: Response) -> Response:
        raise RuntimeError("secret")

    app.after_request(fail)
    app.testing = False
    upstream.enqueue(chunks("x"))
    reply = app.test_client().post("/chat/stream", json={"message": "Hi"})
    assert (reply.status_code, reply.get_json()["error"]) == (500, "Internal error.")
    assert services.gateway.admissions.in_flight == 0
