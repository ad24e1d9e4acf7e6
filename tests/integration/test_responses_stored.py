"""Responses that are stored: gone on from, looked up, deleted; by the real SDK over two workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.fakes import chunk, completion, frame
from tests.integration.stage import Stage
from tests.integration.wire import wait_for
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server, gunicorn

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALL = {"name": "weather", "arguments": '{"city":"Paris"}'}


@pytest.fixture
def sdk(relay: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def tell_history(exchange: Exchange) -> None:
    """A chat-only upstream that answers with how many messages it was sent, and calls the tool when
    it is asked for the weather."""
    body = exchange.json
    messages = body["messages"]
    calls = "tools" in body and messages[-1]["content"] == "The weather?"
    text = f"I was sent {len(messages)} messages."
    if not body.get("stream"):
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            function = {"id": f"call_{len(messages)}", "type": "function", "function": CALL}
            message = {"role": "assistant", "content": None, "tool_calls": [function]}
        reason = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        exchange.reply(200, {**completion(), "choices": [choice]})
        return
    if not calls:
        exchange.stream(*text.partition(" was "))
        return
    exchange.start_stream()
    begun = {"index": 0, "id": f"call_{len(messages)}", "type": "function"}
    begun["function"] = {"name": "weather", "arguments": ""}
    exchange.chunk(frame(chunk({"role": "assistant", "content": None, "tool_calls": [begun]})))
    for piece in ('{"city":', '"Paris"}'):
        exchange.chunk(
            frame(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
        )
    exchange.chunk(frame(chunk({}, "tool_calls")) + b"data: [DONE]\n\n")
    exchange.send(b"0\r\n\r\n")


def test_ten_turns_with_tools_outlive_a_worker(tmp_path: Path) -> None:
    """Streamed, over two workers, one of which is killed midway; the tenth answer was made of the
    whole history."""
    upstream = ScriptedUpstream()
    upstream.script = tell_history
    environment = {"OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "2"}
    with (
        gunicorn(tmp_path, **environment) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=2) as sdk,
    ):
        previous: str | None = None
        asked: Any = "Hi"
        for turn in range(10):
            with sdk.responses.stream(
                model="gpt-4o-mini", input=asked, previous_response_id=previous, tools=[TOOL]
            ) as stream:
                first = next(iter(stream))
                response = stream.get_final_response()
            assert first.type == "response.created" and first.response.id == response.id
            previous, asked = response.id, f"Turn {turn}"
            if turn % 3 == 1:
                asked = "The weather?"
            for item in response.output:
                if item.type == "function_call":
                    assert item.arguments == '{"city":"Paris"}'
                    output = {"type": "function_call_output", "call_id": item.call_id}
                    asked = [{**output, "output": "Sunny"}]
            if turn == 4:
                workers = server.workers()
                os.kill(workers[0], signal.SIGKILL)
                wait_for(lambda gone=workers[0]: gone not in server.workers())
        sent = upstream.exchanges[-1].json["messages"]
        assert response.output_text == f"I was sent {len(sent)} messages."
        assert sent[0] == {"role": "user", "content": "Hi"} and len(sent) == 19
        roles = [message["role"] for message in sent]
        assert roles.count("tool") == 3
        for at, message in enumerate(sent):
            if message["role"] == "tool":
                (call,) = sent[at - 1]["tool_calls"]
                assert call["id"] == message["tool_call_id"] and call["function"] == CALL
    upstream.close()


def test_a_response_is_there_at_once_whole_or_streamed(sdk: openai.OpenAI, stage: Stage) -> None:
    whole = sdk.responses.create(model="gpt-4o-mini", input="Hi", metadata={"topic": "x"})
    events = list(sdk.responses.create(model="gpt-4o-mini", input="Hi", stream=True))
    last = events[-1]
    assert last.type == "response.completed"
    for told in (whole, last.response):
        stored = sdk.responses.retrieve(told.id)
        assert stored.to_dict() == told.to_dict()
        assert stored.store is True  # type: ignore[attr-defined]
        sdk.responses.delete(told.id)
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.responses.retrieve(told.id)
        assert told.id in caught.value.message and caught.value.type == "invalid_request_error"


def test_what_is_not_to_be_stored_is_not(sdk: openai.OpenAI, stage: Stage) -> None:
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(response.id)
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(input="And?", previous_response_id=response.id)
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"


def test_input_items_come_in_pages(sdk: openai.OpenAI, stage: Stage) -> None:
    asked: Any = [{"role": "user", "content": f"{number}"} for number in range(5)]
    response = sdk.responses.create(model="gpt-4o-mini", input=asked)
    items = sdk.responses.input_items
    page = items.list(response.id, limit=2)
    assert [item.content[0].text for item in page.data] == ["4", "3"]  # type: ignore[union-attr]
    assert page.has_more
    found = [item.content[0].text for item in page]  # type: ignore[union-attr]
    assert found == ["4", "3", "2", "1", "0"]  # the SDK turns the pages
    behind = items.list(response.id, after=page.data[0].id, order="asc")  # type: ignore[union-attr]
    assert behind.data == [] and not behind.has_more
    with pytest.raises(openai.NotFoundError):
        items.list("resp_none")
    for wrong in ({"limit": 0}, {"limit": 101}, {"order": "up"}, {"after": "msg_none"}):
        with pytest.raises(openai.BadRequestError) as caught:
            items.list(response.id, **wrong)  # type: ignore[arg-type]
        assert caught.value.param == next(iter(wrong))


def test_an_item_may_be_referred_to_while_it_is_there(sdk: openai.OpenAI, stage: Stage) -> None:
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi")
    reference: Any = [{"type": "item_reference", "id": response.output[0].id}]
    more: Any = [{"role": "user", "content": "And?"}]
    sdk.responses.create(model="gpt-4o-mini", input=reference + more, store=False)
    sent = stage.exchanges[-1].json["messages"]
    assert [message["content"] for message in sent] == ["Hello!", "And?"]
    sdk.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.responses.create(model="gpt-4o-mini", input=reference + more)
    assert caught.value.param == "input[0].id"


def test_a_conversation_grows_by_its_responses(sdk: openai.OpenAI, stage: Stage) -> None:
    first: Any = {"type": "message", "role": "user", "content": "I am Ada."}
    conversation = sdk.conversations.create(items=[first], metadata={"topic": "names"})
    sdk.responses.create(model="gpt-4o-mini", input="Who am I?", conversation=conversation.id)
    last = sdk.responses.create(
        model="gpt-4o-mini", input="Sure?", conversation={"id": conversation.id}
    )
    assert last.conversation is not None and last.conversation.id == conversation.id
    sent = stage.exchanges[-1].json["messages"]
    assert [message["content"] for message in sent] == ["I am Ada.", "Who am I?", "Hello!", "Sure?"]
    items = sdk.conversations.items
    listed = list(items.list(conversation.id, order="asc"))
    assert len(listed) == 5 and listed[-1].id == last.output[0].id
    assert items.retrieve(listed[0].id, conversation_id=conversation.id).id == listed[0].id  # type: ignore[arg-type]
    items.delete(listed[0].id, conversation_id=conversation.id)  # type: ignore[arg-type]
    added = items.create(conversation.id, items=[first])
    assert len(added.data) == 1
    updated = sdk.conversations.update(conversation.id, metadata={"topic": "nobody"})
    assert updated.metadata == {"topic": "nobody"}
    assert sdk.conversations.delete(conversation.id).deleted
    for call in (
        lambda: sdk.conversations.retrieve(conversation.id),
        lambda: items.list(conversation.id),
        lambda: sdk.responses.create(input="Hi", conversation=conversation.id),
    ):
        with pytest.raises(openai.NotFoundError):
            call()


def test_a_session_goes_on_as_a_conversation_and_back(
    sdk: openai.OpenAI, relay: Server, stage: Stage
) -> None:
    post = sdk.with_options(base_url=relay.url).post
    session: Any = post(
        "/api/sessions", body={"developer_message": "Be brief."}, cast_to=dict[str, Any]
    )
    session_id = session["session_id"]
    post("/chat", body={"message": "Hi", "session_id": session_id}, cast_to=dict[str, Any])
    events = list(sdk.responses.create(input="Well?", conversation=session_id, stream=True))
    assert events[-1].type == "response.completed"
    sent = [message["content"] for message in stage.exchanges[-1].json["messages"]]
    assert sent == ["Be brief.", "Hi", "Hello!", "Well?"]
    post("/chat", body={"message": "Bye", "session_id": session_id}, cast_to=dict[str, Any])
    sent = [message["content"] for message in stage.exchanges[-1].json["messages"]]
    assert sent == ["Be brief.", "Hi", "Hello!", "Well?", "Hello!", "Bye"]


def test_a_response_belongs_to_the_key_that_made_it(tmp_path: Path, stage: Stage) -> None:
    environment = {
        "OPENAI_BASE_URL": stage.url,
        "OPENAI_API_KEY": "sk-canary",
        "API_KEY": "canary-one,canary-two",
    }
    with (
        gunicorn(tmp_path, **environment) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="canary-one", max_retries=0) as one,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="canary-two", max_retries=0) as two,
    ):
        response = one.responses.create(model="gpt-4o-mini", input="Hi", background=True)
        kept = one.conversations.create()
        wait_for(lambda: one.responses.retrieve(response.id).status == "completed")
        for call in (
            lambda: two.responses.retrieve(response.id),
            lambda: two.responses.cancel(response.id),
            lambda: two.responses.delete(response.id),
            lambda: two.responses.input_items.list(response.id),
            lambda: two.responses.retrieve(response.id, stream=True),
            lambda: two.conversations.retrieve(kept.id),
            lambda: two.conversations.delete(kept.id),
            lambda: two.responses.create(input="Hi", conversation=kept.id),
        ):
            with pytest.raises(openai.NotFoundError):
                call()
        with pytest.raises(openai.BadRequestError) as caught:
            two.responses.create(input="Hi", previous_response_id=response.id)
        assert caught.value.code == "previous_response_not_found"
        assert one.responses.retrieve(response.id).status == "completed"


def test_a_tool_output_without_its_call_is_refused(sdk: openai.OpenAI, stage: Stage) -> None:
    output: Any = [{"type": "function_call_output", "call_id": "call_none", "output": "1"}]
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="gpt-4o-mini", input=output)
    assert "call_none" in caught.value.message
    assert not stage.exchanges


def test_both_a_previous_response_and_a_conversation_are_refused(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(input="Hi", previous_response_id="resp_1", conversation="conv_1")
    assert caught.value.code == "mutually_exclusive_parameters"


def test_a_broken_stream_is_a_failed_response_that_can_be_looked_up(
    sdk: openai.OpenAI, stage: Stage
) -> None:
    def cut(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(frame(chunk({"role": "assistant", "content": "Hel"})))
        exchange.connection.close()

    stage.play(cut)
    events = list(sdk.responses.create(model="gpt-4o-mini", input="Hi", stream=True))
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None and last.response.error.code == "server_error"
    stored = sdk.responses.retrieve(last.response.id)
    assert stored.status == "failed" and stored.error == last.response.error


def test_a_refusal_before_the_first_event_is_a_status(sdk: openai.OpenAI, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.reply(400, {"error": {"message": "No.", "code": "bad"}}))
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="gpt-4o-mini", input="Hi", stream=True)
    assert caught.value.code == "bad"
