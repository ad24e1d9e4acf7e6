"""A small HTTP proxy that opens tunnels, or says that it does not."""

from __future__ import annotations

import socket

from tests.upstreams.wire import RawServer, pump, receive

OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy:
    """Opens tunnels. `answer` is what it says to a CONNECT, split as it likes."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: tuple[bytes, ...] = (OPENED,)
        self.server = RawServer(self._serve)
        self.address = f"127.0.0.1:{self.server.port}"
        self.url = f"http://{self.address}"

    def _serve(self, connection: socket.socket, number: int) -> None:
        self.requests.append(receive(connection).decode("latin-1"))
        for piece in self.answer:
            connection.sendall(piece)
        if self.answer and b" 200 " in self.answer[0]:
            port = int(self.requests[-1].split(" ")[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as beyond:
                pump(connection, beyond)
