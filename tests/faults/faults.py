"""Everything that an upstream can do wrong, by name.

An upstream plays the fault that the prompt names, so all of them can be tried at once, at every
door, while other callers are served well.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.fakes import chunk, completion, frame
from tests.integration.stage import INTERNAL, Script, prompt_of, refuse, reset
from tests.scripted import Exchange, answer_plainly

PIECE = frame(chunk({"role": "assistant", "content": "Hel"}))
REST = frame(chunk({"content": "lo!"}))
STOP = frame(chunk({}, "stop"))
DONE = b"data: [DONE]\n\n"
END = b"0\r\n\r\n"
WHOLE = json.dumps(completion()).encode()
HUGE = "Hello! " * 150_000
"""A megabyte of answer."""

_replied: dict[str, threading.Event] = {}


def replied(prompt: str) -> threading.Event:
    """Set when that prompt's caller has the head of a reply. Caller and upstream ask for it from
    two threads: `setdefault` gives both the same one, where a `defaultdict` might make two."""
    return _replied.setdefault(prompt, threading.Event())


class Statuses(NamedTuple):
    """A refusal: its status on `/v1` and `/api`, and on the plain routes."""

    relayed: int
    plain: int


FAILED = Statuses(502, 500)
SILENT = Statuses(504, 500)
BUSY = Statuses(503, 500)
LIMITED = Statuses(429, 429)
BROKEN = "a stream that says that it broke"
WELL = "a whole answer"
Outcome = Statuses | str


class Fault(NamedTuple):
    """What an upstream does with a call for a whole reply and with one for a stream, and what the
    callers of either see."""

    whole: Script
    stream: Script
    whole_is: Outcome
    stream_is: Outcome
    most_tries: int = 1
    text: str = "Hello!"
    """The answer, where it is whole."""


def say(*pieces: bytes, then: Script = lambda exchange: exchange.send(END)) -> Script:
    """A stream of these pieces, and how it ends. What follows `PIECE` waits until the caller has a
    reply: it is midway then, however busy the machine is."""

    def script(exchange: Exchange) -> None:
        exchange.start_stream()
        for piece in pieces:
            exchange.chunk(piece)
            if piece == PIECE:
                replied(prompt_of(exchange)).wait(10)
        then(exchange)

    return script


def bytes_of(data: bytes, then: Script = lambda exchange: exchange.connection.close()) -> Script:
    """These bytes, and how it ends."""

    def script(exchange: Exchange) -> None:
        exchange.send(data)
        then(exchange)

    return script


def hang(exchange: Exchange) -> None:
    """Nothing more, until the other end closes."""
    exchange.wait_until_caller_leaves(30)


def close(exchange: Exchange) -> None:
    """The end of the connection."""
    exchange.connection.close()


def head(status: str = "200 OK", *lines: str) -> bytes:
    """A reply's head."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def with_length(body: bytes, length: object) -> bytes:
    """A reply that says it is so long."""
    return head("200 OK", "Content-Type: application/json", f"Content-Length: {length}") + body


def first(*failures: Script) -> Script:
    """One failure after the other at each try of a prompt, and then all is well."""
    tries: Counter[bytes] = Counter()
    lock = threading.Lock()

    def script(exchange: Exchange) -> None:
        with lock:
            number = tries[exchange.raw]
            tries[exchange.raw] += 1
        (failures[number] if number < len(failures) else answer_plainly)(exchange)

    return script


def drip(exchange: Exchange) -> None:
    """A good answer, a few bytes at a time: events and lines are torn apart anywhere."""
    streamed = exchange.json.get("stream")
    body = PIECE + REST + STOP + DONE if streamed else WHOLE
    kind = "text/event-stream" if streamed else "application/json"
    exchange.send(head("200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}"))
    for at in range(0, len(body), 7):
        exchange.send(body[at : at + 7])
        time.sleep(0.002)


def endless_head(exchange: Exchange) -> None:
    """Headers for as long as somebody reads them."""
    with contextlib.suppress(OSError):
        exchange.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(10_000):
            exchange.send(b"X-More: " + b"x" * 1000 + b"\r\n")


def gzipped(exchange: Exchange) -> None:
    """Compressed, though nobody said that it may be."""
    exchange.reply(200, gzip.compress(WHOLE), "Content-Encoding: gzip\r\n")


def before(script: Script, outcome: Outcome = FAILED, tries: int = 1) -> Fault:
    """One that shows before a piece of an answer."""
    return Fault(script, script, outcome, outcome, tries)


def midway(whole: Script, stream: Script, whole_is: Outcome = FAILED) -> Fault:
    """One that shows in the middle of an answer."""
    return Fault(whole, stream, whole_is, BROKEN)


def well(whole: Script, stream: Script, tries: int = 1, text: str = "Hello!") -> Fault:
    """One that nobody notices."""
    return Fault(whole, stream, WELL, WELL, tries, text)


DEEP = b',"x":%b%b}' % (b"[" * 300, b"]" * 300)
"""Ends an object otherwise than with a bracket: more levels than can be written again."""
HALF = with_length(WHOLE[:40], len(WHOLE))
TOO_MUCH = {"error": {"message": "The upstream wants less of you.", "type": "x", "code": "y"}}
"""Its own words on a limit are for the caller."""
RETRY_LATER = "Retry-After: 60\r\n"
MOST_TRIES = 4
"""Three, and a request that was lost on an idle connection goes again."""


def of_shape(shape: Any) -> Fault:
    """JSON that is no completion, and an event that is no chunk behind a good one."""
    return midway(refuse(200, shape), say(PIECE, frame(shape), STOP, DONE))


FAULTS: dict[str, Fault] = {
    "hang": before(hang, SILENT),
    "hang behind the head": Fault(
        bytes_of(head("200 OK", "Content-Length: 99"), hang), say(then=hang), SILENT, SILENT
    ),
    "hang midway": midway(bytes_of(HALF, hang), say(PIECE, then=hang), SILENT),
    "reset before": before(reset, tries=MOST_TRIES),
    "close before": before(close, tries=MOST_TRIES),
    "reset midway": midway(bytes_of(HALF, reset), say(PIECE, then=reset)),
    "cut midway": midway(bytes_of(HALF), say(PIECE, then=close)),
    "truncated JSON": midway(
        refuse(200, WHOLE[:40]), say(PIECE, b'data: {"choices":[{"ind\n\n', STOP, DONE)
    ),
    "garbage": before(bytes_of(b"\x00\xff no HTTP\r\n\r\n")),
    "garbage for events": Fault(refuse(200, b"\xff\x00"), say(b"\xff\x00\n\n"), FAILED, FAILED),
    "garbage amid events": midway(
        refuse(200, WHOLE + b"}"), say(PIECE, b"data: \xff\xfe{\n\n", STOP, DONE)
    ),
    "JSON of 300 levels": midway(
        refuse(200, WHOLE[:-1] + DEEP), say(PIECE, PIECE[:-3] + DEEP + b"\n\n", STOP, DONE)
    ),
    "half an event at the end": midway(
        refuse(200, WHOLE[:-1]), say(PIECE, b'data: {"choices":[{"index":0,"del')
    ),
    "an end without a reason": midway(refuse(200, {}), say(PIECE, REST, DONE)),
    "an error event midway": midway(refuse(200, INTERNAL), say(PIECE, frame(INTERNAL), STOP, DONE)),
    "an error event first": Fault(
        refuse(200, INTERNAL), say(frame(INTERNAL), DONE), FAILED, FAILED
    ),
    "an error behind the reason": midway(refuse(200, INTERNAL), say(PIECE, STOP, frame(INTERNAL))),
    "a huge piece": well(
        refuse(200, completion(HUGE)),
        say(frame(chunk({"content": HUGE})), STOP, DONE),
        text=HUGE,
    ),
    "gzip": before(gzipped),
    "a length too long": Fault(
        bytes_of(with_length(WHOLE, 9999)), bytes_of(with_length(PIECE, 9999)), FAILED, BROKEN
    ),
    "a length too short": Fault(
        bytes_of(with_length(WHOLE, 40)), bytes_of(with_length(PIECE, 40)), FAILED, FAILED
    ),
    "a length that is no number": before(bytes_of(with_length(WHOLE, "many"))),
    "a length below zero": before(bytes_of(with_length(WHOLE, -1))),
    "a bad chunk": midway(
        bytes_of(head("200 OK", "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n"),
        say(PIECE, then=bytes_of(b"zz\r\n")),
    ),
    "half a head": before(bytes_of(b"HTTP/1.1 200 OK\r\nContent-")),
    "a head without end": before(endless_head),
    "HTML": before(refuse(200, b"<html>Welcome to nginx!</html>")),
    "empty": before(refuse(200, b"")),
    "204": before(bytes_of(head("204 No Content"))),
    "304": before(bytes_of(head("304 Not Modified"))),
    "a list": of_shape([]),
    "a number": of_shape(17),
    "no choices": of_shape({"object": "chat.completion", "id": "x"}),
    "choices of text": of_shape({"choices": "none"}),
    "choices that are no objects": of_shape({"choices": [None]}),
    "choices that are null": of_shape({"choices": None}),
    "a slow drip": well(drip, drip),
    "carriage returns": well(
        answer_plainly, say((PIECE + REST + STOP + DONE).replace(b"\n", b"\r\n"))
    ),
    "words behind the end": well(answer_plainly, say(PIECE, REST, STOP, DONE + b"data: {oops\n\n")),
    "an early 103": well(
        bytes_of(head("103 Early Hints"), answer_plainly),
        bytes_of(head("103 Early Hints"), answer_plainly),
    ),
    "401": before(refuse(401)),
    "403": before(refuse(403)),
    "408": before(refuse(408), SILENT),
    "504": before(refuse(504), SILENT),
    "418": before(refuse(418)),
    "429": before(refuse(429, TOO_MUCH), LIMITED, 3),
    "429 for long": before(refuse(429, TOO_MUCH, RETRY_LATER), LIMITED),
    "500": before(refuse(500), tries=3),
    "500 in HTML": before(refuse(500, b"<html>10.0.0.7</html>"), tries=3),
    "503": before(refuse(503), BUSY, 3),
    "503 for long": before(refuse(503, headers=RETRY_LATER), BUSY),
    "429, then well": well(first(refuse(429)), first(refuse(429)), 2),
    "429 for a second, then well": well(
        first(refuse(429, headers="Retry-After: 1\r\n")),
        first(refuse(429, headers="Retry-After: 1\r\n")),
        2,
    ),
    "500 and 503, then well": well(
        first(refuse(500), refuse(503)), first(refuse(500), refuse(503)), 3
    ),
    "reset, then well": well(first(reset), first(reset), MOST_TRIES),
}


def redirect(status: str, port: int) -> Fault:
    """To another server on this machine, which nobody must ask."""
    return before(
        bytes_of(
            head(status, f"Location: http://127.0.0.1:{port}/v1/chat/completions")
            + b"Content-Length: 0\r\n\r\n"
        )
    )


def play(faults: dict[str, Fault]) -> Callable[[Exchange], None]:
    """The script of an upstream that plays the fault which the prompt names before its colon; all
    is well where it names none."""

    def script(exchange: Exchange) -> None:
        fault = faults.get(name_of(exchange))
        if fault is None:
            answer_plainly(exchange)
        else:
            (fault.stream if exchange.json.get("stream") else fault.whole)(exchange)

    return script


def name_of(exchange: Exchange) -> str:
    """The fault that the prompt names."""
    return prompt_of(exchange).partition(":")[0]
