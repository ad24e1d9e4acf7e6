"""Stored chat completions through OpenAI's own client, over two workers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import openai
import pytest

from tests.fakes import chunks, completion, frame
from tests.integration.stage import Stage
from tests.scripted import Exchange
from tests.servers import Server


@pytest.fixture
def sdk(relay: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="none", max_retries=0) as sdk:
        yield sdk


def answer(exchange: Exchange) -> None:
    """As an upstream does that gives each completion an id of its own."""
    name = f"chatcmpl-{uuid.uuid4().hex}"
    if not exchange.json.get("stream"):
        return exchange.reply(200, completion(id=name))
    exchange.start_stream()
    for data in chunks("Hel", "lo!"):
        exchange.chunk(frame({**data, "id": name}))
    exchange.chunk(b"data: [DONE]\n\n")
    return exchange.send(b"0\r\n\r\n")


def test_the_sdk_finds_what_it_had_stored(sdk: openai.OpenAI, stage: Stage) -> None:
    stage.play(answer)
    topic = uuid.uuid4().hex
    stored = []
    for _ in range(3):
        whole = sdk.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "Hi"}],
            store=True,
            metadata={"topic": topic},
        )
        stored.append(whole.id)
    streamed = sdk.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        store=True,
        stream=True,
        metadata={"topic": topic},
    )
    stored.append([chunk.id for chunk in streamed][-1])

    completions = sdk.chat.completions
    found = list(completions.list(metadata={"topic": topic}, limit=2))  # two pages
    assert [each.id for each in found] == stored
    newest = completions.list(metadata={"topic": topic}, order="desc", model="m", limit=1)
    assert newest.data[0].id == stored[-1]
    for each in stored:
        told = completions.retrieve(each)
        assert told.choices[0].message.content == "Hello!"
        (message,) = completions.messages.list(each)
        assert (message.id, message.content) == (f"{each}-0", "Hi")
    assert completions.update(stored[0], metadata={"a": "b"}).metadata == {"a": "b"}
    assert len(list(completions.list(metadata={"topic": topic}))) == 3
    assert completions.delete(stored[0]).deleted
    with pytest.raises(openai.NotFoundError):
        completions.retrieve(stored[0])
    assert all("store" not in exchange.json for exchange in stage.exchanges)
