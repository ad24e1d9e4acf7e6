"""`POST /ask` as a front end uses it."""

from __future__ import annotations

import socket
import struct

import pytest
from flask.testing import FlaskClient

from chat_api import create_app, errors
from chat_api.settings import Settings
from chat_api.web.connections import BrokenTransfer
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream, chunk, chunks

BODY = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}
EVENTS = {"Accept": "text/event-stream"}


def test_the_pieces_are_bare_text(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("Hel", "lö"))
    reply = client.post("/ask", json=BODY)
    assert reply.get_data(as_text=True) == "Hellö"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-vercel-ai-data-stream"] == "v1"
    assert reply.headers["Cache-Control"] == "no-cache, no-transform"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert reply.headers["Vary"] == "Accept"
    assert "Content-Length" not in reply.headers
    assert upstream.calls[0].body["messages"] == BODY["messages"]


def test_a_model_may_be_named_and_all_else_is_ignored(
    client: FlaskClient, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("x"))
    client.post("/ask", json={**BODY, "model": "m", "temperature": 9, "id": 1})
    assert set(upstream.calls[0].body) == {"messages", "model", "stream", "stream_options"}
    assert upstream.calls[0].body["model"] == "m"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, */*", "text/event-stream"),
        ("text/event-stream, text/plain;q=0.5", "text/event-stream"),
        ("text/plain, text/event-stream;q=0.5", "text/plain"),
        ("*/*", "text/plain"),
        ("", "text/plain"),
        ("application/json", "text/plain"),
    ],
)
def test_accept_chooses_between_text_and_events(
    client: FlaskClient, upstream: FakeUpstream, accept: str, kind: str
) -> None:
    upstream.enqueue(chunks("Hel", "lo"))
    reply = client.post("/ask", json=BODY, headers={"Accept": accept})
    assert reply.headers["Content-Type"] == f"{kind}; charset=utf-8"
    if kind == "text/event-stream":
        text = reply.get_data(as_text=True)
        assert text.startswith('data: {"content": "Hel"}\n\ndata: {"content": "lo"}\n\n')
        assert '"done": true' in text


def test_a_silent_upstream_puts_nothing_into_the_text(upstream: FakeUpstream) -> None:
    settings = Settings(stream_heartbeat_seconds=0.05)
    client = create_app(settings, build_services(settings, upstream)).test_client()
    upstream.enqueue([chunk({"content": "Hel"}), 0.2, chunk({"content": "lo"}, "stop")])
    assert client.post("/ask", json=BODY).get_data() == b"Hello"


@pytest.mark.parametrize(
    "failure",
    [errors.UpstreamBroken("x"), errors.CallerGone("gone"), ValueError("the prompt: secret")],
    ids=lambda failure: type(failure).__name__,
)
def test_an_answer_that_is_not_whole_is_a_transfer_that_is_not_whole(
    client: FlaskClient, upstream: FakeUpstream, failure: Exception
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), failure])
    reply = client.post("/ask", json=BODY, buffered=False)
    received = iter(reply.response)
    assert next(received) == b"Hel"
    assert next(received) == b""
    with pytest.raises(BrokenTransfer) as caught:
        next(received)
    assert "secret" not in str(caught.value)
    reply.close()


def test_events_say_what_went_wrong(client: FlaskClient, upstream: FakeUpstream) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), errors.UpstreamBroken("It broke off.")])
    reply = client.post("/ask", json=BODY, headers=EVENTS)
    assert reply.get_data(as_text=True).endswith('data: {"error":"It broke off."}\n\n')


def lingers(sock: socket.socket) -> bool:
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    return struct.unpack("ii", raw) == (1, 0)


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_an_http_1_0_connection_ends_in_a_reset_until_the_answer_is_whole(
    client: FlaskClient, upstream: FakeUpstream, protocol: str
) -> None:
    upstream.enqueue(chunks("Hel", "lo"))
    with socket.socket() as sock:
        environ = {"gunicorn.socket": sock, "SERVER_PROTOCOL": protocol}
        reply = client.post("/ask", json=BODY, buffered=False, environ_overrides=environ)
        received = iter(reply.response)
        next(received)
        assert lingers(sock) == (protocol == "HTTP/1.0")
        assert b"".join(received) == b"Hello"
        assert not lingers(sock)
    reply.close()
