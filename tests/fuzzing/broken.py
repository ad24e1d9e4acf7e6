"""Requests that are no HTTP any more: good ones with bytes, lines and ends where none should be."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from tests.integration.wire import PATIENCE_SECONDS, Reply
from tests.servers import Server

CALLERS = 4
BODY = (
    b'{"message":"canary","user_message":"canary","input":"canary",'
    b'"messages":[{"role":"user","content":"canary"}]}'
)
"""The word is looked for in the servers' logs."""
TARGETS = [b"/health", b"/chat", b"/ask", b"/api/chat", b"/api/sessions", b"/v1/responses"]
TARGETS += [b"/v1/chat/completions", b"/v1/models", b"/nope", b"/static/docs.css"]
METHODS = [b"", b"get", b"G\x00T", b"GET GET", b"CONNECT", b"PRI", b"X" * 300, b"\xff", b"<GET>"]
ODD_TARGETS = [
    b"",
    b"*",
    b"x",
    b"//",
    b"http://",
    b"http://[::1",
    b"/\x00",
    b"/\xff%",
    b"/#a",
    b"/a b",
]
ODD_TARGETS += [b"/v1/" + b"a" * 9_000, b"a:b@c:80", b"/%0d%0aX: y", b"\\v1\\models"]
VERSIONS = [b"", b"HTTP/1.", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.1.1", b"http/1.1", b"HTTP/1.1 \xff"]
LINES = [
    *(b"", b":", b" : ", b"X", b" X: y", b"\tX", b"X : y", b"X\x00: y", b"X: y\x00", b"\xff: \xff"),
    *(b"X: y\nZ: a", b"X: y\rZ: a", b"X_Y: 1", b"Host:", b"Host: a\r\nHost: b", b"Host: [::1"),
    *(b"Content-Length: 5", b"Content-Length: -5", b"Content-Length: 0x5", b"Content-Length: 5, 5"),
    *(b"Content-Length: " + b"9" * 30, b"Content-Length: \xb2", b"Content-Length:"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: a"),
    *(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked\r\nContent-Length: 3"),
    *(b"Expect: 200-ok", b"Upgrade: h2c\r\nConnection: Upgrade", b"Connection: \xff", b"TE: x"),
    *(b"X: " + b"y" * 9_000, b"X" * 9_000 + b": y", b"\r\n".join([b"X: y"] * 200)),
]


@dataclass
class Answers:
    """What came back: statuses (0 where the server hung up without a word), and what was wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """A 500."""
    badly_told: list[str] = field(default_factory=list)
    """An error that is no JSON of ours; a redirect."""


def ask(server: Server, count: int, seed: int) -> Answers:
    """So many broken requests, each on a connection of its own, the same for the same seed."""
    answers = Answers()

    def one(number: int) -> None:
        data = broken(Random(f"{seed}/{number}"))
        reply = answer_to(server, data)
        status = reply.status if reply else 0
        answers.statuses[status] += 1
        seen = f"request {number} of seed {seed}: {reply}\n  sent: {data[:2_000]!r}"
        if status == 500:
            answers.failures.append(seen)
        if reply and status >= 300 and not is_well_told(reply):
            answers.badly_told.append(seen)

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(one, range(count)))
    return answers


def broken(rng: Random) -> bytes:
    """A request with one to three things wrong."""
    data = _good(rng)
    for _ in range(rng.choices([1, 2, 3], [5, 3, 2])[0]):
        data = _broken_once(rng, data)
    return data


def _good(rng: Random) -> bytes:
    target = rng.choice(TARGETS)
    head = b"Host: x\r\nx-api-key: a\r\nContent-Type: application/json\r\n"
    if rng.random() < 0.3:
        return b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"
    framing, body = b"Content-Length: %d" % len(BODY), BODY
    if rng.random() < 0.4:
        framing, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    return b"POST " + target + b" HTTP/1.1\r\n" + head + framing + b"\r\n\r\n" + body


def _broken_once(rng: Random, data: bytes) -> bytes:
    at, change = rng.randrange(len(data) + 1), rng.randrange(9)
    if change == 0:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if change == 1:
        return data[:at] + data[at + rng.randrange(40) :]
    if change == 2:
        return data[:at]
    if change == 3:
        return (
            data[:at] + rng.choice([rng.randbytes(8), b"\r\n", b"\r", b"\n", b"\x00"]) + data[at:]
        )
    if change == 4:
        return data.replace(b"\r\n", rng.choice([b"\n", b"\r", b"\r\r\n"]), rng.randrange(1, 9))
    first, _, rest = data.partition(b"\r\n")
    words = [*first.split(b" "), b"", b"", b""][:3]
    if change < 8:
        words[change - 5] = rng.choice([METHODS, ODD_TARGETS, VERSIONS][change - 5])
        return b" ".join(words) + b"\r\n" + rest
    return first + b"\r\n" + rng.choice(LINES) + b"\r\n" + rest


def answer_to(server: Server, data: bytes) -> Reply | None:
    """The first reply to bytes behind which nothing more will come; None where there is none."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as caller:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            caller.sendall(data)
            caller.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(caller)
        try:
            reply.begin()
            return Reply(reply.status, reply.headers, reply.read())
        except ConnectionResetError:  # `http.client.RemoteDisconnected` is one, too
            return None
        finally:
            reply.close()


def is_well_told(reply: Reply) -> bool:
    """Whether a reply that is no success is told as one of the families tells errors."""
    if reply.status == 304:
        return reply.body == b""
    try:
        told = json.loads(reply.body)
    except ValueError:
        return False
    is_json = reply.headers["Content-Type"] == "application/json"
    return is_json and reply.status >= 400 and bool(told.get("error") or told.get("detail"))
