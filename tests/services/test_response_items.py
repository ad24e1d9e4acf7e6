"""Items become the messages that say the same."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from chat_api.errors import InvalidRequest
from chat_api.services.response_items import input_items, messages_of

Item = dict[str, Any]


def user(content: Any, **extra: Any) -> Item:
    return {"role": "user", "content": content, **extra}


def call(call_id: str, name: str = "f", arguments: str = "{}") -> Item:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id: str, text: Any = "done") -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def said(text: str) -> Item:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


def thought(text: str) -> Item:
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": content}


def tool_call(call_id: str, name: str = "f", arguments: str = "{}") -> Item:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def messages(*items: Item) -> list[Item]:
    return messages_of(input_items(list(items)))


def test_a_text_is_a_message_of_the_users() -> None:
    (item,) = input_items("Hi")
    assert item == {
        "id": item["id"],
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    assert item["id"].startswith("msg_") and len(item["id"]) == 52
    assert messages_of([item]) == [{"role": "user", "content": "Hi"}]


def test_items_get_what_they_lack_and_keep_what_they_have() -> None:
    given = [
        user("Hi"),
        {"role": "assistant", "content": "Hello!", "phase": "commentary"},
        user("And?", id="msg_mine", status="incomplete"),
        call("call_1"),
        {**output("call_1"), "id": None, "status": None},
        {**thought("Hm."), "id": None},
        {"id": "msg_9"},
        {"type": "item_reference", "id": "rs_9"},
    ]
    before = [dict(item) for item in given]
    items = input_items(given)
    assert given == before
    assert [item["id"].split("_")[0] for item in items[:6]] == "msg msg msg fc fco rs".split()
    assert items[1]["content"] == [
        {"type": "output_text", "text": "Hello!", "annotations": [], "logprobs": []}
    ]
    assert items[1]["phase"] == "commentary"
    assert (items[2]["id"], items[2]["status"]) == ("msg_mine", "incomplete")
    assert [items[n]["status"] for n in (0, 3, 4)] == ["completed"] * 3
    assert "status" not in items[5]
    assert items[6] == {"type": "item_reference", "id": "msg_9"}
    assert items[7] == {"type": "item_reference", "id": "rs_9"}
    for item in items[:6]:
        TypeAdapter(ResponseItem).validate_python(item)
    assert input_items(items) == items, "they are whole now"


def test_roles_stay_and_a_lone_text_is_plain() -> None:
    two = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert messages(
        {"role": "system", "content": "S"},
        {"role": "developer", "content": "D"},
        user(two),
        said("Hello!"),
        user([]),
    ) == [
        {"role": "system", "content": "S"},
        {"role": "developer", "content": "D"},
        {"role": "user", "content": [{"type": "text", "text": text} for text in "ab"]},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": ""},
    ]


@pytest.mark.parametrize(
    ("part", "translated"),
    [
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"},
            },
        ),
        (
            {"type": "input_image", "image_url": "https://a.test/b", "file_id": None},
            {"type": "image_url", "image_url": {"url": "https://a.test/b"}},
        ),
        (
            {"type": "input_file", "file_data": "data:x", "filename": "a.pdf"},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:x"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        ),
        ({"type": "refusal", "refusal": "No."}, {"type": "refusal", "refusal": "No."}),
        (
            {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ),
    ],
    ids=lambda part: part["type"],
)
def test_parts_have_the_names_of_chat_completions(part: Item, translated: Item) -> None:
    assert messages(user([part])) == [{"role": "user", "content": [translated]}]


def test_calls_at_once_are_one_message_with_the_text_before_them() -> None:
    assert messages(
        user("Hi"),
        said("One moment."),
        call("call_1", "f", '{"a":1}'),
        call("call_2", "g"),
        output("call_2", "two"),
        output("call_1", [{"type": "input_text", "text": "one"}]),
        said("Done."),
    ) == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [tool_call("call_1", "f", '{"a":1}'), tool_call("call_2", "g")],
        },
        {"role": "tool", "tool_call_id": "call_2", "content": "two"},
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        {"role": "assistant", "content": "Done."},
    ]


def test_calls_one_after_the_other_are_messages_of_their_own() -> None:
    told = messages(call("call_1"), output("call_1"), call("call_2"), output("call_2"))
    assert [message["role"] for message in told] == ["assistant", "tool"] * 2
    assert [message.get("content") for message in told] == [None, "done"] * 2


def test_outputs_stand_right_after_their_calls_wherever_their_items_are() -> None:
    told = messages(call("call_1"), said("Wait."), user("Well?"), output("call_1"), said("Done."))
    assert [(message["role"], message["content"]) for message in told] == [
        ("assistant", "Wait."),
        ("tool", "done"),
        ("user", "Well?"),
        ("assistant", "Done."),
    ]


def test_texts_around_a_call_are_kept_both() -> None:
    told = messages(said("a"), call("call_1"), said("b"), output("call_1"))
    assert told[0]["content"] == [{"type": "text", "text": text} for text in "ab"]


def test_reasoning_goes_with_what_the_model_said_after_it() -> None:
    summary = [{"type": "summary_text", "text": "In short."}]
    told = messages(
        thought("Hm."),
        said("Hello!"),
        user("And?"),
        {"type": "reasoning", "id": "rs_2", "summary": summary},
        call("call_1"),
        thought("Two."),
        call("call_2"),
        output("call_1"),
        output("call_2"),
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "x"},
        said("Done."),
        thought("Unfinished."),
        user("Go on."),
        said("Well."),
    )
    said_by_model = [message for message in told if message["role"] == "assistant"]
    assert [message.get("reasoning_content") for message in said_by_model] == [
        "Hm.",
        "In short.\n\nTwo.",
        None,
        None,
    ]


def test_an_output_without_its_call_is_refused_as_openai_does() -> None:
    with pytest.raises(InvalidRequest) as caught:
        messages(user("Hi"), output("call_9"), call("call_9"))
    text = "No tool call found for function call output with call_id call_9."
    assert (str(caught.value), caught.value.param, caught.value.code) == (text, "input", None)


def test_a_call_without_its_output_is_refused_as_openai_does() -> None:
    with pytest.raises(InvalidRequest) as caught:
        messages(call("call_1"), call("call_2"), output("call_1"), user("Hi"))
    text = "No tool output found for function call call_2."
    assert (str(caught.value), caught.value.param, caught.value.code) == (text, "input", None)


def test_a_reference_that_nobody_resolved_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Item with id 'msg_9' not found"):
        messages({"type": "item_reference", "id": "msg_9"})
