"""Server-sent events in every framing and every split."""

from __future__ import annotations

import itertools
import time

import orjson
import pytest

from chat_api.upstreams.base import Event
from chat_api.upstreams.events import MAX_EVENT_BYTES, EventDecoder

SIZES = (1, 2, 3, 7, 16, 10_000)
EVENTS = [{"n": 1, "text": "größer 🙂 \\n\r"}, {"n": 2}, {"n": 3, "data: ": "[DONE]"}]
PLAIN = b"".join(b"data: " + orjson.dumps(data) + b"\n\n" for data in EVENTS) + b"data: [DONE]\n\n"
RICH = (
    b": welcome\n\nevent: message\nid: 7\nretry: 10\n"
    + PLAIN.replace(b'data: {"n":2}', b'data:{"n":\n: in between\ndata: 2}\nevent: x')
    + b"data: more that nobody reads\n\n"
)


def decode(data: bytes, size: int = 10_000) -> tuple[EventDecoder, list[Event]]:
    decoder = EventDecoder()
    events = []
    for start in range(0, len(data), size):
        events += decoder.feed(data[start : start + size])
    return decoder, events + decoder.end()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("data", [PLAIN, RICH])
def test_events_come_whole_in_every_framing_and_split(
    data: bytes, newline: bytes, size: int
) -> None:
    decoder, events = decode(data.replace(b"\n", newline), size)
    assert [event.data for event in events] == EVENTS
    assert decoder.done and decoder.failure is None


@pytest.mark.parametrize("size", SIZES)
def test_plain_events_keep_their_bytes(size: int) -> None:
    _, events = decode(PLAIN, size)
    assert b"".join(event.raw or b"" for event in events) == PLAIN.removesuffix(b"data: [DONE]\n\n")


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_stream_may_be_cut_in_two_anywhere(newline: bytes) -> None:
    data = RICH.replace(b"\n", newline)
    for cut in range(len(data)):
        decoder = EventDecoder()
        events = decoder.feed(data[:cut]) + decoder.feed(data[cut:])
        assert [event.data for event in events] == EVENTS and decoder.done


@pytest.mark.parametrize(
    "frame",
    [
        b'data:{"n":1}\n\n',
        b'data:   {"n":1}  \n\n',
        b'data: {"n":\ndata: 1}\n\n',
        b'event: delta\ndata: {"n":1}\n\n',
        b'data: {"n":1}\nid: 5\n\n',
        b'retry: 1000\ndata: {"n":1}\n\n',
        b': a comment\ndata: {"n":1}\n\n',
        b'\n\n\ndata: {"n":1}\n\n',
    ],
)
def test_what_is_more_than_a_data_line_is_to_be_written_anew(frame: bytes) -> None:
    assert decode(frame)[1] == [Event(None, {"n": 1})]


def test_crlf_framing_is_taken_over_as_plain() -> None:
    assert decode(b'data: {"n":1}\r\n\r\n')[1] == [Event(b'data: {"n":1}\n\n', {"n": 1})]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b": ping\n\n", b"event: x\n\n", b"data:\n\n", b"data\n\n", b"id: 1\n\n\n\n"],
)
def test_comments_and_events_without_data_are_not_passed_on(data: bytes) -> None:
    decoder, events = decode(data)
    assert (events, decoder.done, decoder.failure) == ([], False, None)


@pytest.mark.parametrize("done", [b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n", b"data: [DONE]"])
def test_done_ends_the_stream(done: bytes) -> None:
    decoder, events = decode(b'data: {"n":1}\n\n' + done)
    assert [event.data for event in events] == [{"n": 1}] and decoder.done


@pytest.mark.parametrize("size", SIZES)
def test_what_follows_done_is_not_looked_at(size: int) -> None:
    decoder, events = decode(b'data: [DONE]\n\ndata: {"n":1}\n\ndata: nonsense\n\nda', size)
    assert (events, decoder.done, decoder.failure) == ([], True, None)


@pytest.mark.parametrize("data", [b'data: {"n":1}', b'data: {"n":1}\n', b'data: {"n":1}\r\n\r'])
def test_the_last_event_may_lack_its_blank_line(data: bytes) -> None:
    decoder = EventDecoder()
    assert decoder.feed(data) == []
    assert [event.data for event in decoder.end()] == [{"n": 1}]
    assert decoder.end() == []


BAD = [
    b"data: nonsense\n\n",
    b"data: {nonsense}\n\n",
    b'data: {"n": NaN}\n\n',
    b'data: {"n": "\xff"}\n\n',
    b"data: [1]\n\n",
    b'data: "text"\n\n',
    b"data: null\n\n",
    b'data: {"n":1}\ndata: {"n":2}\n\n',
    b'data: {"n":%b%b}\n\n' % (b"[" * 254, b"]" * 254),
]


GOOD = b'data: {"n":1}\n\n'


@pytest.mark.parametrize("bad", BAD)
def test_events_before_a_bad_one_are_delivered(bad: bytes) -> None:
    decoder = EventDecoder()
    events = decoder.feed(GOOD + GOOD + bad + GOOD)
    assert [event.data for event in events] == [{"n": 1}] * 2
    assert decoder.failure is not None and not decoder.done
    assert "event that is" in str(decoder.failure)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("behind", [GOOD + GOOD, b'data: {"n":2}', b"data: [DONE]\n\n"])
def test_nothing_behind_a_bad_event_is_delivered(behind: bytes, size: int) -> None:
    decoder, events = decode(GOOD + BAD[0] + behind, size)
    assert [event.data for event in events] == [{"n": 1}]
    assert decoder.failure is not None and not decoder.done


def test_an_end_that_is_no_event_is_a_failure() -> None:
    decoder, events = decode(b'data: {"n":1}\n\ndata: {"n":')
    assert [event.data for event in events] == [{"n": 1}]
    assert decoder.failure is not None


def test_an_event_has_a_limit() -> None:
    decoder = EventDecoder()
    piece = b"x" * (MAX_EVENT_BYTES // 4)
    events = decoder.feed(b'data: {"n":1}\n\ndata: {"text": "')
    for _ in range(4):
        assert decoder.failure is None
        events += decoder.feed(piece)
    assert [event.data for event in events] == [{"n": 1}]
    assert "too large" in str(decoder.failure)


def test_an_event_that_comes_too_large_at_once_is_a_failure_too() -> None:
    decoder = EventDecoder()
    events = decoder.feed(GOOD + b"data: " + b"x" * MAX_EVENT_BYTES)
    assert [event.data for event in events] == [{"n": 1}]
    assert "too large" in str(decoder.failure)


def test_a_large_event_below_the_limit_passes() -> None:
    text = "x" * 1_000_000
    _, events = decode(b'data: {"text":"%b"}\n\n' % text.encode(), 65_536)
    assert [event.data for event in events] == [{"text": text}]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_large_event_of_many_lines_is_joined_once(newline: bytes) -> None:
    """With each of its pieces 16 MB took 12 seconds, in which nobody else had a turn."""
    line = b": " + b"x" * 60 + newline
    data = line * (8_000_000 // len(line)) + GOOD.replace(b"\n", newline) + line
    began = time.process_time()
    _, events = decode(data, 16_384)
    assert [event.data for event in events] == [{"n": 1}]
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("bits", list(itertools.product([b"\r", b"\n", b"\r\n"], repeat=4)))
def test_line_breaks_of_all_kinds_may_be_mixed(bits: tuple[bytes, ...]) -> None:
    one, two, three, four = bits
    data = b": a" + one + b'data: {"n":1}' + two + three + b'data: {"n":2}' + four
    expected = decode(data)[1]
    for cuts in itertools.combinations(range(len(data) + 1), 2):
        decoder = EventDecoder()
        pieces = [data[: cuts[0]], data[cuts[0] : cuts[1]], data[cuts[1] :]]
        events = [event for piece in pieces if piece for event in decoder.feed(piece)]
        assert events + decoder.end() == expected
