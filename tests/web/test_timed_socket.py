"""Bodies that drip are not waited for."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from chat_api.web.timed_socket import BODY_BYTES_PER_SECOND, TimedSocket
from tests.web.test_error_shape import DOORS, assert_error


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def drip(far: socket.socket, stopped: threading.Event) -> None:
    while not stopped.wait(0.02):
        far.sendall(b"x")


def test_a_byte_now_and_then_earns_no_time(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    stopped = threading.Event()
    dripping = threading.Thread(target=drip, args=(far, stopped))
    dripping.start()
    source = TimedSocket(near, seconds=0.2)
    source.expect_body()
    try:
        with pytest.raises(TimeoutError):
            for _ in range(1000):
                assert source.recv(100)
    finally:
        stopped.set()
        dripping.join()
    assert near.gettimeout() is None, "what is written to it has no deadline"


class Recorder(socket.socket):
    """A socket that notes how long it was told to wait."""

    waits: list[float]

    def settimeout(self, seconds: float | None) -> None:
        if seconds is not None:
            self.waits.append(seconds)
        super().settimeout(seconds)


def test_what_came_earns_time(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    with Recorder(fileno=near.detach()) as recorder:
        recorder.waits = []
        source = TimedSocket(recorder, seconds=20.0)
        far.sendall(b"x" * 10 * BODY_BYTES_PER_SECOND + b"x")
        source.expect_body()
        size = 0
        while size < 10 * BODY_BYTES_PER_SECOND:
            size += len(source.recv(BODY_BYTES_PER_SECOND))
        assert source.recv(1) == b"x"
        assert recorder.waits[0] <= 20.0 < 25.0 < recorder.waits[-1] <= 31.0


def test_the_next_head_is_not_timed_here(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    source = TimedSocket(near, seconds=0.0)
    source.expect_body()
    with pytest.raises(TimeoutError):
        source.recv(1)
    source.expect_head()
    far.sendall(b"G")
    assert source.recv(1) == b"G"


class Dripping(io.BytesIO):
    """A body whose time is over."""

    def read(self, size: int | None = None) -> bytes:
        raise TimeoutError


@pytest.mark.parametrize("path", [path for path, _ in DOORS])
def test_each_family_says_so_in_its_shape(client: FlaskClient, path: str) -> None:
    reply = client.post(
        path,
        input_stream=Dripping(),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": "100"},
    )
    error = assert_error(reply, 408)
    if path.startswith("/v1/"):
        assert error["code"] == "request_timeout"
