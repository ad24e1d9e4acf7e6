"""From the bytes of a server-sent event stream to the chunks of a chat completion."""

from __future__ import annotations

import orjson

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.base import Event
from chat_api.upstreams.json_values import SHORTEST_DEEP, loads

END = b"\n\n"
BLANK_LINES = (END, b"\n\r", b"\r\r")
"""One of these is in every two line breaks behind each other, be they LF, CR or CRLF."""
LEAD, LONE_OBJECT = b"data: ", b"data: {"
BEHIND_THE_LAST = b"\n\ndata: [DONE]"
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
        if (b"\n" not in piece and b"\r" not in piece) or (
            self._rest and not self._may_end_in(piece)
        ):
            # The middle of a large event: joined once, when its end comes. Each time a line of it
            # ends would take time with the square of its lines.
            self._middle.append(piece)
            self._middle_bytes += len(piece)
            events: list[Event] = []
        else:
            events = self._events(self._frames(b"".join((self._rest, *self._middle, piece))))
            self._middle, self._middle_bytes = [], 0
        if len(self._rest) + self._middle_bytes > MAX_EVENT_BYTES and not self.failure:
            self.failure = UpstreamBroken("The upstream sent an event that is too large.")
        return events

    def _may_end_in(self, piece: bytes) -> bool:
        """Whether a blank line is in what comes now: none is in what is held, but for one whose
        last CR was kept back."""
        seam = (self._middle[-1] if self._middle else self._rest)[-1:] + piece[:1]
        return (
            seam in BLANK_LINES
            or any(blank in piece for blank in BLANK_LINES)
            or self._rest.endswith(b"\n\r")
        )

    def _frames(self, buffer: bytes) -> bytes:
        """The frames that are whole, with blank lines between them; what is behind the last blank
        line is kept."""
        held = b""
        if b"\r" in buffer:
            # CRLF or CR framing (JSON never holds either raw). A last CR may be half a CRLF.
            held = buffer[-1:] if buffer.endswith(b"\r") else b""
            buffer = buffer[: len(buffer) - len(held)]
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        frames, _, rest = buffer.rpartition(END)
        if frames[-1:] == b"\n" and (len(frames) - len(frames.rstrip(b"\n"))) % 2:
            # The last of an odd number of line breaks belongs to what follows, however it comes.
            frames, rest = frames[:-1], b"\n" + rest
        self._rest = rest + held
        return frames

    def _events(self, frames: bytes) -> list[Event]:
        """The events in them, up to the first that is none."""
        if END in frames:
            plain = frames.removesuffix(BEHIND_THE_LAST)
            try:
                events = _lone_objects(plain)
            except orjson.JSONDecodeError:
                events = []  # found once more below, where it stands
            if events:
                self.done = len(plain) < len(frames)
                return events
        return self._one_by_one(frames.split(END))

    def _one_by_one(self, frames: list[bytes]) -> list[Event]:
        """The events in frames of any kind, up to the first that is none."""
        events: list[Event] = []
        try:
            for frame in frames:
                # Nearly all events: what begins so, and is JSON, is an object.
                if frame.startswith(LONE_OBJECT) and b"\n" not in frame:
                    events.append(Event(frame + END, loads(frame[6:])))
                elif event := self._event(frame):
                    events.append(event)
                elif self.done:
                    break
        except orjson.JSONDecodeError:
            self.failure = UpstreamBroken(
                "The upstream sent an event that is not JSON, or nested too deeply."
            )
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


def _lone_objects(frames: bytes) -> list[Event]:
    """The events where each frame is a lone `data:` line with an object, as nearly always; [] where
    one is anything else. Looked at all at once: one by one costs as much as parsing them.

    Raises:
        orjson.JSONDecodeError: something in it is no JSON.
    """
    found = frames[len(LEAD) :].split(END + LEAD)
    are_objects = frames.startswith(LEAD) and {text[:1] for text in found} == {b"{"}
    if not are_objects or b"\n" in b"".join(found):
        return []
    parse = loads if max(map(len, found)) > SHORTEST_DEEP else orjson.loads
    data = [parse(text) for text in found]
    return list(map(Event, [LEAD + text + END for text in found], data))
