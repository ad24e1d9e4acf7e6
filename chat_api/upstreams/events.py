"""From the bytes of a server-sent event stream to the chunks of a chat completion."""

from __future__ import annotations

import orjson
from orjson import loads

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.base import Event

END = b"\n\n"
MAX_EVENT_BYTES = 16_777_216


class EventDecoder:
    """Takes the body in whatever splits it comes; gives events whole.

    Each event is looked at (a microsecond) and its bytes are kept as they came. Comments and
    the fields `event`, `id` and `retry` are not passed on: one `id:` from an upstream makes the
    OpenAI SDK stumble over our heartbeats.
    """

    def __init__(self) -> None:
        self.done = False
        """`data: [DONE]` came. What follows it is not looked at."""
        self.failure: UpstreamBroken | None = None
        """What was wrong with the event behind the last ones that `feed` gave."""
        self._rest = b""
        self._middle: list[bytes] = []
        self._middle_bytes = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that are whole with this piece, up to the first that is not a JSON object
        (or is too large): that one is `failure` from then on, and nothing follows it."""
        if self._is_over():
            return []
        if b"\n" not in piece and b"\r" not in piece:
            # The middle of a large event: joined once, when its end comes.
            self._middle.append(piece)
            self._middle_bytes += len(piece)
            frames: list[bytes] = []
        else:
            frames = self._frames(b"".join((self._rest, *self._middle, piece)))
            self._middle, self._middle_bytes = [], 0
        events = self._events(frames)
        if len(self._rest) + self._middle_bytes > MAX_EVENT_BYTES and not self.failure:
            self.failure = UpstreamBroken("The upstream sent an event that is too large.")
        return events

    def _frames(self, buffer: bytes) -> list[bytes]:
        """What stands between blank lines; what is behind the last of them is kept."""
        held = b""
        if b"\r" in buffer:
            # CRLF or CR framing (JSON never holds either raw). A last CR may be half a CRLF.
            held = buffer[-1:] if buffer.endswith(b"\r") else b""
            buffer = buffer[: len(buffer) - len(held)]
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        frames = buffer.split(b"\n\n")
        self._rest = frames.pop() + held
        return frames

    def _events(self, frames: list[bytes]) -> list[Event]:
        """The events in them, up to the first that is none."""
        events: list[Event] = []
        try:
            for frame in frames:
                # Nearly all events: what begins so, and is JSON, is an object.
                if frame.startswith(b"data: {") and b"\n" not in frame:
                    events.append(Event(frame + END, loads(frame[6:])))
                elif event := self._event(frame):
                    events.append(event)
                elif self.done:
                    break
        except orjson.JSONDecodeError:
            self.failure = UpstreamBroken("The upstream sent an event that is not JSON.")
        except UpstreamBroken as failure:
            self.failure = failure
        return events

    def end(self) -> list[Event]:
        """The body ended; an event without its blank line may still be there."""
        rest = b"".join((self._rest, *self._middle))
        self._rest, self._middle = b"", []
        return self.feed(rest + b"\n\n") if rest.strip() and not self.done else []

    def _is_over(self) -> bool:
        return self.done or self.failure is not None

    def _event(self, frame: bytes) -> Event | None:
        """The event in any other frame; None for a comment, the end, and an event without data."""
        lines = [line[5:] for line in frame.split(b"\n") if line[:5] == b"data:"]
        data = b"\n".join(lines).strip()
        if data == b"[DONE]":
            self.done = True
        if not data or self.done:
            return None
        value = loads(data)
        if type(value) is not dict:
            raise UpstreamBroken("The upstream sent an event that is no chat completion chunk.")
        return Event(None, value)
