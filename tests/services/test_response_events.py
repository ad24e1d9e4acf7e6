"""Responses made of chunks: every event, its number, its keys, and what the SDK makes of them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from chat_api.errors import UpstreamBroken
from chat_api.services.response_events import ResponseBuilder
from chat_api.services.response_objects import usage_of
from tests.fakes import USAGE_CHUNK, chunk, chunks, completion

Events = list[dict[str, Any]]
PLAIN = {"stream_options": {"include_obfuscation": False}}
EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 11,
}


def builder(request: dict[str, Any] | None = None, **options: Any) -> ResponseBuilder:
    given = {"input": "Hi", "model": "gpt-4o-mini", **PLAIN, **(request or {})}
    return ResponseBuilder(given, response_id="resp_1", created_at=1_700_000_000, **options)


def played(*given: dict[str, Any], **options: Any) -> Events:
    """The events of a whole stream, checked for what all streams have in common."""
    made = builder(**options)
    events = [*made.begin(), *(event for part in given for event in made.feed(part))]
    events += [*made.finish(), *made.end()]
    check(events)
    return events


def check(events: Events) -> Response | None:
    """Numbers without a gap, each event of OpenAI's own type; the SDK's final response, which is
    the one that the last event brings."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert all(list(event)[:2] == ["type", "sequence_number"] for event in events)
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(EVENTS.validate_python(event))
    final = state._completed_response
    if events[-1]["type"] == "response.completed":
        assert final is not None and final.id == events[-1]["response"]["id"]
    return final


def told(events: Events) -> list[tuple[Any, ...]]:
    """Each event's name, place, and what it says."""
    said = ("delta", "text", "refusal", "arguments", "name")
    return [
        (
            event["type"].removeprefix("response."),
            *(event[key] for key in ("output_index", "content_index") if key in event),
            *(event[key] for key in said if key in event),
        )
        for event in events
    ]


def called(index: int | None, arguments: str, **head: Any) -> dict[str, Any]:
    """A chunk with a fragment of a call."""
    function = {"name": head.pop("name"), "arguments": arguments} if "name" in head else {}
    fragment = {"index": index, **head, "function": function or {"arguments": arguments}}
    if index is None:
        del fragment["index"]
    return chunk({"tool_calls": [fragment]})


BEGIN: list[tuple[Any, ...]] = [("created",), ("in_progress",)]


def test_a_text_has_openais_nine_kinds_of_events() -> None:
    events = played(*chunks("Hel", "lo!"))
    assert told(events) == [
        *BEGIN,
        ("output_item.added", 0),
        ("content_part.added", 0, 0),
        ("output_text.delta", 0, 0, "Hel"),
        ("output_text.delta", 0, 0, "lo!"),
        ("output_text.done", 0, 0, "Hello!"),
        ("content_part.done", 0, 0),
        ("output_item.done", 0),
        ("completed",),
    ]
    item_id = events[2]["item"]["id"]
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    item = {"id": item_id, "type": "message", "status": "in_progress", "content": []}
    assert events[2]["item"] == {**item, "role": "assistant"}
    assert events[3]["part"] == part
    assert list(events[4].items()) == [
        ("type", "response.output_text.delta"),
        ("sequence_number", 4),
        ("item_id", item_id),
        ("output_index", 0),
        ("content_index", 0),
        ("delta", "Hel"),
        ("logprobs", []),
    ]
    assert (events[6]["text"], events[6]["logprobs"]) == ("Hello!", [])
    whole = {**part, "text": "Hello!"}
    assert events[7]["part"] == whole
    done = {**item, "status": "completed", "content": [whole], "role": "assistant"}
    assert events[8]["item"] == done
    first, last = events[0]["response"], events[9]["response"]
    assert (first["id"], first["status"], first["output"]) == ("resp_1", "in_progress", [])
    assert (first["usage"], first["completed_at"], first["model"]) == (None, None, "gpt-4o-mini")
    assert (last["id"], last["status"], last["output"]) == ("resp_1", "completed", [done])
    assert (last["usage"], last["model"]) == (USAGE, "gpt-4o-mini-2024-07-18")
    assert last["completed_at"] >= last["created_at"] == first["created_at"]


def test_a_call_has_its_arguments_in_pieces_and_its_name_at_the_end() -> None:
    events = played(
        called(0, "", id="call_1", type="function", name="get_weather"),
        called(0, '{"city":'),
        called(0, '"Paris"}'),
        chunk({}, "tool_calls"),
        USAGE_CHUNK,
    )
    assert told(events) == [
        *BEGIN,
        ("output_item.added", 0),
        ("function_call_arguments.delta", 0, '{"city":'),
        ("function_call_arguments.delta", 0, '"Paris"}'),
        ("function_call_arguments.done", 0, '{"city":"Paris"}', "get_weather"),
        ("output_item.done", 0),
        ("completed",),
    ]
    item = events[2]["item"]
    assert item == {
        "id": item["id"],
        "type": "function_call",
        "status": "in_progress",
        "arguments": "",
        "call_id": "call_1",
        "name": "get_weather",
    }
    assert item["id"].startswith("fc_") and events[3]["item_id"] == item["id"]
    done = {**item, "status": "completed", "arguments": '{"city":"Paris"}'}
    assert events[6]["item"] == done and events[7]["response"]["output"] == [done]


def test_items_follow_each_other_and_each_is_closed_before_the_next_begins() -> None:
    events = played(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "They "}),
        chunk({"reasoning_content": "greet."}),
        chunk({"content": "One moment."}),
        called(0, '{"a":1}', id="call_1", name="f"),
        called(1, "{}", id="call_2", name="g"),
        chunk({}, "tool_calls"),
    )
    assert told(events) == [
        *BEGIN,
        ("output_item.added", 0),
        ("content_part.added", 0, 0),
        ("reasoning_text.delta", 0, 0, "They "),
        ("reasoning_text.delta", 0, 0, "greet."),
        ("reasoning_text.done", 0, 0, "They greet."),
        ("content_part.done", 0, 0),
        ("output_item.done", 0),
        ("output_item.added", 1),
        ("content_part.added", 1, 0),
        ("output_text.delta", 1, 0, "One moment."),
        ("output_text.done", 1, 0, "One moment."),
        ("content_part.done", 1, 0),
        ("output_item.done", 1),
        ("output_item.added", 2),
        ("function_call_arguments.delta", 2, '{"a":1}'),
        ("function_call_arguments.done", 2, '{"a":1}', "f"),
        ("output_item.done", 2),
        ("output_item.added", 3),
        ("function_call_arguments.delta", 3, "{}"),
        ("function_call_arguments.done", 3, "{}", "g"),
        ("output_item.done", 3),
        ("completed",),
    ]
    reasoning = events[8]["item"]
    assert reasoning == {
        "id": reasoning["id"],
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "They greet."}],
        "status": "completed",
    }
    assert reasoning["id"].startswith("rs_")
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", *["function_call"] * 2]
    assert [item.get("call_id") for item in output[2:]] == ["call_1", "call_2"]


def test_calls_whose_pieces_come_mixed_stay_open_and_are_closed_in_their_order() -> None:
    events = played(
        called(0, '{"a":', id="call_1", name="f"),
        called(1, '{"b":', id="call_2", name="g"),
        called(0, "1}"),
        called(1, "2}"),
        chunk({}, "tool_calls"),
    )
    assert told(events)[2:] == [
        ("output_item.added", 0),
        ("function_call_arguments.delta", 0, '{"a":'),
        ("output_item.added", 1),
        ("function_call_arguments.delta", 1, '{"b":'),
        ("function_call_arguments.delta", 0, "1}"),
        ("function_call_arguments.delta", 1, "2}"),
        ("function_call_arguments.done", 0, '{"a":1}', "f"),
        ("output_item.done", 0),
        ("function_call_arguments.done", 1, '{"b":2}', "g"),
        ("output_item.done", 1),
        ("completed",),
    ]


@pytest.mark.parametrize(
    "fragments",
    [
        [called(0, "{}", id="call_1", name="f"), called(0, "{}", id="call_2", name="g")],
        [called(None, "{}", id="call_1", name="f"), called(None, "{}", id="call_2", name="g")],
        [called(0, "{}", name="f"), called(0, "{}", name="g")],
        [called(0, "{", name="f"), called(0, "}"), called(0, "", name="f"), called(1, "{}")],
    ],
    ids=("all have the index 0", "none has an index", "none has an id", "a name comes again"),
)
def test_careless_upstreams_calls_are_told_apart(fragments: Events) -> None:
    output = played(*fragments, chunk({}, "tool_calls"))[-1]["response"]["output"]
    assert [item["arguments"] for item in output] == ["{}", "{}"]
    assert output[0]["name"] == "f"
    assert len({item["call_id"] for item in output}) == 2
    assert all(item["call_id"].startswith("call_") for item in output)


def test_a_call_that_goes_on_after_its_end_is_a_failure_of_the_upstreams() -> None:
    made = builder()
    made.feed(called(0, "{}", id="call_1", name="f"))
    made.feed(called(1, "{}", id="call_2", name="g"))
    assert made.feed(called(0, " \n")) == []
    with pytest.raises(UpstreamBroken):
        made.feed(called(0, '{"a":1}'))


def test_a_refusal_is_a_part_of_its_own() -> None:
    events = played(chunk({"refusal": "I "}), chunk({"refusal": "won't."}), chunk({}, "stop"))
    assert told(events)[2:] == [
        ("output_item.added", 0),
        ("content_part.added", 0, 0),
        ("refusal.delta", 0, 0, "I "),
        ("refusal.delta", 0, 0, "won't."),
        ("refusal.done", 0, 0, "I won't."),
        ("content_part.done", 0, 0),
        ("output_item.done", 0),
        ("completed",),
    ]
    assert events[3]["part"] == {"type": "refusal", "refusal": ""}
    assert events[7]["part"] == {"type": "refusal", "refusal": "I won't."}


def test_a_text_that_turns_into_a_refusal_is_one_message_of_two_parts() -> None:
    events = played(chunk({"content": "Well, "}), chunk({"refusal": "No."}), chunk({}, "stop"))
    assert told(events)[4:] == [
        ("output_text.delta", 0, 0, "Well, "),
        ("output_text.done", 0, 0, "Well, "),
        ("content_part.done", 0, 0),
        ("content_part.added", 0, 1),
        ("refusal.delta", 0, 1, "No."),
        ("refusal.done", 0, 1, "No."),
        ("content_part.done", 0, 1),
        ("output_item.done", 0),
        ("completed",),
    ]
    (item,) = events[-1]["response"]["output"]
    assert [part["type"] for part in item["content"]] == ["output_text", "refusal"]


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [("length", "max_output_tokens"), ("content_filter", "content_filter")],
)
def test_an_answer_cut_short_is_incomplete(finish_reason: str, reason: str) -> None:
    events = played(chunk({"content": "Hel"}), chunk({}, finish_reason), USAGE_CHUNK)
    assert told(events)[-4:] == [
        ("output_text.done", 0, 0, "Hel"),
        ("content_part.done", 0, 0),
        ("output_item.done", 0),
        ("incomplete",),
    ]
    response = events[-1]["response"]
    assert response["status"] == response["output"][0]["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": reason}
    assert (response["completed_at"], response["usage"]) == (None, USAGE)


def test_of_an_answer_cut_short_only_what_is_not_whole_is_incomplete() -> None:
    events = played(
        called(0, '{"a":', id="call_1", name="f"),
        called(1, "{}", id="call_2", name="g"),
        called(2, '{"b', id="call_3", name="h"),
        chunk({}, "length"),
    )
    statuses = [item["status"] for item in events[-1]["response"]["output"]]
    assert statuses == ["incomplete", "completed", "incomplete"]


@pytest.mark.parametrize("first", [[], [chunk({"role": "assistant", "content": ""})]])
def test_an_answer_of_nothing_is_an_empty_message(first: Events) -> None:
    events = played(*first, chunk({}, "stop"))
    assert told(events)[2:] == [
        ("output_item.added", 0),
        ("content_part.added", 0, 0),
        ("output_text.done", 0, 0, ""),
        ("content_part.done", 0, 0),
        ("output_item.done", 0),
        ("completed",),
    ]


def test_reasoning_without_an_answer_gets_an_empty_one_unless_it_was_cut_short() -> None:
    thought = chunk({"reasoning": "Hm."})
    output = played(thought, chunk({}, "stop"))[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message"]
    (item,) = played(thought, chunk({}, "length"))[-1]["response"]["output"]
    assert (item["type"], item["status"]) == ("reasoning", "incomplete")


LOGPROB = {"token": "Hi", "bytes": [72, 105], "logprob": -0.1, "top_logprobs": []}


def test_logprobs_are_in_the_delta_at_the_end_and_in_the_part() -> None:
    spoken = chunk({"content": "Hi"})
    spoken["choices"][0]["logprobs"] = {"content": [LOGPROB], "refusal": None}
    events = played(spoken, chunk({}, "stop"))
    assert events[4]["logprobs"] == events[5]["logprobs"] == [LOGPROB]
    assert events[6]["part"]["logprobs"] == [LOGPROB]
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == [LOGPROB]


def test_logprobs_of_what_is_no_text_begin_no_message() -> None:
    spoken = called(0, "{}", id="call_1", name="f")
    spoken["choices"][0]["logprobs"] = {"content": [LOGPROB]}
    (item,) = played(spoken, chunk({}, "tool_calls"))[-1]["response"]["output"]
    assert item["type"] == "function_call"
    half = chunk({"content": ""})
    half["choices"][0]["logprobs"] = {"content": [LOGPROB]}
    events = played(chunk({"content": "Hi"}), half, chunk({}, "stop"))
    assert (events[5]["delta"], events[5]["logprobs"]) == ("", [LOGPROB])


def test_what_a_text_refers_to_is_told_and_kept() -> None:
    place = {"start_index": 0, "end_index": 2, "title": "Greetings", "url": "https://a.test"}
    cited = chunk({"annotations": [{"type": "url_citation", "url_citation": place}]})
    events = played(chunk({"content": "Hi"}), cited, chunk({}, "stop"))
    assert told(events)[4:6] == [
        ("output_text.delta", 0, 0, "Hi"),
        ("output_text.annotation.added", 0, 0),
    ]
    citation = {"type": "url_citation", **place}
    assert (events[5]["annotation_index"], events[5]["annotation"]) == (0, citation)
    assert events[7]["part"]["annotations"] == [citation]
    assert builder().feed(cited) == []


def test_a_background_response_is_queued_until_it_begins() -> None:
    made = builder(background=True)
    assert (made.response["status"], made.response["background"]) == ("queued", True)
    events = made.begin()
    check(events)
    assert told(events) == [("created",), ("queued",), ("in_progress",)]
    statuses = [event["response"]["status"] for event in events]
    assert statuses == ["queued", "queued", "in_progress"]


def test_a_failure_leaves_what_is_open_incomplete_and_says_why() -> None:
    made = builder()
    events = made.begin()
    events += made.feed(chunk({"content": "Let me see."}))
    events += made.feed(called(0, '{"a":', id="call_1", name="f"))
    events += made.fail("server_error", "The upstream broke off.")
    check(events)
    assert told(events)[-3:] == [
        ("output_item.added", 1),
        ("function_call_arguments.delta", 1, '{"a":'),
        ("failed",),
    ]
    response = events[-1]["response"]
    assert (response["status"], response["completed_at"]) == ("failed", None)
    assert response["error"] == {"code": "server_error", "message": "The upstream broke off."}
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]


def test_what_cannot_be_kept_has_failed_and_was_never_completed() -> None:
    made = builder()
    events = [*made.begin(), *made.feed(chunk({"content": "Hi"})), *made.finish()]
    events += made.fail("server_error", "The store is away.")
    check(events)
    assert told(events)[-2:] == [("output_item.done", 0), ("failed",)]
    response = events[-1]["response"]
    assert (response["status"], response["completed_at"]) == ("failed", None)
    assert response["output"][0]["content"][0]["text"] == "Hi"


def test_events_do_not_change_when_the_response_grows() -> None:
    made = builder()
    events = [*made.begin(), *made.feed(chunk({"content": "Hel"}))]
    before = orjson.dumps(events)
    made.feed(chunk({"content": "lo!"}))
    made.finish()
    assert orjson.dumps(events) == before


@pytest.mark.parametrize("text", ["", "a", "Hello!", 'é\n"quoted"', "x" * 16, "y" * 300])
def test_padding_hides_the_length_of_a_delta(text: str) -> None:
    made = builder({"stream_options": None})
    made.begin()
    (*_, delta) = made.feed(called(0, text or "{", id="call_1", name="f"))
    size = len(orjson.dumps([delta["delta"], delta["obfuscation"]])) - len('["",""]')
    assert size % 16 == 0
    assert 1 <= len(delta["obfuscation"]) <= 16


@pytest.mark.parametrize(
    ("options", "padded"),
    [
        (None, True),
        ({}, True),
        ({"include_obfuscation": None}, True),
        ({"include_obfuscation": True}, True),
        ({"include_obfuscation": False}, False),
    ],
)
def test_every_delta_is_padded_unless_the_caller_says_no(
    options: dict[str, Any] | None, padded: bool
) -> None:
    events = played(
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "Well."}),
        chunk({"refusal": "No."}),
        called(0, "{}", id="call_1", name="f"),
        chunk({}, "stop"),
        request={"stream_options": options},
    )
    deltas = [event for event in events if event["type"].endswith(".delta")]
    assert len(deltas) == 4
    assert all(("obfuscation" in event) == padded for event in deltas)
    assert not any("obfuscation" in event for event in events if event not in deltas)


def test_chunks_that_say_nothing_new_have_no_events() -> None:
    made = builder()
    other = chunk({"content": "Another answer."})
    other["choices"][0]["index"] = 1
    odd = {"content": ["no text"], "tool_calls": None, "refusal": None, "annotations": [1]}
    odder = {"content": 1, "tool_calls": ["f"], "refusal": {}, "annotations": {}}
    for silent in (chunk({}), other, USAGE_CHUNK, chunk(odd), chunk(odder), {"choices": []}):
        assert made.feed(silent) == []


def test_a_text_in_parts_and_arguments_that_are_an_object_are_understood() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "thinking"}, {"type": "text", "text": "lo!"}]
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": {"city": "Rome"}}}
    events = played(
        chunk({"content": parts}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls")
    )
    message, tool_call = events[-1]["response"]["output"]
    assert message["content"][0]["text"] == "Hello!"
    assert tool_call["arguments"] == '{"city":"Rome"}'


WHOLE_MESSAGE = {
    "role": "assistant",
    "content": "One moment.",
    "reasoning_content": "They ask twice.",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ],
}


def test_a_whole_completion_makes_the_response_that_its_chunks_would() -> None:
    made = builder()
    events = made.begin()
    choice = {"index": 0, "message": WHOLE_MESSAGE, "finish_reason": "tool_calls"}
    events += made.feed_whole(completion(choices=[choice], service_tier="flex"))
    events += [*made.finish(), *made.end()]
    check(events)
    response = made.response
    types = [item["type"] for item in response["output"]]
    assert types == ["reasoning", "message", "function_call", "function_call"]
    assert (response["status"], response["usage"]) == ("completed", USAGE)
    assert (response["service_tier"], events[-1]["response"]) == ("flex", response)


def test_the_response_gives_back_what_was_asked() -> None:
    given = {
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "max_tool_calls": 3,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "s",
        "service_tier": "flex",
        "temperature": 0,
        "tool_choice": {"type": "function", "name": "f"},
        "top_logprobs": 2,
        "top_p": 0.5,
        "truncation": "auto",
        "user": "u",
    }
    more = {
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_object"}, "verbosity": None},
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
    }
    made = builder(
        given | more, previous_response_id="resp_0", conversation_id="conv_1", store=False
    )
    response = made.response
    Response.model_validate(response)
    assert given.items() <= response.items()
    assert (response["previous_response_id"], response["store"]) == ("resp_0", False)
    assert response["conversation"] == {"id": "conv_1"}
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": {"type": "json_object"}, "verbosity": "medium"}
    (tool,) = response["tools"]
    assert tool == {**more["tools"][0], "description": None, "strict": False}


def test_what_was_not_asked_has_openais_defaults() -> None:
    response = builder(dict.fromkeys(("temperature", "tools", "text", "metadata"))).response
    Response.model_validate(response)
    assert response["temperature"] == response["top_p"] == 1.0
    assert (response["tools"], response["tool_choice"], response["metadata"]) == ([], "auto", {})
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert (response["store"], response["background"]) == (True, False)
    assert "conversation" not in response


@pytest.mark.parametrize(
    "choice",
    [{"delta": "Hi"}, {"delta": [1]}, {"delta": 5}, {"logprobs": {"content": 5}}, {"logprobs": 5}],
    ids=repr,
)
def test_a_choice_of_the_wrong_types_says_nothing(choice: dict[str, Any]) -> None:
    wrong = chunk({}, choices=[{"index": 0, "delta": {}, "finish_reason": None, **choice}])
    with_it, without = played(*chunks("Hi"), wrong), played(*chunks("Hi"))
    assert told(with_it) == told(without)


def test_counts_that_are_nonsense_count_as_not_there() -> None:
    found = usage_of({"prompt_tokens": 2**64 - 1, "completion_tokens": 5})
    assert found and (found["input_tokens"], found["total_tokens"]) == (0, 5)
