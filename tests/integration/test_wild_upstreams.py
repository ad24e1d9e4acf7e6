"""Upstreams whose answers hold anything anywhere: passed on or told as broken, never a crash."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.fakes import chunk, completion
from tests.fuzzing.bodies import mutated
from tests.fuzzing.requests import Request
from tests.fuzzing.values import written
from tests.fuzzing.verdict import fault_of
from tests.integration.doors import (
    API_CHAT,
    ASK,
    DOORS,
    RESPONSES_STREAM,
    V1,
    V1_STREAM,
    Door,
    door_name,
)
from tests.integration.stage import Stage, prompt_of
from tests.integration.wire import send
from tests.scripted import Exchange
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

COUNT = 80
# `/api/chat` does what `/ask` does, and has a limit that other tests count on.
DOORS_TO_TRY = [door for door in (*DOORS, RESPONSES_STREAM) if door is not API_CHAT]
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
PIECES = [
    chunk({"role": "assistant", "content": "Hel"}),
    chunk({"content": "lo!", "reasoning_content": "a", "refusal": None}),
    chunk({"tool_calls": [CALL]}, logprobs=None),
    chunk({}, "stop"),
    chunk({}, choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}),
]


def answer_wildly(exchange: Exchange) -> None:
    """What is usual, with something else in up to three places; the prompt says where."""
    rng = Random(prompt_of(exchange))
    answer = json.loads(json.dumps(PIECES if exchange.json.get("stream") else [completion()]))
    for _ in range(rng.randrange(4)):
        number = rng.randrange(len(answer))
        answer[number] = mutated(rng, answer[number])
    if not exchange.json.get("stream"):
        exchange.reply(200, written(answer[0]))
        return
    exchange.start_stream()
    for piece in answer:
        exchange.chunk(b"data: " + written(piece) + b"\n\n")
    exchange.chunk(b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


@pytest.mark.parametrize("door", DOORS_TO_TRY, ids=door_name)
def test_whatever_an_upstream_says_nothing_crashes(relay: Server, stage: Stage, door: Door) -> None:
    ask_wildly(relay, stage, door)


@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=door_name)
def test_nor_where_the_answer_is_stored(relay: Server, stage: Stage, door: Door) -> None:
    ask_wildly(relay, stage, door, store=True)


def ask_wildly(relay: Server, stage: Stage, door: Door, **extra: Any) -> None:
    stage.play(answer_wildly)

    def ask(number: int) -> int:
        """The status; 0 for a transfer that broke off, as bare text does where it failed."""
        try:
            reply = send(relay, door.path, door.body(f"wild {number}", **extra))
        except http.client.IncompleteRead:
            assert door is ASK
            return 0
        assert b"Internal error." not in reply.body, (number, reply)
        if reply.status == 200:
            assert fault_of(Request("POST", door.path, b""), reply) is None, (number, reply)
        return reply.status

    with ThreadPoolExecutor(4) as pool:
        statuses = Counter(pool.map(ask, range(COUNT)))
    assert set(statuses) <= {0, 200, 502 if door.keeps_statuses else 500}
    assert statuses[200] > COUNT / 4, "much of it is a good answer all the same"
