"""The events of responses over a real server, on three kinds of upstream: one that writes as
OpenAI does, one that only nearly does, and Ollama. Each goes through the SDK's strict helper too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests import ollama_wire as wire
from tests.fakes import USAGE_CHUNK, chunk, frame
from tests.scripted import Exchange, ScriptedUpstream, answer_plainly
from tests.servers import Server, gunicorn

FILE = '[upstreams.nearly]\nbase_url = "{url}"\nmodels = ["nearly-*"]\n'
MODELS = {"openai": "gpt-4o-mini", "nearly": "nearly-1", "ollama": f"ollama/{wire.MODEL}"}
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
BEGIN = ["created", "in_progress"]
TEXT = ["output_item.added", "content_part.added", "output_text.delta", "output_text.delta"]
TEXT_DONE = ["output_text.done", "content_part.done", "output_item.done"]
REFUSAL = ["output_item.added", "content_part.added", "refusal.delta", "refusal.done"]
REFUSAL_DONE = ["content_part.done", "output_item.done"]
REASONING = ["output_item.added", "content_part.added", "reasoning_text.delta"]
REASONING_DONE = ["reasoning_text.done", "content_part.done", "output_item.done"]
CALL = ["output_item.added", "function_call_arguments.delta"]
CALL_DONE = ["function_call_arguments.done", "output_item.done"]

Wire = list[bytes]


def fragment(index: int | None, city: str, call_id: str | None = None) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'}
    call: dict[str, Any] = {"type": "function", "function": function}
    call |= {} if index is None else {"index": index}
    return call | ({} if call_id is None else {"id": call_id})


def openais(*deltas: dict[str, Any], end: str | None = "stop") -> Wire:
    """A stream as OpenAI writes it: the role first, usage last."""
    told = [chunk({"role": "assistant", "content": ""}), *map(chunk, deltas)]
    told += [chunk({}, end), USAGE_CHUNK] if end else []
    return [*map(frame, told), *([b"data: [DONE]\n\n"] if end else [])]


def nearly(*deltas: dict[str, Any], end: str | None = "stop") -> Wire:
    """A stream as some others write it: no role, no usage, the reason beside the last words."""
    told = [chunk(delta) for delta in deltas]
    if end:
        told[-1]["choices"][0]["finish_reason"] = end
    return [frame(data) for data in told]


def ollamas(*messages: dict[str, Any], end: str | None = "stop") -> Wire:
    lines = [wire.line(message.pop("content", ""), **message) for message in map(dict, messages)]
    return [wire.encode(data) for data in (*lines, *([wire.last(end)] if end else []))]


def city(name: str) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": name}}}]}


HEL, LO = {"content": "Hel"}, {"content": "lo!"}
CASES: dict[str, tuple[dict[str, Wire], list[str]]] = {
    "text": (
        {
            "openai": openais(HEL, LO),
            "nearly": nearly(HEL, LO),
            "ollama": ollamas(HEL, LO),
        },
        [*BEGIN, *TEXT, *TEXT_DONE, "completed"],
    ),
    "call": (
        {
            "openai": openais({"tool_calls": [fragment(0, "Rome", "call_1")]}, end="tool_calls"),
            "nearly": nearly({"tool_calls": [fragment(None, "Rome")]}, end="stop"),
            "ollama": ollamas(city("Rome")),
        },
        [*BEGIN, *CALL, *CALL_DONE, "completed"],
    ),
    "several items": (
        {
            "openai": openais(
                HEL,
                LO,
                {"tool_calls": [fragment(0, "Rome", "call_1")]},
                {"tool_calls": [fragment(1, "Oslo", "call_2")]},
                end="tool_calls",
            ),
            "nearly": nearly(
                HEL,
                LO,
                {"tool_calls": [fragment(0, "Rome", "call_1"), fragment(0, "Oslo", "call_2")]},
            ),
            "ollama": ollamas(HEL, LO, city("Rome"), city("Oslo")),
        },
        [*BEGIN, *TEXT, *TEXT_DONE, *CALL, *CALL_DONE, *CALL, *CALL_DONE, "completed"],
    ),
    "reasoning first": (
        {
            "openai": openais({"reasoning_content": "Well."}, HEL, LO),
            "nearly": nearly({"reasoning": "Well."}, HEL, LO),
            "ollama": ollamas({"thinking": "Well."}, HEL, LO),
        },
        [*BEGIN, *REASONING, *REASONING_DONE, *TEXT, *TEXT_DONE, "completed"],
    ),
    "refusal": (
        {
            "openai": openais({"refusal": "No."}),
            "nearly": nearly({"content": None, "refusal": "No."}),
        },
        [*BEGIN, *REFUSAL, *REFUSAL_DONE, "completed"],
    ),
    "incomplete": (
        {
            "openai": openais(HEL, LO, end="length"),
            "nearly": nearly(HEL, LO, end="length"),
            "ollama": ollamas(HEL, LO, end="length"),
        },
        [*BEGIN, *TEXT, *TEXT_DONE, "incomplete"],
    ),
    "failed": (
        {
            "openai": openais(HEL, LO, end=None),
            "nearly": nearly(HEL, LO, end=None),
            "ollama": ollamas(HEL, LO, end=None),
        },
        [*BEGIN, *TEXT, "failed"],
    ),
}
PLAYED = [(case, kind) for case, (wires, _) in CASES.items() for kind in wires]


def player(pieces: Wire) -> Callable[[Exchange], None]:
    """A script for that stream; whatever else is asked is answered plainly."""

    def script(exchange: Exchange) -> None:
        if exchange.path.endswith("/api/tags"):
            exchange.reply(200, wire.TAGS)
        elif exchange.path.endswith("/models"):
            answer_plainly(exchange)
        else:
            wire.play(*pieces)(exchange)

    return script


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """All three kinds at one address: they are asked one after the other."""
    server = ScriptedUpstream()
    server.script = player([])
    yield server
    server.close()


@pytest.fixture(scope="module")
def server(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sequences")
    path = folder / "upstreams.toml"
    path.write_text(FILE.format(url=upstream.url))
    with gunicorn(
        folder,
        OPENAI_BASE_URL=upstream.url,
        OLLAMA_URL=wire.root(upstream),
        UPSTREAMS_FILE=str(path),
        WEB_CONCURRENCY="1",
    ) as server:
        yield server


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def names_of(events: list[Any]) -> list[str]:
    return [event.type.removeprefix("response.") for event in events]


@pytest.mark.parametrize(("case", "kind"), PLAYED)
def test_the_events_are_openais(
    sdk: openai.OpenAI, upstream: ScriptedUpstream, case: str, kind: str
) -> None:
    wires, names = CASES[case]
    upstream.script = player(wires[kind])
    asked: Any = {"model": MODELS[kind], "input": "Hi", "tools": [TOOL]}
    events: list[Any] = list(sdk.responses.create(**asked, stream=True))
    assert names_of(events) == names
    assert [event.sequence_number for event in events] == list(range(len(events)))
    first, last = events[0].response, events[-1].response
    assert first.id == last.id and sdk.responses.retrieve(last.id).to_dict() == last.to_dict()

    with sdk.responses.stream(**asked) as stream:
        helped = list(stream)
        if names[-1] == "completed":
            final = stream.get_final_response()
            assert [item.type for item in final.output] == [item.type for item in last.output]
            assert final.output_text == last.output_text
        else:  # the helper takes nothing else for an end
            with pytest.raises(RuntimeError):
                stream.get_final_response()
    assert names_of(helped) == names


@pytest.mark.parametrize("kind", MODELS)
def test_a_cancelled_stream_says_so(
    sdk: openai.OpenAI, upstream: ScriptedUpstream, kind: str
) -> None:
    def hang(exchange: Exchange) -> None:
        pieces = CASES["text"][0][kind][:-2] if kind != "nearly" else nearly(HEL, end=None)
        wire.start(exchange)
        for piece in pieces:
            exchange.chunk(piece)
        exchange.wait_until_caller_leaves()

    plain = player([])
    upstream.script = lambda exchange: (hang if exchange.raw else plain)(exchange)
    events: list[Any] = []
    with sdk.responses.create(
        model=MODELS[kind], input="Hi", background=True, stream=True
    ) as stream:
        for event in stream:
            events.append(event)
            if event.type == "response.output_text.delta":
                sdk.responses.cancel(events[0].response.id)
    names = names_of(events)
    assert names[:3] == ["created", "queued", "in_progress"] and names[-1] == "incomplete"
    assert events[-1].response.status == "cancelled"
    assert [event.sequence_number for event in events] == list(range(len(events)))
