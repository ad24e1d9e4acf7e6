"""The plain chat on top of the gateway."""

from __future__ import annotations

import pytest

from chat_api.services.chat import pieces
from chat_api.services.clients import Client
from chat_api.upstreams.base import Event
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunk, completion

HISTORY = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def test_the_conversation_grows_by_the_exchange(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion("Paris."))
    request = {"message": "Capital of France?", "messages": HISTORY}
    answer = services.chat.complete(request, Client())
    assert answer.response == "Paris."
    assert answer.model == "gpt-4o-mini-2024-07-18"
    assert answer.usage == {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    assert answer.conversation == [
        *HISTORY,
        {"role": "user", "content": "Capital of France?"},
        {"role": "assistant", "content": "Paris."},
    ]
    assert upstream.calls[0].body["messages"] == answer.conversation[:-1]


def test_only_what_was_given_goes_upstream(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion(), completion())
    services.chat.complete({"message": "Hi", "temperature": None}, Client())
    assert set(upstream.calls[0].body) == {"messages", "model"}
    services.chat.complete({"message": "Hi", "temperature": 0, "max_tokens": 5}, Client())
    assert upstream.calls[1].body["temperature"] == 0
    assert upstream.calls[1].body["max_tokens"] == 5


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": None, "tool_calls": []}, ""),
        ({"content": ["odd"]}, ""),
    ],
)
def test_answers_without_a_text(
    services: Services, upstream: FakeUpstream, message: dict[str, object], text: str
) -> None:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    upstream.enqueue(completion(choices=[choice], usage=None))
    answer = services.chat.complete({"message": "Hi"}, Client())
    assert answer.response == text
    assert answer.usage["total_tokens"] is None


def test_pieces_are_the_texts_of_the_deltas() -> None:
    events = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "a"}),
        {"choices": []},
        {"choices": [{"delta": None}, {"delta": {"refusal": "b"}}]},
    ]
    assert list(pieces([Event(None, data) for data in events])) == ["a", "b"]
