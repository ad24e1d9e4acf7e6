"""Responses in every framing and every split."""

from __future__ import annotations

import pytest

from chat_api.errors import UpstreamBroken
from chat_api.upstreams.http1 import MAX_HEAD_BYTES, ResponseReader

BODY = b"Hello, world! " * 3
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: Chunked\r\n\r\n"
    + b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in (BODY[:5], BODY[5:6]))
    + b"%X\r\n%b\r\n0\r\n\r\n" % (len(BODY[6:]), BODY[6:])
)
WITH_TRAILERS = CHUNKED[:-2] + b"X-Check: 1\r\nContent-Type: evil/type\r\n\r\n"
WITH_LENGTH = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
)
UNTIL_END = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + BODY
AFTER_INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WITH_LENGTH
)
SIZES = (1, 2, 3, 7, 16, 1000)
LENGTH_2 = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"


def feed(data: bytes, size: int = 1000) -> tuple[ResponseReader, bytes]:
    reader = ResponseReader()
    pieces = [reader.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return reader, b"".join(pieces)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("data", [CHUNKED, WITH_TRAILERS, WITH_LENGTH, AFTER_INTERIM])
def test_a_framed_body_comes_whole_in_every_split(data: bytes, size: int) -> None:
    reader, body = feed(data, size)
    assert (reader.status, body, reader.complete, reader.reusable) == (200, BODY, True, True)
    assert reader.headers["content-type"] == "text/plain"
    assert "x-check" not in reader.headers and "link" not in reader.headers


@pytest.mark.parametrize("data", [CHUNKED, WITH_TRAILERS, WITH_LENGTH, AFTER_INTERIM])
def test_a_response_may_be_cut_in_two_anywhere(data: bytes) -> None:
    for cut in range(1, len(data)):
        reader = ResponseReader()
        assert reader.feed(data[:cut]) + reader.feed(data[cut:]) == BODY
        assert reader.reusable


@pytest.mark.parametrize("size", SIZES)
def test_a_body_without_a_length_goes_on_until_the_end(size: int) -> None:
    reader, body = feed(UNTIL_END, size)
    assert body == BODY and not reader.complete
    reader.end()
    assert reader.complete and not reader.reusable


def test_an_encoding_that_is_no_framing_goes_on_until_the_end_too() -> None:
    """RFC 9112, 6.3: where `chunked` is not the last encoding, the end is the end."""
    reader, body = feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n" + BODY)
    assert body == BODY and not reader.complete
    reader.end()
    assert reader.complete and not reader.reusable


def test_one_feed_gives_its_chunks_in_one_piece() -> None:
    reader = ResponseReader()
    assert reader.feed(CHUNKED) == BODY
    assert reader.feed(b"") == b""


def test_interim_responses_are_no_answer() -> None:
    reader, body = feed(b"HTTP/1.1 102 Processing\r\nX-A: 1\r\n\r\n")
    assert (body, reader.head_complete, reader.complete, reader.fed) == (b"", False, False, True)
    assert reader.headers == {}


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    reader, body = feed(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert (reader.status, body, reader.reusable) == (status, b"", True)


def test_the_last_of_repeated_headers_counts() -> None:
    reader, _ = feed(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: \xe9\r\nContent-Length: 0\r\n\r\n")
    assert reader.headers == {"x-a": "é", "content-length": "0"}


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_a_connection_is_kept_as_its_end_allows(head: bytes, reusable: bool) -> None:
    reader, body = feed(head + b"Content-Length: 2\r\n\r\nab")
    assert (body, reader.complete, reader.reusable) == (b"ab", True, reusable)


@pytest.mark.parametrize(
    "surplus", [b"junk", LENGTH_2, b"HTTP/1.1 500 X\r\n\r\nno", b"HTTP/1.1 100 X\r\n\r\n", b"H"]
)
def test_what_follows_a_whole_response_spoils_only_the_connection(surplus: bytes) -> None:
    for size in SIZES:
        reader, body = feed(LENGTH_2 + surplus, size)
        assert (reader.status, body, reader.complete) == (200, b"ab", True)
        assert reader.headers == {"content-length": "2"}
        assert not reader.reusable


def test_surplus_behind_a_closing_response_is_no_failure() -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    reader, body = feed(head + b"ab" + LENGTH_2)
    assert (body, reader.complete, reader.reusable) == (b"ab", True, False)


def test_an_upgrade_that_is_only_offered_is_read_on() -> None:
    reader, body = feed(
        b"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nab"
    )
    assert (reader.status, body, reader.complete) == (200, b"ab", True)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"<html>Bad gateway</html>",
        b"\x15\x03\x01\x00\x02\x02\x46",  # a TLS alert
        b"HTTP/1.1 99 X\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
        b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\nab",
    ],
)
def test_what_is_not_http_is_said_to_be(data: bytes) -> None:
    for size in SIZES:
        with pytest.raises(UpstreamBroken, match="not HTTP"):
            feed(data, size)


@pytest.mark.parametrize("size", [1000, 65_536])
def test_a_head_has_a_limit(size: int) -> None:
    line = b"X-Filler: %b\r\n" % (b"x" * 1000)
    with pytest.raises(UpstreamBroken, match="too large"):
        feed(b"HTTP/1.1 200 OK\r\n" + line * 80, size)


def test_interim_responses_count_for_the_limit() -> None:
    with pytest.raises(UpstreamBroken, match="too large"):
        feed(b"HTTP/1.1 102 Processing\r\n\r\n" * (MAX_HEAD_BYTES // 20))


@pytest.mark.parametrize("size", [4096, 40_000])
def test_a_head_below_the_limit_and_a_large_body_pass(size: int) -> None:
    filler = b"X-Filler: %b\r\n" % (b"x" * (MAX_HEAD_BYTES - 1000))
    large = b"x" * (MAX_HEAD_BYTES * 3)
    head = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (filler, len(large))
    reader, body = feed(head + large, size)
    assert body == large and reader.reusable


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 200 OK\r\nX-A", WITH_LENGTH[:-1], CHUNKED[:-1], CHUNKED[:-30]]
)
def test_an_end_in_the_middle_is_a_failure(data: bytes) -> None:
    reader, _ = feed(data)
    with pytest.raises(UpstreamBroken, match="broke off"):
        reader.end()
    assert not reader.reusable


def test_an_end_behind_a_whole_response_is_none() -> None:
    reader, _ = feed(LENGTH_2)
    reader.end()
    assert reader.complete and not reader.reusable


def test_a_reader_says_whether_it_was_fed() -> None:
    reader = ResponseReader()
    assert not reader.fed
    reader.feed(b"H")
    assert reader.fed


UNENDED = CHUNKED[:-2]  # its trailers may follow


@pytest.mark.parametrize("line", [b"X-A: ", b"X-A", b"", b"X-A: 1\r\nX-B: "])
def test_trailers_have_a_limit(line: bytes) -> None:
    """A trailer without an end is kept by the parser, piece by piece."""
    reader = ResponseReader()
    assert reader.feed(UNENDED + line) == BODY
    for _ in range(MAX_HEAD_BYTES // 1024):
        assert reader.feed(b"a" * 1024) == b""
    with pytest.raises(UpstreamBroken, match="framing is too large"):
        reader.feed(b"a")


def test_many_chunks_whose_framing_comes_by_itself_are_no_trailer() -> None:
    reader, _ = feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(MAX_HEAD_BYTES // 10):
        assert [reader.feed(piece) for piece in (b"1;x=123456\r\n", b"a", b"\r\n")][1] == b"a"
    reader.feed(b"0\r\n\r\n")
    assert reader.reusable
