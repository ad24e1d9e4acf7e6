"""Responses made of chat completions."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from chat_api.errors import ObjectNotFound, SessionNotFound
from chat_api.services.clients import Client
from chat_api.services.responses import short_form
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunks, completion


def create(services: Services, **request: Any) -> dict[str, Any]:
    return services.responses.create({"input": "Hi", **request}, Client(), is_kept=False)


def test_a_text_is_the_users_and_instructions_are_the_systems(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion())
    create(services, instructions="Be brief.")
    assert upstream.calls[0].body == {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
    }


def test_messages_keep_their_roles_and_parts(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(completion())
    two = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    said = [{"type": "output_text", "text": "Hello!", "annotations": []}]
    items = [
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": two},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": said},
        {"role": "user", "content": "And?"},
    ]
    create(services, input=items)
    assert upstream.calls[0].body["messages"] == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "And?"},
    ]


def test_parameters_go_upstream_under_their_names_there(
    services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(completion())
    create(
        services,
        model="m",
        temperature=0,
        top_p=0.5,
        max_output_tokens=7,
        reasoning={"effort": "low"},
        text={"verbosity": "low", "format": {"type": "text"}},
        user="u",
        top_k=5,
        store=True,
        metadata={"a": "b"},
        parallel_tool_calls=False,
        tools=[],
        stream=False,
    )
    body = upstream.calls[0].body
    del body["messages"]
    assert body == {
        "model": "m",
        "temperature": 0,
        "top_p": 0.5,
        "max_completion_tokens": 7,
        "reasoning_effort": "low",
        "verbosity": "low",
        "user": "u",
        "top_k": 5,
    }


@pytest.mark.parametrize(
    ("finish_reason", "status", "reason"),
    [
        ("stop", "completed", None),
        (None, "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_an_answer_cut_short_is_incomplete(
    services: Services,
    upstream: FakeUpstream,
    finish_reason: str | None,
    status: str,
    reason: str | None,
) -> None:
    choice = {**completion()["choices"][0], "finish_reason": finish_reason}
    upstream.enqueue(completion(choices=[choice]))
    response = create(services)
    assert response["status"] == response["output"][0]["status"] == status
    assert response["incomplete_details"] == (reason and {"reason": reason})
    assert (response["completed_at"] is None) == (status == "incomplete")


@pytest.mark.parametrize(
    ("message", "types", "text"),
    [
        ({"content": "Hi", "refusal": None}, ["output_text"], "Hi"),
        ({"content": None, "refusal": "No."}, ["refusal"], "No."),
        ({"content": "", "refusal": "No."}, ["refusal"], "No."),
        ({"content": ""}, ["output_text"], ""),
        ({"content": None}, ["output_text"], ""),
    ],
)
def test_a_message_says_its_text_or_refuses(
    services: Services,
    upstream: FakeUpstream,
    message: dict[str, Any],
    types: list[str],
    text: str,
) -> None:
    upstream.enqueue(completion(choices=[{"index": 0, "message": message}], usage=None))
    response = create(services)
    assert [part["type"] for part in response["output"][0]["content"]] == types
    assert short_form(response)["output"] == {"role": "assistant", "content": text}
    assert response["usage"] is None


def test_the_details_of_the_usage_are_kept(services: Services, upstream: FakeUpstream) -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    upstream.enqueue(completion(usage=usage, service_tier="flex"))
    response = create(services)
    assert response["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 14,
    }
    assert response["service_tier"] == "flex"


def test_a_streamed_response_has_its_usage_too(services: Services, upstream: FakeUpstream) -> None:
    upstream.enqueue(chunks("Hello!"))
    stream = services.responses.stream({"input": "Hi", "store": False}, Client())
    with contextlib.closing(stream):
        *_, last = [event for batch in stream for event in batch]
    assert last["type"] == "response.completed"
    assert last["response"]["usage"]["total_tokens"] == 11


@pytest.mark.parametrize("store", [True, False])
def test_a_conversation_that_is_gone_at_the_end_is_named_by_its_field(
    services: Services, upstream: FakeUpstream, store: bool
) -> None:
    begun = services.conversations.create({}, Client())["id"]
    upstream.enqueue(chunks("Hello!"))
    request = {"input": "Hi", "conversation": begun, "store": store}
    with contextlib.closing(services.responses.stream(request, Client())) as stream:
        services.conversations.delete(begun, Client())
        with pytest.raises(ObjectNotFound) as caught:
            list(stream)
    assert caught.value.param == "conversation"


def test_a_stream_that_cannot_be_stored_fails_in_the_place_of_its_end(
    services: Services, upstream: FakeUpstream
) -> None:
    session = services.sessions.begin(None, Client())
    upstream.enqueue(chunks("Hello!"))
    stream = services.responses.stream({"input": "Hi", "conversation": session.id}, Client())
    services.sessions.delete(session.id, Client())
    events: list[dict[str, Any]] = []
    with pytest.raises(SessionNotFound) as caught:
        for batch in stream:
            events += batch
    events += stream.fail(caught.value)
    stream.close()
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[-2:]] == [
        "response.output_item.done",
        "response.failed",
    ]
