"""What lies between callers and a running server, seen through its public address."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from chat_api.commands.findings import Finding, Verdict
from chat_api.commands.server import RunningServer
from chat_api.errors import ChatApiError
from chat_api.upstreams.base import JsonObject

QUESTION = "[pace=0.1] Count from one to thirty in words. Say nothing else."
"""Any model answers this in pieces, and goes on for a while; the mock reads the directive."""

SAME_MOMENT_SECONDS = 0.02
"""Pieces that come closer together than this may have been one write of the server's."""
QUICK_SECONDS = 0.3
FEWEST_PIECES = 5
PIECES_A_LUMP = 8
"""So many on average look like a buffer of some size that fills and empties."""


class Arrival(NamedTuple):
    """Pieces that came together."""

    seconds: float
    """Since the request was sent."""
    pieces: int


def check_public_address(server: RunningServer) -> Iterator[Finding]:
    """Look at it from outside. Where it is not reached, that is all."""
    with contextlib.closing(server):
        try:
            info = server.get("/info")
        except ChatApiError as error:
            advice = "Is the address right, does the server run, does the proxy find it?"
            yield Finding("address", Verdict.FAIL, str(error), advice)
            return
        yield Finding("address", Verdict.OK, f"{info.get('name')} {info.get('version')} answers")
        connection = info.get("connection")
        if not isinstance(connection, dict):
            yield Finding("proxy", Verdict.WARN, "this server does not say what it sees of it")
        else:
            yield check_http_version(connection)
            yield check_forwarding(connection)
        yield check_stream(server)


def check_http_version(connection: JsonObject) -> Finding:
    """A broken bare-text answer shows as a transfer without its closing chunk, and HTTP/1.0 has
    no chunks."""
    version = connection["http_version"]
    if version == "HTTP/1.0":
        advice = "Have the proxy speak HTTP/1.1 to the server (nginx: proxy_http_version 1.1)"
        found = "HTTP/1.0 reaches the server: an answer that broke off may look whole"
        return Finding("http", Verdict.FAIL, found, advice)
    return Finding("http", Verdict.OK, f"{version} reaches the server")


def check_forwarding(connection: JsonObject) -> Finding:
    """This command sends no `X-Forwarded-For`, so each entry is a proxy's."""
    written, trusted = connection["forwarded_for"], connection["trusted_proxies"]
    found = f"proxies on the way that write X-Forwarded-For: {written}; TRUSTED_PROXIES: {trusted}"
    if written == trusted:
        return Finding("proxies", Verdict.OK, found)
    harm = "all callers are counted as one" if trusted < written else "callers can pose as others"
    return Finding("proxies", Verdict.FAIL, f"{found}: {harm}", f"Set TRUSTED_PROXIES={written}")


def check_stream(server: RunningServer) -> Finding:
    """Ask for a long answer and look at when its pieces come."""
    arrivals = []
    started = time.monotonic()
    try:
        for events in server.batches({"message": QUESTION}):
            pieces = sum("content" in event for event in events)
            if pieces:
                arrivals.append(Arrival(time.monotonic() - started, pieces))
    except ChatApiError as error:
        return Finding("stream", Verdict.FAIL, str(error), "See the lines above, and the log")
    return judge(arrivals)


def judge(arrivals: list[Arrival]) -> Finding:
    """Whether something on the way held pieces back."""
    pieces = sum(arrival.pieces for arrival in arrivals)
    if pieces < FEWEST_PIECES:
        return Finding("stream", Verdict.WARN, f"{pieces} pieces are too few to tell", "Try again")
    moments = [arrival.seconds for arrival in arrivals]
    gaps = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    lumps = 1 + sum(gap >= SAME_MOMENT_SECONDS for gap in gaps)
    last = moments[-1]
    if lumps == 1 and last < QUICK_SECONDS:
        found = f"all {pieces} pieces came within {last:.2f} s, too quickly to tell"
        return Finding("stream", Verdict.WARN, found, "Try with UPSTREAM=mock")
    if lumps == 1:
        found = f"all {pieces} pieces came at once, after {last:.1f} s"
        advice = (
            "Something on the way holds streams back: turn its buffering and compression off "
            "(docs/streaming.md)"
        )
        return Finding("stream", Verdict.FAIL, found, advice)
    found = f"{pieces} pieces in {lumps} lumps within {last:.1f} s, longest gap {max(gaps):.2f} s"
    if lumps * PIECES_A_LUMP < pieces:
        advice = "Something on the way may collect them: see docs/streaming.md"
        return Finding("stream", Verdict.WARN, found, advice)
    return Finding("stream", Verdict.OK, found)
