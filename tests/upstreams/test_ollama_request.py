"""What is asked of Ollama, field by field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chat_api.errors import InvalidRequest
from chat_api.upstreams.ollama_request import LENGTHS, OPTIONS, TRANSLATED, chat_request
from tests.ollama_wire import WEATHER_TOOL

HELLO = [{"role": "user", "content": "Hi"}]
PIXEL = "iVBORw0KGgo="
OTHER_TOOL = {"type": "function", "function": {"name": "other", "parameters": {}}}
DOCS = Path(__file__).resolve().parent.parent.parent / "docs/ollama.md"


def asked(messages: Any = HELLO, *, stream: bool = False, **fields: Any) -> dict[str, Any]:
    return chat_request({"model": "m", "messages": messages, **fields}, stream=stream)


def message(**fields: Any) -> Any:
    """A single message on its way."""
    return asked([{"role": "user", **fields}])["messages"][0]


def test_the_smallest_request_has_no_invented_parameters() -> None:
    least = {"model": "m", "messages": HELLO, "stream": False, "options": {}}
    assert asked() == least
    assert asked(stream_options={"include_usage": True}, stream=True) == {**least, "stream": True}


@pytest.mark.parametrize("name", OPTIONS)
def test_numbers_become_options_of_the_same_name(name: str) -> None:
    request = asked(**{name: 7})
    assert request["options"] == {name: 7} and name not in request
    assert asked(**{name: None})["options"] == {}


@pytest.mark.parametrize("name", LENGTHS)
def test_both_lengths_are_num_predict(name: str) -> None:
    assert asked(**{name: 9})["options"] == {"num_predict": 9}


def test_the_newer_length_wins() -> None:
    assert asked(max_completion_tokens=5, max_tokens=9)["options"] == {"num_predict": 5}


@pytest.mark.parametrize("stop", ["END", ["END"]])
def test_stop_is_a_list(stop: object) -> None:
    assert asked(stop=stop)["options"] == {"stop": ["END"]}


def test_the_callers_own_options_win() -> None:
    own = {"num_ctx": 8192, "mirostat": 2}
    assert asked(num_ctx=1, seed=3, options=own)["options"] == {**own, "seed": 3}


def test_what_is_not_translated_goes_up_as_it_came() -> None:
    extra = {"keep_alive": "10m", "logprobs": True, "top_logprobs": 2, "x_new": {"deep": [None]}}
    assert extra.items() <= asked(**extra).items()
    assert "user" not in asked(user=None)


@pytest.mark.parametrize(
    ("effort", "think"),
    [("none", False), ("minimal", "low"), ("low", "low"), ("high", "high"), ("xhigh", "max")],
)
def test_reasoning_effort_is_think(effort: str, think: object) -> None:
    request = asked(reasoning_effort=effort)
    assert request["think"] == think and "reasoning_effort" not in request


def test_think_itself_wins_over_reasoning_effort() -> None:
    assert asked(think=True, reasoning_effort="low")["think"] is True
    assert "think" not in asked()


def test_response_formats() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    assert asked(response_format=wanted)["format"] == schema
    assert asked(response_format={"type": "json_object"})["format"] == "json"
    assert "format" not in asked(response_format={"type": "text"})


def test_tools_go_up_as_tool_choice_says() -> None:
    tools = [WEATHER_TOOL, OTHER_TOOL]
    only = {"type": "function", "function": {"name": "other"}}
    several = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [only]}}
    for choice in (None, "auto", "required"):
        assert asked(tools=tools, tool_choice=choice)["tools"] == tools
    assert asked(tools=tools, tool_choice=only)["tools"] == [OTHER_TOOL]
    assert asked(tools=tools, tool_choice=several)["tools"] == [OTHER_TOOL]
    assert "tools" not in asked(tools=tools, tool_choice="none")
    assert "tools" not in asked(tools=[])


def test_roles_that_ollama_calls_otherwise() -> None:
    assert message(role="developer", content="Be brief.")["role"] == "system"
    result = {"role": "tool", "content": "22", "tool_name": "f"}
    assert message(role="function", name="f", content="22") == result


def test_parts_become_a_text_and_images() -> None:
    content = [
        {"type": "text", "text": "What"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": f"DATA:;BASE64,{PIXEL}"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "text", "text": "is this?"},
    ]
    images = [PIXEL, PIXEL, "UklGRg=="]
    said = {"role": "user", "content": "What\n\nis this?", "images": images}
    assert message(content=content) == said


def test_calls_and_their_results_find_each_other() -> None:
    def call(call_id: str, name: str, arguments: Any) -> dict[str, Any]:
        return {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }

    calls = [call("call_1", "get_weather", '{"city":"Tokyo"}'), call("call_2", "now", "")]
    conversation = [
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "22"}]},
        {"role": "tool", "tool_call_id": "call_9", "content": "?"},
    ]
    first, second = (
        {"id": "call_1", "function": {"name": "get_weather", "arguments": {"city": "Tokyo"}}},
        {"id": "call_2", "function": {"name": "now", "arguments": {}}},
    )
    first["function"]["index"], second["function"]["index"] = 0, 1
    tool = {"role": "tool"}
    assert asked(conversation)["messages"] == [
        {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [first, second]},
        {**tool, "content": "noon", "tool_name": "now", "tool_call_id": "call_2"},
        {**tool, "content": "22", "tool_name": "get_weather", "tool_call_id": "call_1"},
        {**tool, "content": "?", "tool_call_id": "call_9"},
    ]


def test_a_call_without_an_id_is_sent_without_one() -> None:
    calls = [{"function": {"name": "now", "arguments": {}}}]
    (said,) = asked([{"role": "assistant", "content": "", "tool_calls": calls}])["messages"]
    assert said["tool_calls"] == [{"function": {"index": 0, "name": "now", "arguments": {}}}]


def part(**fields: Any) -> dict[str, Any]:
    return {"messages": [*HELLO, {"role": "user", "content": [fields]}]}


def calling(call: Any) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "tool_calls": call}]}


def function(**fields: Any) -> list[Any]:
    return [{"id": "call_1", "function": fields}]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_p": "1"}, "top_p"),
        ({"seed": True}, "seed"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stop": 1}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"options": []}, "options"),
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [WEATHER_TOOL, {"type": "custom"}]}, "tools[1].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [], "tool_choice": {"function": {"name": "f"}}}, "tool_choice"),
        ({"tools": [], "tool_choice": {"type": "custom"}}, "tool_choice"),
        ({"tools": [], "tool_choice": {"allowed_tools": {"tools": [1]}}}, "tool_choice"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format.json_schema.schema",
        ),
        (
            part(type="image_url", image_url={"url": "https://example.com/cat.png"}),
            "messages[1].content[0].image_url.url",
        ),
        (part(type="image_url", image_url="data:x,y"), "messages[1].content[0].image_url"),
        (part(type="image_url"), "messages[1].content[0].image_url"),
        (part(type="file", file={}), "messages[1].content[0].type"),
        (part(type="refusal"), "messages[1].content[0].refusal"),
        (part(type="input_audio", input_audio={}), "messages[1].content[0].input_audio.data"),
        (calling({"id": "x"}), "messages[0].tool_calls"),
        (calling([1]), "messages[0].tool_calls[0]"),
        (calling([{"type": "custom"}]), "messages[0].tool_calls[0].function"),
        (calling(function(name=1)), "messages[0].tool_calls[0].function.name"),
        (
            calling(function(name="f", arguments="{")),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            calling(function(name="f", arguments="[1]")),
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_ollama_has_no_word_for_is_refused_by_its_path(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked(**fields)
    assert (caught.value.param, caught.value.code) == (param, "invalid_value")
    assert str(caught.value).startswith(f"`{param}` ")


def test_the_body_of_the_caller_is_not_changed() -> None:
    body = {"model": "m", "messages": [{"role": "developer", "content": "x"}], "options": {"a": 1}}
    before = repr(body)
    chat_request(body, stream=True)["options"]["b"] = 2
    assert repr(body) == before


def test_every_translated_field_is_in_the_docs() -> None:
    rows = [row.split("|")[1] for row in DOCS.read_text().splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)[`.]", row)}
    assert set(TRANSLATED) - {"messages", "stream", "stream_options"} <= documented | {
        "stream_options.include_obfuscation"
    }
