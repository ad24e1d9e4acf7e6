"""Usage that nobody asked for: gone from the bytes, and nothing else with it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chat_api.services.clients import CallRecord
from chat_api.services.streams import ChatStream
from chat_api.upstreams.base import Event
from chat_api.upstreams.events import EventDecoder
from chat_api.web.sse import openai_frames
from tests.fakes import FakeEventStream, chunks, frame

END = b'{"choices":[{"delta":{},"finish_reason":"stop"}]}'


class Batches(FakeEventStream):
    """Batches of events as the decoder gives them."""

    def read(self, until: float) -> list[Event]:
        batch: list[Event] = self._steps.popleft() if self._steps else []
        self.ended = not self._steps
        return batch


def written(*batches: bytes, shows_usage: bool = False) -> bytes:
    """What leaves of these reads."""
    decoder = EventDecoder()
    events = Batches([decoder.feed(batch) for batch in batches])
    stream = ChatStream(
        events,
        events.read(0),
        record=CallRecord(),
        shows_usage=shows_usage,
        heartbeat_seconds=0,
        on_close=lambda failure: None,
    )
    return b"".join(openai_frames(stream))


def sse(*datas: bytes) -> bytes:
    return b"".join(b"data: " + data + b"\n\n" for data in datas)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"choices":[],"usage":null}', b'{"choices":[]}'),
        (b'{"usage":null,"choices":[]}', b'{"choices":[]}'),
        (b'{"choices":[], "usage": null}', b'{"choices":[]}'),
        (b'{"choices":[],"x":{"a":1,"usage":null}}', b'{"choices":[],"x":{"a":1,"usage":null}}'),
        (b'{"choices":[],"x":{"usage":1},"usage":null}', b'{"choices":[],"x":{"usage":1}}'),
        (b'{"x":",\\"usage\\":null","choices":[],"usage":null}', None),
        (b'{"choices":[{"delta":{"content":"x"}}],"usage":{"total_tokens":1}}', None),
        (b'{"choices": [], "a": 1.0}', b'{"choices": [], "a": 1.0}'),
    ],
)
def test_only_the_usage_of_the_event_itself_goes(raw: bytes, expected: bytes | None) -> None:
    told: Any = orjson.loads(raw)
    told.pop("usage", None)
    for batch in ([raw], [raw, raw], [b'{"choices":[]}', raw, b'{"choices":[],"usage":null}']):
        lines = written(sse(*batch, END)).split(b"\n\n")
        assert lines[-2:] == [b"data: [DONE]", b""]
        assert orjson.loads(lines[batch.index(raw)][6:]) == told
        if expected is not None:
            assert lines[batch.index(raw)] == b"data: " + expected
        assert orjson.loads(lines[len(batch)][6:]) == orjson.loads(END)


def test_who_asked_sees_every_byte() -> None:
    batch = b"".join(map(frame, chunks("Hel", "lo!")))
    assert written(batch, shows_usage=True) == batch + b"data: [DONE]\n\n"
    hidden = written(batch)
    assert b"usage" not in hidden and hidden.count(b"data: ") == 5
