"""Redis that is away, silent, or no Redis at all."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from chat_api.errors import StoreUnavailable
from chat_api.stores.redis_limits import TIMEOUT_SECONDS, RedisLimits
from tests.ports import free_port


@contextlib.contextmanager
def answering(*replies: bytes) -> Iterator[str]:
    """The URL of what answers each thing it reads with the next of these, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            left = list(replies)
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        while connection.recv(65_536):
                            if left:
                                connection.sendall(left.pop(0))

        threading.Thread(target=serve, daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def assert_unavailable(url: str) -> None:
    store = RedisLimits(url)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.window("k", 1, 60, 1)
    assert time.monotonic() - started < 10 * TIMEOUT_SECONDS
    store.warm_up()  # no error either
    store.close()


def test_nobody_listens() -> None:
    assert_unavailable(f"redis://127.0.0.1:{free_port()}/0")
    assert_unavailable("unix:///nowhere/redis.sock")


def test_it_stays_silent() -> None:
    with answering() as url:
        assert_unavailable(url)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff\xfe garbage",
        b"+OK\r\n",
        b":1\r\n",
        b"$2\r\nno\r\n",
        b"*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-MISCONF disk full\r\n",
    ],
    ids=str,
)
def test_what_it_says_is_no_answer(reply: bytes) -> None:
    with answering(*[b"+OK\r\n"] * 2, *[reply] * 9) as url:
        assert_unavailable(url)


def test_the_password_is_in_no_text_of_an_error() -> None:
    store = RedisLimits(f"redis://user:sk-canary@127.0.0.1:{free_port()}/0")
    with pytest.raises(StoreUnavailable) as caught:
        store.window("k", 1, 60, 1)
    assert "sk-canary" not in f"{caught.value} {caught.value.__cause__}"
