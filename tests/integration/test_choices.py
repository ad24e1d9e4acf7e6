"""`n` over a real server: the real local model asked in parallel, and upstreams that give less."""

from __future__ import annotations

import threading
import time
from typing import Any

import openai
import pytest

from tests.fakes import chunk, completion, frame
from tests.integration.doors import V1, V1_STREAM, data_of
from tests.integration.stage import Stage, caller_left
from tests.integration.wire import Call, ask, wait_for
from tests.scripted import Exchange
from tests.servers import Server

QUESTION: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]


def test_the_local_model_gives_two_whole_answers(local_sdk: openai.OpenAI) -> None:
    reply = local_sdk.chat.completions.create(
        model="gpt-4o", messages=QUESTION, max_tokens=24, temperature=0, n=2
    )
    assert [choice.index for choice in reply.choices] == [0, 1]
    assert all("Paris" in (choice.message.content or "") for choice in reply.choices)
    one = local_sdk.chat.completions.create(model="gpt-4o", messages=QUESTION, max_tokens=1)
    assert reply.usage is not None and one.usage is not None
    assert reply.usage.prompt_tokens == 2 * one.usage.prompt_tokens
    total = reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.usage.total_tokens == total


def test_the_local_model_streams_two_answers(local_sdk: openai.OpenAI) -> None:
    stream = local_sdk.chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        max_tokens=24,
        temperature=0,
        n=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    received = list(stream)
    text = {0: "", 1: ""}
    for piece in received:
        for choice in piece.choices:
            text[choice.index] += choice.delta.content or ""
    assert all("Paris" in answer for answer in text.values())
    assert len({piece.id for piece in received}) == 1
    assert len({piece.created for piece in received}) == 1
    assert [piece.usage is not None for piece in received].count(True) == 1
    assert received[-1].choices == [] and received[-1].usage is not None


def test_what_an_upstream_lacks_is_asked_for_at_once(relay: Server, stage: Stage) -> None:
    together = threading.Barrier(2, timeout=10)

    def one_more(exchange: Exchange) -> None:
        together.wait()
        exchange.reply(200, completion("more"))

    stage.play(lambda exchange: exchange.reply(200, completion("first")), one_more)
    reply = ask(relay, V1, n=3).json
    texts = [choice["message"]["content"] for choice in reply["choices"]]
    assert texts == ["first", "more", "more"]
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2]
    assert reply["usage"]["total_tokens"] == 33


def test_what_a_stream_lacks_comes_before_its_end(relay: Server, stage: Stage) -> None:
    stage.play(
        lambda exchange: exchange.stream("Hel", "lo!"),
        lambda exchange: exchange.stream("More"),
    )
    options = {"stream_options": {"include_usage": True}}
    *received, done = data_of(ask(relay, V1_STREAM, n=2, **options).body.split(b"\n\n")[:-1])
    assert done == "[DONE]"
    texts = {0: "", 1: ""}
    for data in received:
        for choice in data["choices"]:
            texts[choice["index"]] += choice["delta"].get("content") or ""
    assert texts == {0: "Hello!", 1: "More"}
    assert [data["usage"]["total_tokens"] for data in received if data["usage"]] == [22]


def test_a_reply_that_lacks_nothing_is_the_upstreams_own_bytes(relay: Server, stage: Stage) -> None:
    choices = [{"message": {"content": "x"}, "index": index} for index in (1, 0)]
    odd = b'{ "choices" : %b , "x": 1.50}' % str(choices).replace("'", '"').encode()
    stage.play(lambda exchange: exchange.reply(200, odd))
    assert ask(relay, V1, n=2).body == odd
    data = frame(chunk({"content": "x"}, "stop"))
    frames = [data.replace(b'"index":0', b'"index" : %d' % index) for index in (0, 1)]

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b"".join(frames) + b"data: [DONE]\n\n")
        exchange.send(b"0\r\n\r\n")

    stage.play(script)
    assert ask(relay, V1_STREAM, n=2).body == b"".join(frames) + b"data: [DONE]\n\n"


def wait(exchange: Exchange) -> None:
    exchange.wait_until_caller_leaves()


def answer_the_first(*then: Any) -> Any:
    """Gives the first call its only answer; the others do as told."""

    def first(exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            exchange.stream("a")
        else:
            exchange.reply(200, completion())

    return first, *then


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=["whole", "streamed"])
def test_one_failure_fails_the_call_and_cancels_the_others(
    relay: Server, stage: Stage, door: Any
) -> None:
    failed_at: list[float] = []
    waiting: list[Exchange] = []

    def wait_noted(exchange: Exchange) -> None:
        waiting.append(exchange)
        wait(exchange)

    def refuse(exchange: Exchange) -> None:
        wait_for(lambda: len(waiting) > len(failed_at))
        time.sleep(0.3)
        failed_at.append(time.monotonic())
        exchange.reply(400, {"error": {"message": "No."}})

    for took in stage.rounds():
        stage.play(*answer_the_first(wait_noted, refuse))
        reply = ask(relay, door, n=3)
        if door == V1:
            assert (reply.status, reply.json["error"]["message"]) == (400, "No.")
        else:
            assert b"[DONE]" not in reply.body
            assert data_of(reply.body.split(b"\n\n"))[-1]["error"]["message"] == "No."
        took.append(caller_left(waiting[-1]) - failed_at[-1])


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("door", [V1, V1_STREAM], ids=["whole", "streamed"])
def test_a_caller_who_leaves_cancels_all(relay: Server, stage: Stage, door: Any) -> None:
    for took in stage.rounds():
        stage.play(*answer_the_first(wait))
        with Call(relay, door.path, door.body(n=3)):
            wait_for(lambda: len(stage.exchanges) == 3)
            time.sleep(0.2)
            left_at = time.monotonic()
        took.append(max(map(caller_left, stage.exchanges[1:])) - left_at)
