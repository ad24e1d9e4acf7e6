"""The ceiling: the least a Flask route can do to relay, with sockets and a parser in C.

It has no time-outs, no TLS and no care for broken peers. It is here to show how much of Flask and
Gunicorn a gateway leaves unused, and not to be used.
"""

import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httptools
from flask import Flask, Response, request

BASE = urlsplit(os.environ["OPENAI_BASE_URL"])
ADDRESS = (BASE.hostname or "127.0.0.1", BASE.port or 80)
HEAD = (
    f"POST {BASE.path}/chat/completions HTTP/1.1\r\nHost: {BASE.netloc}\r\n"
    f"Authorization: Bearer {os.environ['OPENAI_API_KEY']}\r\n"
    "Content-Type: application/json\r\nContent-Length: "
).encode()

app = Flask(__name__)
idle: list[socket.socket] = []


class Reply:
    """One answer of the upstream, fed by what `recv` brings; the `on_` methods are llhttp's."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.parser = httptools.HttpResponseParser(self)
        self.content_type = ""
        self.head_seen = False
        self.ended = False
        self.parts: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.content_type = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.head_seen = True

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.ended = True

    def read(self) -> None:
        """Take one `recv` in."""
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the upstream hung up")
        self.parser.feed_data(data)

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, what one `recv` brought in one piece, then keep the connection."""
        try:
            while not self.ended or self.parts:
                if self.parts:
                    piece, self.parts = b"".join(self.parts), []
                    yield piece
                else:
                    self.read()
        finally:
            if self.ended:
                idle.append(self.connection)
            else:
                self.connection.close()


def connect() -> socket.socket:
    """Open a connection to the upstream."""
    connection = socket.create_connection(ADDRESS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@app.post("/v1/chat/completions")
def create_completion() -> Response:
    """Hand the request on and the answer back."""
    body = request.data
    reply = Reply(idle.pop() if idle else connect())
    reply.connection.sendall(b"%b%d\r\n\r\n%b" % (HEAD, len(body), body))
    while not reply.head_seen:
        reply.read()
    status = reply.parser.get_status_code()
    if reply.content_type.startswith("text/event-stream"):
        return Response(reply.pieces(), status, content_type=reply.content_type)
    return Response(b"".join(reply.pieces()), status, content_type=reply.content_type)
