"""A proxy that does what proxies should not."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from tests.servers import Server


class BadProxy:
    """It speaks HTTP/1.0 to the server, writes `X-Forwarded-For`, and hands a reply on when it
    has all of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            caller,
            socket.create_connection(("127.0.0.1", self._server.port)) as server,
        ):
            request = b""
            while not _is_whole(request):
                piece = caller.recv(65_536)
                if not piece:
                    return  # a caller who left would have it turn round for ever
                request += piece
            request = re.sub(rb"(?i)\r\nconnection: keep-alive", b"", request)
            line, _, rest = request.partition(b" HTTP/1.1\r\n")
            server.sendall(line + b" HTTP/1.0\r\nX-Forwarded-For: 192.0.2.1\r\n" + rest)
            caller.sendall(b"".join(iter(lambda: server.recv(65_536), b"")))


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(end) and len(body) >= sum(int(line.split(b":")[1]) for line in lines)
