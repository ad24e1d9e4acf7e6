"""Streams of which all is kept until their end: an end that never comes."""

from __future__ import annotations

import pytest

from chat_api.errors import UpstreamBroken
from chat_api.services.clients import Client
from chat_api.services.streams import ChatStream
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.bodies import MAX_REPLY_BYTES
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunk

EIGHTH = chunk({"content": "Hi "}, filling="x" * (MAX_REPLY_BYTES // 8))
HI = [{"role": "user", "content": "Hi"}]


def kept(services: Services, door: str) -> ChatStream:
    """A stream at each of the doors that keep one; what they have in common is a stream's."""
    session = services.sessions.create({}, Client())["session_id"]
    bodies: dict[str, JsonObject] = {
        "session_chat": {"user_message": "Hi"},
        "chat": {"message": "Hi", "session_id": session},
        "chat_completions": {"messages": HI, "store": True},
        "responses": {"input": "Hi", "store": False},
    }
    stream: ChatStream = getattr(services, door).stream(bodies[door], Client())
    return stream


@pytest.mark.parametrize("door", ["session_chat", "chat", "chat_completions", "responses"])
def test_an_answer_without_an_end_is_broken_off_where_a_whole_one_would_be(
    services: Services, upstream: FakeUpstream, door: str
) -> None:
    upstream.enqueue([EIGHTH] * 9)
    stream = kept(services, door)
    with pytest.raises(UpstreamBroken, match="too large"):
        for _ in stream:
            pass
    stream.close()
    assert stream.record.outcome == "UpstreamBroken"


def test_a_background_response_without_an_end_has_failed(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([EIGHTH] * 9)
    request = {"input": "Hi", "background": True}
    made = services.responses.create(request, Client(), is_kept=True)
    replay = services.responses.replay(made["id"], {"include_obfuscation": False}, Client())
    last = [event for batch in replay for event in batch][-1]
    assert last["response"]["error"]["message"] == "The upstream's answer is too large."


def test_a_stream_of_which_nothing_is_kept_may_go_on(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([*[EIGHTH] * 9, chunk({}, "stop")])
    stream = services.chat_completions.stream({"messages": HI}, Client())
    assert sum(len(batch) for batch in stream) == 10
