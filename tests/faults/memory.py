"""What a server's memory does under a mix of requests."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults.mix import KEY, STREAMED, WHOLE, Asked, answer
from tests.faults.stand import Stand
from tests.integration.wire import PATIENCE_SECONDS
from tests.servers import Server

CALLERS = 8
MOST_PER_CONNECTION = 10
"""Requests. A connection stays with its worker: of eight that stayed open all might be one
worker's, and the other one would be as new when its memory is compared."""


@contextlib.contextmanager
def mixed_stand() -> Iterator[Stand]:
    """A server that wants a key, and the upstream of the mix."""
    with Stand(API_KEY=KEY) as stand:
        stand.upstream.script = answer
        yield stand


def load(stand: Stand, whole: int, streamed: int) -> None:
    """So many requests, by eight callers at once; each must get its status."""
    asked = [*_so_many(WHOLE, whole), *_so_many(STREAMED, streamed)]
    with ThreadPoolExecutor(CALLERS) as pool:
        starts = range(0, len(asked), MOST_PER_CONNECTION)
        parts = [asked[start : start + MOST_PER_CONNECTION] for start in starts]
        for _ in pool.map(lambda part: _ask(stand.server, part), parts):
            stand.upstream.exchanges.clear()


def _so_many(mix: Sequence[Asked], number: int) -> list[Asked]:
    return [mix[at % len(mix)] for at in range(number)]


def _ask(server: Server, requests: Sequence[Asked]) -> None:
    """One after the other, on one connection as far as the server keeps it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        for asked in requests:
            connection.request(asked.method, asked.path, asked.body, asked.headers)
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status == asked.status, (asked, reply.status, body[:300])
