"""What callers and upstreams write stays a value: no line of theirs in a head or in the log."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes import chunks, completion, frame
from tests.integration.doors import DOORS, V1, V1_STREAM, Door, door_name
from tests.integration.pipelining import request
from tests.integration.stage import Stage
from tests.integration.wire import exchange_raw, wait_for
from tests.scripted import Exchange
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

EVIL = 'x\r\nX-Evil: yes\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{"level":"evil"}\n{"evil":1}'
LINES = [EVIL, "x\nX-Evil: yes", "x\rX-Evil: yes", "x\u2028X-Evil: yes", "x\u0085X-Evil: yes"]
CLOSE = b"Connection: close"


def heads(raw: bytes) -> list[bytes]:
    """The lines of the reply's head; there is one reply."""
    assert raw.startswith(b"HTTP/1.1 ")
    head, _, _ = raw.partition(b"\r\n\r\n")
    return head.replace(b"\n", b"\r").split(b"\r")


def id_of(raw: bytes) -> str:
    """The reply's X-Request-ID, which the log's line has too."""
    (found,) = [line for line in heads(raw) if line.lower().startswith(b"x-request-id: ")]
    return found.partition(b" ")[2].decode("latin-1")


def assert_nothing_injected(
    server: Server, raw: bytes, log_before: int, event: str = "request"
) -> None:
    """The evil lines are no header, and no line of the log; the line on this request is there."""
    assert not any(line.lower().startswith(b"x-evil") for line in heads(raw))
    request_id = id_of(raw)

    def news() -> list[dict[str, Any]]:
        whole, _, _ = server.log()[log_before:].rpartition("\n")
        lines = [line for line in whole.splitlines() if "[INFO] Booting worker" not in line]
        return [json.loads(line) for line in lines]  # the second worker may come a little later

    ours = wait_for(lambda: [told for told in news() if told.get("request_id") == request_id])
    assert len(ours) == 1
    for told in news():
        assert told["event"] == event and "evil" not in told and told["level"] != "evil"


def post(server: Server, path: str, body: Any, *headers: bytes) -> bytes:
    raw = json.dumps(body).encode()
    return exchange_raw(server, request("POST", path, CLOSE, *headers, body=raw))


FIELDS = (
    "model",
    "user",
    "session_id",
    "conversation",
    "previous_response_id",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    "developer_message",
    "api_key",
    "reasoning_effort",
)


@pytest.mark.parametrize("door", DOORS, ids=door_name)
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_a_body_makes_a_line(
    relay: Server, stage: Stage, door: Door, field: str
) -> None:
    for value in LINES:
        before = len(relay.log())
        assert_nothing_injected(relay, post(relay, door.path, door.body(**{field: value})), before)
        assert not any("x-evil" in exchange.headers for exchange in stage.exchanges)


PATHS = [
    "/{}",
    "/v1/models/{}",
    "/v1/responses/{}",
    "/v1/responses/{}/input_items?after={}",
    "/v1/conversations/{}/items/{}",
    "/v1/chat/completions/{}",
    "/v1/chat/completions?after={}&metadata[a]={}&model={}",
    "/api/sessions/{}",
    "/static/{}",
    "/docs/assets/{}",
    "/health?{}",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_part_of_a_target_makes_a_line(relay: Server, path: str) -> None:
    for value in LINES:
        before = len(relay.log())
        target = path.replace("{}", quote(value, safe=""))
        raw = exchange_raw(relay, request("GET", target, CLOSE))
        assert_nothing_injected(relay, raw, before)


HEADERS = (
    "X-Request-ID",
    "Idempotency-Key",
    "Origin",
    "Access-Control-Request-Headers",
    "Prefer",
    "Accept",
    "If-None-Match",
    "User-Agent",
    "OpenAI-Organization",
    "X-Stainless-Lang",
)


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("name", HEADERS)
def test_no_header_makes_a_line(relay: Server, stage: Stage, name: str, method: str) -> None:
    """A bare CR or LF in one is no HTTP; what only looks like one is text."""
    for value in (
        "x\\r\\nX-Evil: yes",
        "x%0d%0aX-Evil: yes",
        "x\u0085X-Evil: yes",
        "\u560d\u560aX",
    ):
        before = len(relay.log())
        body = json.dumps(V1.body()).encode()
        asked = [CLOSE, b"Access-Control-Request-Method: POST", f"{name}: {value}".encode()]
        raw = exchange_raw(relay, request(method, V1.path, *asked, body=body))
        assert_nothing_injected(relay, raw, before)
    for value in ("x\rX-Evil: yes", "x\nX-Evil: yes"):
        before = len(relay.log())
        raw = exchange_raw(relay, request(method, V1.path, f"{name}: {value}".encode()))
        assert_nothing_injected(relay, raw, before, "malformed")
        assert raw.startswith(b"HTTP/1.1 400 ") and b"X-Evil" not in raw
    assert not any("x-evil" in exchange.headers for exchange in stage.exchanges)


UPSTREAMS = [
    "openai-version: x\rX-Evil: yes\r\n",
    "openai-version: x\nX-Evil: yes\r\n",
    "openai-version: x\r\n X-Evil: yes\r\n",
    "openai-version: x\u0085X-Evil: yes\r\n",
    "openai-version: x\x00X-Evil: yes\r\n",
    "x-ratelimit-a\rX-Evil: yes\r\n",
    "x-ratelimit-a\nX-Evil: yes\r\n",
    "x-ratelimit-a X-Evil: yes\r\n",
    "X-Evil: yes\r\nopenai-version: x\r\n",
    "retry-after-ms: 1\rX-Evil: yes\r\n",
]


@pytest.mark.parametrize("headers", UPSTREAMS, ids=ascii)
@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=door_name)
def test_no_header_of_an_upstream_makes_a_line(
    relay: Server, stage: Stage, door: Door, headers: str
) -> None:
    def answer(exchange: Exchange) -> None:
        if not door.streamed:
            return exchange.reply(200, completion(), headers)
        exchange.start_stream(headers)
        for data in chunks("Hi"):
            exchange.chunk(frame(data))
        return exchange.send(b"0\r\n\r\n")

    stage.play(answer)
    before = len(relay.log())
    raw = post(relay, door.path, door.body())
    assert_nothing_injected(relay, raw, before)
    assert raw.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 502 "))


@pytest.mark.parametrize("key", ["model", "id", "system_fingerprint", "service_tier"])
@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_no_word_of_an_upstreams_makes_a_line(
    relay: Server, stage: Stage, door: Door, key: str
) -> None:
    def answer(exchange: Exchange) -> None:
        if not exchange.json.get("stream"):
            return exchange.reply(200, completion(**{key: EVIL}))
        exchange.start_stream()
        for data in chunks("Hi"):
            exchange.chunk(frame({**data, key: EVIL}))
        return exchange.send(b"0\r\n\r\n")

    stage.play(answer)
    before = len(relay.log())
    assert_nothing_injected(relay, post(relay, door.path, door.body()), before)


@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_no_error_of_an_upstreams_makes_a_line(relay: Server, stage: Stage, door: Door) -> None:
    error = {"message": EVIL, "type": EVIL, "param": EVIL, "code": EVIL}
    for status in (400, 401, 404):
        stage.play(lambda exchange, status=status: exchange.reply(status, {"error": error}))
        before = len(relay.log())
        assert_nothing_injected(relay, post(relay, door.path, door.body()), before)
