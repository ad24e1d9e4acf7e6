"""Many requests on one connection, sent before the first answer came."""

from __future__ import annotations

import socket
from typing import BinaryIO, NamedTuple

from tests.integration.wire import PATIENCE_SECONDS
from tests.servers import Server


class Answer(NamedTuple):
    """A whole answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes
    """All of it as it came: `str` of an answer escapes all bytes but those of ASCII."""


def request(method: str, target: str, *headers: bytes, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: x", *headers]
    if body:
        lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


def pipeline(server: Server, requests: list[tuple[str, bytes]]) -> list[Answer]:
    """The answers to these requests, each with its method; as many as came before the server
    closed."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as caller:
        caller.sendall(b"".join(raw for _, raw in requests))
        found = []
        with caller.makefile("rb") as stream:
            for method, _ in requests:
                answer = _read(stream, method)
                if answer is None:
                    break
                server.told(answer.raw)
                found.append(answer)
                if answer.headers.get("connection") == "close":
                    break
        return found


def _read(stream: BinaryIO, method: str) -> Answer | None:
    line = stream.readline()
    if not line:
        return None
    headers, rows = {}, [line]
    while (row := stream.readline()) != b"\r\n":
        rows.append(row)
        name, _, value = row.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    size = 0 if method == "HEAD" else int(headers.get("content-length", 0))
    body = stream.read(size)
    return Answer(int(line.split(b" ")[1]), headers, body, b"".join([*rows, row, body]))
