"""Streams of Ollama's: what the lines become, and what spoils them."""

from __future__ import annotations

import contextlib

import pytest

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.ollama import OllamaUpstream
from tests.ollama_wire import (
    USAGE,
    WEATHER,
    call,
    encode,
    end,
    last,
    line,
    play,
    read_all,
    reasons_of,
    start,
    text_of,
)
from tests.scripted import Exchange, ScriptedUpstream
from tests.upstreams.wire import FOREVER


def test_a_stream(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    events = read_all(ollama.stream(call(stream_options={"include_usage": True})))
    assert (text_of(events), reasons_of(events)) == ("Hello!", ["stop"])
    assert events[-1].data["usage"] == USAGE
    assert scripted.exchanges[0].json["stream"] is True


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_lines_come_in_whatever_splits(
    ollama: OllamaUpstream, scripted: ScriptedUpstream, size: int
) -> None:
    lines = line("Grüße"), line(" 你好\n"), line(tool_calls=[WEATHER]), last("length")
    data = b"\r\n".join(map(encode, lines))  # empty lines and CRs mean nothing
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    scripted.script = play(*pieces)
    events = read_all(ollama.stream(call()))
    assert (text_of(events), reasons_of(events)) == ("Grüße 你好\n", ["length"])


def test_the_last_line_needs_no_newline(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    scripted.script = play(encode(line("Hi")), encode(last()).strip())
    assert reasons_of(read_all(ollama.stream(call()))) == ["stop"]


def test_nothing_counts_behind_the_last_line(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    scripted.script = play(encode(line("Hi")), encode(last()) + encode({"error": "late"}))
    events = read_all(ollama.stream(call()))
    assert (text_of(events), reasons_of(events)) == ("Hi", ["stop"])


@pytest.mark.parametrize(
    "failure",
    [
        encode({"error": "an error was encountered while running the model"}),
        b"not json\n",
        b"[]\n",
        b'{"status":"success"}\n',
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_failure_midway_comes_behind_what_was_good(
    ollama: OllamaUpstream, scripted: ScriptedUpstream, failure: bytes, together: bool
) -> None:
    good = encode(line("Hel"))
    scripted.script = play(good + failure) if together else play(good, failure)
    with contextlib.closing(ollama.stream(call())) as stream:
        assert text_of(stream.read(FOREVER)) == "Hel"
        with pytest.raises(UpstreamBroken, match="upstream"):
            stream.read(FOREVER)


def test_an_error_first_is_a_failure(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    scripted.script = play(encode({"error": "no room"}))
    with (
        contextlib.closing(ollama.stream(call())) as stream,
        pytest.raises(UpstreamBroken),
    ):
        stream.read(FOREVER)


def test_a_line_without_end_is_given_up(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    scripted.script = play(encode(line("Hi")), b'{"' + b"x" * 20_000_000)
    with pytest.raises(UpstreamBroken, match="too large"):
        read_all(ollama.stream(call()))


def test_an_end_without_done_has_no_finish_reason(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    scripted.script = play(encode(line("Hel")))
    assert reasons_of(read_all(ollama.stream(call()))) == []


def test_a_connection_that_breaks_midway(
    ollama: OllamaUpstream, scripted: ScriptedUpstream
) -> None:
    def script(exchange: Exchange) -> None:
        start(exchange)
        exchange.chunk(encode(line("Hel")))
        exchange.connection.close()

    scripted.script = script
    with pytest.raises(UpstreamBroken):
        read_all(ollama.stream(call()))


def test_a_pause_gives_no_events(ollama: OllamaUpstream, scripted: ScriptedUpstream) -> None:
    def script(exchange: Exchange) -> None:
        start(exchange)
        exchange.wait_until_caller_leaves(0.2)
        exchange.chunk(encode(line("Hi"))[:9])
        exchange.wait_until_caller_leaves(0.2)
        exchange.chunk(encode(line("Hi"))[9:] + encode(last()))
        end(exchange)

    scripted.script = script
    with contextlib.closing(ollama.stream(call())) as stream:
        assert stream.read(0.0) == [] and not stream.ended
        assert text_of(stream.read(FOREVER)) == "Hi" and stream.ended
        assert stream.read(FOREVER) == []
