"""The real server, the real SDK, a scripted upstream."""

from __future__ import annotations

import openai
import pytest

from tests.scripted import ScriptedUpstream
from tests.servers import Server


@pytest.fixture
def sdk(relay: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0)


def test_the_sdk_chats(sdk: openai.OpenAI) -> None:
    reply = sdk.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]
    )
    assert reply.choices[0].message.content == "Hello!"
    assert reply.usage is not None and reply.usage.total_tokens == 11


def test_the_sdk_streams(sdk: openai.OpenAI, relay_upstream: ScriptedUpstream) -> None:
    stream = sdk.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello!"
    assert all(chunk.usage is None for chunk in chunks)
    assert relay_upstream.exchanges[-1].json["stream_options"] == {"include_usage": True}
