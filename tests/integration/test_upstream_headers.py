"""The upstream's headers on `/v1`: what passes, and what clients do by it."""

from __future__ import annotations

import openai
import pytest

from tests.fakes import chunks, frame
from tests.integration.doors import CHAT, DOORS, V1, V1_STREAM, Door, door_name
from tests.integration.stage import Stage, refuse
from tests.integration.wire import ask
from tests.scripted import Exchange
from tests.servers import Server

PASSED = {
    "openai-processing-ms": "17",
    "openai-version": "2020-10-01",
    "openai-organization": "org-of-the-server",
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-tokens": "29",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-project-tokens": "9",
}
OTHERS = {"set-cookie": "a=b", "server": "cloudflare", "cf-ray": "1", "x-request-id": "req_1"}
HEADERS = "".join(f"{name}: {value}\r\n" for name, value in {**PASSED, **OTHERS}.items())


def answer(exchange: Exchange) -> None:
    """All is well, with headers."""
    if not exchange.json.get("stream"):
        return exchange.reply(200, {"choices": [{"message": {}}], "object": "x"}, HEADERS)
    exchange.start_stream(HEADERS)
    for data in chunks("Hi"):
        exchange.chunk(frame(data))
    exchange.chunk(b"data: [DONE]\n\n")
    return exchange.send(b"0\r\n\r\n")


@pytest.mark.parametrize("script", [answer, refuse(400, headers=HEADERS)], ids=["200", "400"])
@pytest.mark.parametrize("door", DOORS, ids=door_name)
def test_openais_headers_pass_on_v1_and_no_others(
    relay: Server, stage: Stage, door: Door, script: object
) -> None:
    stage.play(script)  # type: ignore[arg-type]
    headers = ask(relay, door).headers
    for name, value in PASSED.items():
        assert headers[name] == (value if door.openai else None)
    for name, value in OTHERS.items():
        assert value not in headers.get_all(name, [])


def test_what_would_be_no_header_of_ours_is_left_out(relay: Server, stage: Stage) -> None:
    stage.play(refuse(400, headers="openai-version: \u00e9\r\nx-ratelimit-a: b\r\n"))
    headers = ask(relay, V1).headers
    assert (headers["openai-version"], headers["x-ratelimit-a"]) == (None, "b")


@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=door_name)
def test_times_to_wait_come_as_the_upstream_gave_them(
    relay: Server, stage: Stage, door: Door
) -> None:
    for status, told in ((429, 429), (503, 503), (500, 502)):
        stage.play(refuse(status, headers="Retry-After: 20\r\nretry-after-ms: 19500\r\n"))
        reply = ask(relay, door)
        assert reply.status == told
        assert (reply.headers["Retry-After"], reply.headers["retry-after-ms"]) == ("20", "19500")
        assert reply.headers["x-should-retry"] is None  # asked once: after the wait it may go well
    assert len(stage.exchanges) == 3


def test_after_our_own_tries_clients_are_told_not_to_try(relay: Server, stage: Stage) -> None:
    stage.play(refuse(500))
    reply = ask(relay, V1)
    assert (reply.status, reply.headers["x-should-retry"]) == (502, "false")
    assert ask(relay, CHAT).headers["x-should-retry"] is None


@pytest.mark.parametrize(
    "script",
    [
        refuse(500, headers="x-should-retry: false\r\n"),
        refuse(501),
        refuse(429, {"error": {"message": "Paid?", "code": "insufficient_quota"}}),
    ],
    ids=["upstream", "501", "quota"],
)
def test_what_will_not_pass_is_told_at_once(relay: Server, stage: Stage, script: object) -> None:
    stage.play(script)  # type: ignore[arg-type]
    assert ask(relay, V1).headers["x-should-retry"] == "false"
    assert len(stage.exchanges) == 1


def test_the_sdk_makes_three_tries_of_it_and_not_nine(relay: Server, stage: Stage) -> None:
    stage.play(refuse(500))
    with (
        openai.OpenAI(base_url=f"{relay.url}/v1", api_key="none") as sdk,
        pytest.raises(openai.InternalServerError),
    ):
        sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert len(stage.exchanges) == 3
