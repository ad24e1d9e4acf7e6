"""An upstream on loopback that does on the wire what a test says."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.fakes import chunks, completion, frame, vectors


class Exchange:
    """One request as the scripted upstream sees it, and the means to answer it."""

    def __init__(self, connection: socket.socket, head: str, body: bytes, number: int) -> None:
        self.connection = connection
        self.request_line, _, rest = head.partition("\r\n")
        self.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in rest.split("\r\n") if line)
        }
        self.raw = body
        self.number = number
        """How many requests came before it on this server."""
        self.caller_left_at: float | None = None

    @property
    def path(self) -> str:
        return self.request_line.split(" ")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reply(self, status: int, body: Any, headers: str = "") -> None:
        """A whole answer, kept alive."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
        self.send(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)

    def start_stream(self, headers: str = "") -> None:
        self.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{headers}"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    def chunk(self, data: bytes) -> None:
        """One chunk of a chunked body."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def stream(self, *texts: str) -> None:
        """A whole streamed answer."""
        self.start_stream()
        for data in chunks(*texts):
            self.chunk(frame(data))
        self.chunk(b"data: [DONE]\n\n")
        self.send(b"0\r\n\r\n")

    def wait_until_caller_leaves(self, seconds: float = 10.0) -> bool:
        """Whether the other end closed within that time; `caller_left_at` says when."""
        self.connection.settimeout(seconds)
        try:
            while self.connection.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        self.caller_left_at = time.monotonic()
        return True


def answer_plainly(exchange: Exchange) -> None:
    """What an OpenAI-compatible server does when all is well."""
    if exchange.path.endswith("/models"):
        model = {"id": "gpt-4o-mini", "object": "model", "created": 1, "owned_by": "test"}
        exchange.reply(200, {"object": "list", "data": [model]})
    elif exchange.path.endswith("/embeddings"):
        exchange.reply(200, embeddings_of(exchange.json))
    elif exchange.json.get("stream"):
        exchange.stream("Hel", "lo!")
    else:
        exchange.reply(200, completion())


def embeddings_of(asked: Any) -> Any:
    """A vector of halves for each input."""
    given = asked["input"]
    several = type(given) is list and type(given[0]) is not int
    vector = [0.5] * (asked.get("dimensions") or 3)
    return vectors(*[vector] * (len(given) if several else 1))


class ScriptedUpstream:
    """An HTTP/1.1 server in threads. `script` answers each request; it may be replaced at any
    time, and may misbehave on the wire as it likes."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: Callable[[Exchange], None] = answer_plainly
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._open: set[socket.socket] = set()
        self._closing = False
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> ScriptedUpstream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # else its thread waits on
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            # Else a second piece waits for the kernel's acknowledgement of the first: 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            with connection:
                while (exchange := self._read(connection)) is not None:
                    self.exchanges.append(exchange)
                    self.script(exchange)
        self._open.discard(connection)

    def _read(self, connection: socket.socket) -> Exchange | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        lengths = re.findall(r"(?i)\r\ncontent-length: *(\d+)", text)
        length = int(lengths[0]) if lengths else 0
        while len(body) < length:
            piece = connection.recv(65_536)
            if not piece:
                return None
            body += piece
        return Exchange(connection, text, body, len(self.exchanges))
