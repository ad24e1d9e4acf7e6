"""What leaves at once: the pair of sockets keeps each write apart."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName
from gunicorn.http.wsgi import FileWrapper

from chat_api.web.connections import LastPiece
from chat_api.web.sending import Reply

LARGE = 8_000_000


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        far.setblocking(False)
        yield near, far


def begun(
    near: socket.socket,
    *headers: tuple[str, str],
    method: str = "GET",
    version: tuple[int, int] = (1, 1),
) -> Reply:
    asked: Any = SimpleNamespace(method=method, version=version, should_close=lambda: False)
    reply = Reply(asked, near, Config())
    reply.start_response("200 OK", list(headers))
    return reply


def writes(far: socket.socket) -> list[bytes]:
    found: list[bytes] = []
    while True:
        try:
            found.append(far.recv(1_000_000))
        except BlockingIOError:
            return found


def test_a_whole_reply_is_one_write(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    reply = begun(near, ("Content-Length", "5"), ("X-Request-ID", "abc"))
    reply.write(b"hello")
    reply.close()
    [written] = writes(far)
    head, body = written.split(b"\r\n\r\n")
    assert body == b"hello"
    assert head.startswith(b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: ")
    assert head.endswith(
        b" GMT\r\nConnection: keep-alive\r\nContent-Length: 5\r\nX-Request-ID: abc"
    )


def test_a_streams_head_leaves_with_its_first_piece(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    near, far = ends
    reply = begun(near)
    reply.write(b"one")
    reply.write(b"two")
    reply.close()
    first, *rest = writes(far)
    assert first.endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    assert rest == [b"3\r\ntwo\r\n", b"0\r\n\r\n"]


def test_the_last_piece_is_the_last_write(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    reply = begun(near)
    reply.write(b"one")
    reply.write(LastPiece(b"two"))
    reply.write(b"too late")
    reply.close()
    _, last = writes(far)
    assert last == b"3\r\ntwo\r\n0\r\n\r\n"


def test_to_a_caller_without_chunks_the_last_piece_is_one_like_any_other(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    near, far = ends
    reply = begun(near, version=(1, 0))
    reply.write(LastPiece(b"text"))
    reply.close()
    [written] = writes(far)
    assert written.endswith(b"\r\n\r\ntext")


def test_an_empty_piece_sends_the_head_alone(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    reply = begun(near)
    reply.write(b"")
    [head] = writes(far)
    assert head.endswith(b"chunked\r\n\r\n")
    reply.write(b"")
    assert writes(far) == [], "an empty chunk would end the stream"
    reply.write(b"late")
    assert writes(far) == [b"4\r\nlate\r\n"]


@pytest.mark.parametrize(
    ("method", "headers", "end"),
    [
        ("GET", [("Content-Length", "0")], b"Content-Length: 0\r\n\r\n"),
        ("GET", [], b"chunked\r\n\r\n0\r\n\r\n"),
        ("HEAD", [("Content-Length", "9")], b"Content-Length: 9\r\n\r\n"),
    ],
)
def test_a_reply_without_a_body_is_its_head(
    ends: tuple[socket.socket, socket.socket],
    method: str,
    headers: list[tuple[str, str]],
    end: bytes,
) -> None:
    near, far = ends
    begun(near, *headers, method=method).close()
    [written] = writes(far)
    assert written.endswith(end)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Bad", "a\r\nX-Evil: 1"),
        ("X-Bad", "a\nX-Evil: 1"),
        ("X-Bad", "a\r"),
        ("X-Bad", "\u20ac"),
        ("X Bad", "a"),
        ("X-Bad: a\r\nX-Evil", "1"),
        ("X-Bad: a", "1"),
        ("", "a"),
    ],
)
def test_a_header_that_would_be_another_one_is_refused(
    ends: tuple[socket.socket, socket.socket], name: str, value: str
) -> None:
    near, far = ends
    with pytest.raises((InvalidResponseHeader, InvalidResponseHeaderName)):
        begun(near, ("X-Good", "1"), (name, value))
    assert writes(far) == []


def test_headers_of_the_connection_are_the_servers(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    near, far = ends
    begun(near, ("Connection", "close"), ("X-Good", "1"), ("Content-Length", "0")).close()
    [head] = writes(far)
    assert b"Connection: keep-alive" in head and b"close" not in head
    assert head.endswith(b"\r\nX-Good: 1\r\nContent-Length: 0\r\n\r\n")


def test_what_a_socket_does_not_take_at_once_follows() -> None:
    near, far = socket.socketpair()
    with near, far:
        reply = begun(near, ("Content-Length", str(LARGE)))
        sending = threading.Thread(target=reply.write, args=(b"x" * LARGE,))
        sending.start()
        with far.makefile("rb") as read:
            while read.readline() != b"\r\n":
                pass
            assert read.read(LARGE) == b"x" * LARGE
        sending.join()


def test_a_files_head_leaves_before_the_kernel_sends_it(tmp_path: Path) -> None:
    file = tmp_path / "asset"
    file.write_bytes(b"contents")
    near, far = socket.socketpair()
    with near, far, file.open("rb") as opened:
        reply = begun(near, ("Content-Length", "8"))
        reply.write_file(FileWrapper(opened))
        reply.close()
        near.close()
        with far.makefile("rb") as read:
            assert read.read().endswith(b"Content-Length: 8\r\n\r\ncontents")
