"""Requests that two servers in a row might read differently: refused, with all that follows them on
the connection. What is hidden in a body is body."""

from __future__ import annotations

import socket

import pytest

from tests.integration.stage import Stage
from tests.integration.test_bad_http import BODY, CHUNKED, POST, assert_json_refusal
from tests.integration.wire import PATIENCE_SECONDS, exchange_raw
from tests.servers import Server

pytestmark = pytest.mark.usefixtures("unharmed")

HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: smuggled\r\nConnection: close\r\n\r\n"
CHUNK = b"10\r\n" + BODY + b"\r\n"
END = b"0\r\n\r\n"
CODING = POST + b"Transfer-Encoding: "
LENGTH = POST + b"Content-Length: "

AMBIGUOUS = {
    "coding, then length": CODING + b"chunked\r\nContent-Length: 5\r\n\r\n" + END,
    "length, then coding": LENGTH + b"5\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "coding and no length at all": LENGTH + b"0\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "two lengths": LENGTH + b"16\r\nContent-Length: 0\r\n\r\n" + BODY,
    "one length twice": LENGTH + b"16\r\nContent-Length: 16\r\n\r\n" + BODY,
    "a list of lengths": LENGTH + b"16, 16\r\n\r\n" + BODY,
    "a length and nothing": LENGTH + b"16,\r\n\r\n" + BODY,
    "a length with a sign": LENGTH + b"+16\r\n\r\n" + BODY,
    "a length below zero": LENGTH + b"-1\r\n\r\n" + BODY,
    "a length with an underscore": LENGTH + b"1_6\r\n\r\n" + BODY,
    "a length with a space": LENGTH + b"1 6\r\n\r\n" + BODY,
    "a length with a superscript": LENGTH + b"1\xb2\r\n\r\n" + BODY,
    "a length in base 16": LENGTH + b"0x10\r\n\r\n" + BODY,
    "a length with a fraction": LENGTH + b"16.0\r\n\r\n" + BODY,
    "an empty length": LENGTH + b"\r\n\r\n" + BODY,
    "a coding that is none": CODING + b"xchunked\r\n\r\n" + END,
    "a coding in quotes": CODING + b'"chunked"\r\n\r\n' + END,
    "a coding with a parameter": CODING + b"chunked;a=b\r\n\r\n" + END,
    "chunked, then identity": CODING + b"chunked, identity\r\n\r\n" + END,
    "chunked, then gzip": CODING + b"chunked, gzip\r\n\r\n" + END,
    "identity alone": CODING + b"identity\r\n\r\n",
    "two codings": CODING + b"chunked\r\nTransfer-Encoding: identity\r\n\r\n" + END,
    "chunked in two lines": CODING + b"chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "a folded coding": CODING + b"\r\n chunked\r\n\r\n" + END,
    "a tab before a folded coding": CODING + b"x\r\n\tchunked\r\n\r\n" + END,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n" + END,
    "a tab before the colon": POST + b"Content-Length\t: 0\r\n\r\n",
    "a space before the name": POST + b" Transfer-Encoding: chunked\r\n\r\n" + END,
    "a vertical tab": CODING + b"\x0bchunked\r\n\r\n" + END,
    "a NUL in the coding": CODING + b"chunked\x00\r\n\r\n" + END,
    "a bare LF behind a header": POST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "a bare CR behind a header": POST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n" + END,
    "a bare LF behind the head": LENGTH + b"0\r\n\n",
    "bare LFs": (LENGTH + b"0\r\n\r\n").replace(b"\r\n", b"\n"),
    "chunks in HTTP/1.0": CHUNKED.replace(b"/1.1", b"/1.0") + END,
    "two hosts": POST + b"Host: y\r\nContent-Length: 0\r\n\r\n",
}
BAD_CHUNKS = {
    "a size in base 16 with 0x": b"0x10\r\n" + BODY + b"\r\n" + END,
    "a size with an underscore": b"1_0\r\n" + BODY + b"\r\n" + END,
    "a size with a sign": b"+10\r\n" + BODY + b"\r\n" + END,
    "a size with a space before it": b" 10\r\n" + BODY + b"\r\n" + END,
    "a size with a space behind it": b"10 \r\n" + BODY + b"\r\n" + END,
    "a size with a tab behind it": b"10\t\r\n" + BODY + b"\r\n" + END,
    "an empty size": b"\r\n" + BODY + b"\r\n" + END,
    "a bare LF behind the size": b"10\n" + BODY + b"\r\n" + END,
    "a bare CR behind the size": b"10\r" + BODY + b"\r\n" + END,
    "an extension with a bare LF": b"10;a\n" + BODY + b"\r\n" + END,
    "an extension with a bare CR": b"10;a\rb\r\n" + BODY + b"\r\n" + END,
    "a bare LF behind the chunk": b"10\r\n" + BODY + b"\n" + END,
    "no line end behind the chunk": b"10\r\n" + BODY + END,
    "a size beyond 64 bits": b"10000000000000010\r\n" + BODY + b"\r\n" + END,
    "a size of 100 digits": b"f" * 100 + b"\r\n" + BODY + b"\r\n" + END,
    "a trailer with a bare LF": CHUNK + b"0\r\nX: y\n\r\n",
    "a length as a trailer": CHUNK + b"0\r\nContent-Length: 99\r\n\r\n",
    "a coding as a trailer": CHUNK + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a key as a trailer": CHUNK + b"0\r\nAuthorization: Bearer x\r\n\r\n",
}


def exchange_until_end(server: Server, data: bytes) -> bytes:
    """As `exchange_raw`, and nothing more is to come: a size that is too large is no wait."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as caller:
        caller.sendall(data)
        caller.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: caller.recv(65_536), b""))


@pytest.mark.parametrize("path", [b"/chat", b"/nope", b"/v1/chat/completions"])
@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_a_body_of_doubtful_length_is_refused_with_all_behind_it(
    relay: Server, stage: Stage, kind: str, path: bytes
) -> None:
    raw = exchange_raw(relay, AMBIGUOUS[kind].replace(b"/chat", path, 1) + HIDDEN)
    assert_json_refusal(raw)  # one reply, and the connection's end
    assert stage.exchanges == []


@pytest.mark.parametrize("path", [b"/chat", b"/nope", b"/health"])
@pytest.mark.parametrize("kind", BAD_CHUNKS)
def test_nothing_behind_a_bad_chunk_is_a_request(
    relay: Server, stage: Stage, kind: str, path: bytes
) -> None:
    raw = exchange_until_end(relay, CHUNKED.replace(b"/chat", path) + BAD_CHUNKS[kind] + HIDDEN)
    assert raw.count(b"HTTP/1.1 ") == 1
    assert int(raw.split(b" ", 2)[1]) in (400, 404, 405, 413)
    assert b"\r\nConnection: close\r\n" in raw
    assert stage.exchanges == []


IN_A_BODY = {
    "of a length": LENGTH + b"%d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "of a length with zeros before it": LENGTH + b"000%d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "of a chunk": CHUNKED + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + END,
    "of a GET": b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
    + HIDDEN,
    "of a dropped header's length": POST
    + b"Content_Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
    + HIDDEN,
    "of an upgrade": POST
    + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
    + HIDDEN,
}


@pytest.mark.parametrize("path", [b"/chat", b"/nope", b"/v1/models"])
@pytest.mark.parametrize("kind", IN_A_BODY)
def test_a_request_in_a_body_is_body(relay: Server, kind: str, path: bytes) -> None:
    """The request behind it is answered at most, by who is asked there."""
    behind = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    raw = exchange_raw(relay, IN_A_BODY[kind].replace(b"/chat", path, 1) + behind)
    assert raw.count(b"HTTP/1.1 ") <= 2
    assert b"chat_completions_in_flight" not in raw  # what /metrics would say


def test_the_hidden_request_has_an_answer_where_it_is_one(relay: Server) -> None:
    """Else the tests above would prove nothing."""
    raw = exchange_raw(relay, LENGTH + b"%d\r\n\r\n" % len(BODY) + BODY + HIDDEN)
    assert raw.count(b"HTTP/1.1 200 ") == 2
    assert b"chat_completions_in_flight" in raw
