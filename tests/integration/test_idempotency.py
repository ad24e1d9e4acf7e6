"""`Idempotency-Key` over two workers, with OpenAI's own client."""

from __future__ import annotations

import threading
import uuid

import openai
import pytest

from tests.integration.doors import V1
from tests.integration.stage import Stage
from tests.integration.wire import Call, Reply, send, wait_for
from tests.scripted import Exchange, answer_plainly
from tests.servers import Server

TIMES = 12
"""Enough for both workers to have their turn."""


def post(server: Server, key: str) -> Reply:
    return send(server, V1.path, V1.body("once"), headers={"Idempotency-Key": key})


def test_every_worker_tells_the_same_reply_and_the_upstream_is_asked_once(
    relay: Server, stage: Stage
) -> None:
    key = uuid.uuid4().hex
    replies = [post(relay, key) for _ in range(TIMES)]
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    replayed = [reply.headers["Idempotent-Replayed"] for reply in replies]
    assert replayed == [None, *["true"] * (TIMES - 1)]
    assert len(stage.exchanges) == 1


def test_while_a_call_is_under_way_others_join_it_or_are_told_to_wait(
    relay: Server, stage: Stage
) -> None:
    key, released = uuid.uuid4().hex, threading.Event()

    def hold(exchange: Exchange) -> None:
        released.wait(10)
        answer_plainly(exchange)

    stage.play(hold)
    headers = {"Idempotency-Key": key}
    calls = [Call(relay, V1.path, V1.body("once"), headers=headers) for _ in range(TIMES)]
    stage.exchange()
    released.set()
    for call in calls:
        with call:
            reply = call.whole()
            assert reply.status in (200, 409)
            if reply.status == 409:
                assert reply.headers["retry-after-ms"] == "1000"
                assert reply.json["error"]["code"] == "idempotency_key_in_use"
    assert post(relay, key).headers["Idempotent-Replayed"] == "true"
    assert len(stage.exchanges) == 1


def test_one_who_leaves_frees_the_key(relay: Server, stage: Stage) -> None:
    key = uuid.uuid4().hex
    stage.play(lambda exchange: exchange.wait_until_caller_leaves(), answer_plainly)
    with Call(relay, V1.path, V1.body("once"), headers={"Idempotency-Key": key}) as call:
        stage.exchange()
        call.leave()
    wait_for(lambda: post(relay, key).status == 200)


def test_the_sdk_reads_what_it_is_told(relay: Server, stage: Stage) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="none") as sdk:

        def ask(text: str) -> str | None:
            reply = sdk.chat.completions.create(
                model="m", messages=[{"role": "user", "content": text}], extra_headers=headers
            )
            return reply.choices[0].message.content

        assert ask("Hi") == ask("Hi") == "Hello!"
        with pytest.raises(openai.UnprocessableEntityError) as raised:
            ask("Ho")
        assert raised.value.code == "idempotency_key_reused"
    assert len(stage.exchanges) == 1
