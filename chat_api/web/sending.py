"""How a reply leaves: Gunicorn's response, with fewer system calls."""

from __future__ import annotations

import functools
import re
import time
from email.utils import formatdate
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.message import TOKEN_RE

from chat_api.web.connections import LastPiece

FIELDS = re.compile(f"(?:{TOKEN_RE.pattern}: {wsgi.HEADER_VALUE_RE.pattern}\r\n)*")
LAST_CHUNK = b"0\r\n\r\n"


class Reply(wsgi.Response):  # type: ignore[misc]
    """Gunicorn's response, whose head leaves with the first piece of the body, and whose last chunk
    leaves with the last one. By itself Gunicorn sends each alone: a system call more, and a reader
    who is woken for nothing."""

    headers_sent: bool
    chunked: bool
    _head = b""
    """What was written of the head and has not left."""
    _ended = False
    """Whether the last chunk has left, before `close`."""

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Take the application's headers. All are looked at as one text, by Gunicorn's own rules;
        one by one, as Gunicorn does it, where something about them is not as nearly always."""
        text = "".join([f"{name}: {value}\r\n" for name, value in headers])
        names = [name.lower() for name, _ in headers]
        # As many lines as headers: a line break in a value would be one more.
        fit = (
            FIELDS.fullmatch(text)
            and text.count("\n") == len(headers)
            and ":" not in "".join(names)
        )
        if not fit or not util.hop_headers.isdisjoint(names):
            super().process_headers(headers)
            return
        self.headers = headers
        if "content-length" in names:
            self.response_length = int(headers[names.index("content-length")][1])

    def default_headers(self) -> list[str]:
        """The status line, and what every reply says of the server and the connection."""
        major, minor = self.req.version
        connection = "close" if self.should_close() else "keep-alive"
        lines = [
            f"HTTP/{major}.{minor} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            f"Date: {_http_date(int(time.time()))}\r\n",
            f"Connection: {connection}\r\n",
        ]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        return lines

    def send_headers(self) -> None:
        """Have the head leave with what comes next."""
        if not self.headers_sent:
            lines = self.default_headers()
            lines += [f"{name}: {value}\r\n" for name, value in self.headers]
            lines.append("\r\n")
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def write(self, piece: bytes) -> None:
        """Send a piece of the body. An empty one sends the head, where nothing of it has left."""
        super().write(piece)
        self._send_head()

    def sendfile(self, body: Any) -> Any:
        """Send a file, by the kernel where it can."""
        self.send_headers()
        self._send_head()
        return super().sendfile(body)

    def close(self) -> None:
        """Send what is missing: the head of a reply without a body, the last chunk."""
        self.send_headers()
        end = LAST_CHUNK if self.chunked and not self._ended else b""
        if self._head or end:
            self._send(end)

    def _emit_body(self, data: bytes) -> None:
        if self._ended:
            return  # behind the last chunk the next reply begins
        if self.chunked:
            self._ended = type(data) is LastPiece
            end = LAST_CHUNK if self._ended else b""
            data = b"%X\r\n%b\r\n%b" % (len(data), data, end)
        self._send(data)

    def _send_head(self) -> None:
        if self._head:
            self._send(b"")

    def _send(self, data: bytes) -> None:
        """Send what is left of the head, and that."""
        data, self._head = self._head + data, b""
        # Nearly always all at once; gevent's `sendall` asks for the size of the buffer first.
        sent = self.sock.send(data)
        if sent < len(data):
            self.sock.sendall(memoryview(data)[sent:])


@functools.lru_cache(maxsize=1)
def _http_date(second: int) -> str:
    """A moment as HTTP writes it (RFC 9110, 5.6.7). It is the same for all replies of a second."""
    return formatdate(second, usegmt=True)
