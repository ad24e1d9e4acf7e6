"""What the tests of this room share: servers that misbehave byte by byte, callers who leave."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from chat_api.upstreams.exchange import Exchange
from chat_api.upstreams.transport import Transport
from chat_api.upstreams.waiting import Caller

FOREVER = float("inf")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Serve = Callable[[socket.socket, int], None]


def post(body: bytes = b"{}") -> bytes:
    """A request as the transport is given it."""
    return b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def read_to_end(exchange: Exchange) -> bytes:
    """The whole body, the head awaited before it."""
    assert exchange.wait_head(FOREVER)
    body = b""
    while not exchange.ended:
        body += exchange.read(FOREVER) or b""
    return body


def ask(
    transport: Transport, payload: bytes = post(), caller: Caller | None = None
) -> tuple[int, bytes]:
    """One whole exchange: status and body."""
    with contextlib.closing(Exchange(transport, payload, caller or Caller())) as exchange:
        body = read_to_end(exchange)
        return exchange.status, body


class RawServer:
    """A listener on loopback. `serve` plays each connection (and is told how many came before
    it) in a thread of its own; the connection is closed when it returns."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._serve = serve
        self._tls = tls
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                # What is sent is there: Nagle's algorithm would hold it back for a while.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                self.connections += 1
                self._start(self._play, connection, self.connections - 1)

    def _play(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
                stack.enter_context(connection)
            self._serve(connection, number)


def receive(connection: socket.socket) -> bytes:
    """One request, head and body; b"" when the other end closed before it was whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
    pieces, size = [body], len(body)
    while size < length:
        pieces.append(connection.recv(1_048_576))
        if not pieces[-1]:
            return b""
        size += len(pieces[-1])
    return head + b"\r\n\r\n" + b"".join(pieces)


def until_left(connection: socket.socket) -> None:
    """Read on until the other end closes."""
    with contextlib.suppress(OSError):
        while connection.recv(65_536):
            pass


def hold(connection: socket.socket) -> None:
    """Keep a connection open without reading, until either end has done with it."""
    poller = select.poll()
    poller.register(connection, 0)
    poller.poll(10_000)


def reset(connection: socket.socket) -> None:
    """End a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one end closes, as a tunnel does."""
    ends = {one.fileno(): (one, other), other.fileno(): (other, one)}
    poller = select.poll()
    for descriptor in ends:
        poller.register(descriptor, select.POLLIN)
    with contextlib.suppress(OSError):
        while True:
            for descriptor, _ in poller.poll(10_000):
                source, sink = ends[descriptor]
                data = source.recv(65_536)
                if not data:
                    return
                sink.sendall(data)
