"""What is no HTTP: answered in JSON, never with a 500, and it harms nobody. (Lengths and codings
that two servers may read differently: `test_smuggling.py`.)"""

from __future__ import annotations

import json
import socket

import pytest

from tests.integration.doors import OPENAI_ERROR_KEYS
from tests.integration.stage import Stage
from tests.integration.wire import PATIENCE_SECONDS, exchange_raw, get
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

# The server's log is looked through for the word: no piece of what was not understood is in it.
BODY = b'{"message":"Hi, canary"}'
SIZE = b"%x" % len(BODY)
POST = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
V1 = POST.replace(b"/chat", b"/v1/chat/completions")

MALFORMED = {
    "a word": b"canary\r\n\r\n",
    "no version": b"GET /health?api_key=canary\r\n\r\n",
    "an unknown version": b"GET /health?api_key=canary HTTP/9.9\r\n\r\n",
    "a request line of four words": b"GET /health canary HTTP/1.1\r\n\r\n",
    "bytes of another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a method with a bracket": b"G{canary}T /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target of 10,000 bytes": b"GET /canary" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without a colon": b"GET /health HTTP/1.1\r\nAuthorization sk-canary\r\n\r\n",
    "a header name with a space": b"GET /health HTTP/1.1\r\nHost: x\r\nX canary: 1\r\n\r\n",
    "a header without a name": b"GET /health HTTP/1.1\r\nHost: x\r\n: canary\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nX: 1\r\n canary\r\n\r\n",
    "a header with a NUL": b"GET /health HTTP/1.1\r\nHost: x\r\nX: canary\x00b\r\n\r\n",
    "a header of 20,000 bytes": b"GET /health HTTP/1.1\r\nX: canary" + b"a" * 20_000 + b"\r\n\r\n",
    "1,000 headers": b"GET /health HTTP/1.1\r\n" + b"X-A: 1\r\n" * 1000 + b"\r\n",
    "a length that is no number": POST + b"Content-Length: canary\r\n\r\n" + BODY,
    "an unknown expectation": POST + b"Expect: a-canary\r\nContent-Length: 24\r\n\r\n" + BODY,
}
BAD_CHUNKS = {
    "a chunk size that is no number": b"canary\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk size below zero": b"-1\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk longer than it says": b"2\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk without a line end": SIZE + BODY + b"\r\n0\r\n\r\n",
    "an extension that is none": SIZE + b";=canary\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a trailer without a colon": SIZE + b"\r\n" + BODY + b"\r\n0\r\ncanary\r\n\r\n",
}


def parse(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one reply."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in lines)}
    return int(line.split(" ")[1]), headers, body


def assert_json_refusal(raw: bytes) -> dict[str, object]:
    """One whole reply: a JSON error that is the caller's, and the connection's end."""
    assert raw.startswith(b"HTTP/1.1 "), raw[:200]
    status, headers, body = parse(raw)
    assert 400 <= status < 500 or status in (501, 505), raw[:200]
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) >= 16
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    found: dict[str, object] = json.loads(body)
    assert found["error"]
    return found


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_http_is_answered_in_json(relay: Server, kind: str) -> None:
    assert_json_refusal(exchange_raw(relay, MALFORMED[kind]))


@pytest.mark.parametrize("kind", BAD_CHUNKS)
def test_a_bad_chunk_is_answered_in_json(relay: Server, stage: Stage, kind: str) -> None:
    plain = assert_json_refusal(exchange_raw(relay, CHUNKED + BAD_CHUNKS[kind]))
    assert isinstance(plain["error"], str)
    v1 = V1 + b"Transfer-Encoding: chunked\r\n\r\n" + BAD_CHUNKS[kind]
    openai = assert_json_refusal(exchange_raw(relay, v1))
    assert isinstance(openai["error"], dict) and set(openai["error"]) == OPENAI_ERROR_KEYS
    assert stage.exchanges == []


@pytest.mark.parametrize("kind", BAD_CHUNKS)
@pytest.mark.parametrize("path", [b"/nope", b"/health", b"/v1/models"])
def test_a_bad_chunk_nobody_reads_harms_nobody(relay: Server, path: bytes, kind: str) -> None:
    """The route answers without its body; what is left of it is no next request."""
    request = CHUNKED.replace(b"/chat", path) + BAD_CHUNKS[kind]
    raw = exchange_raw(relay, request + b"GET /health HTTP/1.1\r\nHost: smuggled\r\n\r\n")
    status, _, body = parse(raw)
    assert status in (400, 404, 405)
    assert raw.count(b"HTTP/1.1 ") <= 2 and b"healthy" not in raw
    assert b"<html" not in body


def test_an_absolute_target_goes_nowhere_else(relay: Server, stage: Stage) -> None:
    request = POST.replace(b"/chat", b"http://elsewhere.example/chat")
    length = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    status, _, _ = parse(exchange_raw(relay, request + length + BODY))
    assert status in (200, 400, 404)
    assert b"elsewhere" not in b"".join(exchange.raw for exchange in stage.exchanges)


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /x", "SCRIPT_NAME: /v1", "PATH_INFO: /health"])
def test_no_header_moves_the_path(relay: Server, header: str) -> None:
    """Gunicorn believes some of them from a peer on loopback, where a proxy may pass them on."""
    request = f"GET /v1/nope HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n"
    status, _, body = parse(exchange_raw(relay, request.encode()))
    assert status == 404
    assert set(json.loads(body)["error"]) == OPENAI_ERROR_KEYS


def test_a_hundred_half_requests_keep_nobody_waiting(relay: Server) -> None:
    halves = [b"", b"GET /he", POST, POST + b"Content-Length: 16\r\n\r\n{", CHUNKED + b"5\r\n{"]
    callers = []
    try:
        for turn in range(100):
            callers.append(socket.create_connection(("127.0.0.1", relay.port), PATIENCE_SECONDS))
            callers[-1].sendall(halves[turn % len(halves)])
        for _ in range(10):
            assert get(relay, "/health").status == 200
    finally:
        for caller in callers:
            caller.close()
