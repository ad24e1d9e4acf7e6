"""Calls before a rate limit, and those that prove something about it."""

from __future__ import annotations

import contextlib
from typing import Any

from tests.integration.doors import CHAT
from tests.integration.wire import Call, Reply, wait_for
from tests.servers import Server


def at_once(server: Server, number: int, **options: Any) -> list[Reply]:
    """The replies to so many calls at the same time; each names another caller before it."""
    with contextlib.ExitStack() as stack:
        calls = []
        for index in range(number):
            headers = {"X-Forwarded-For": f"203.0.113.{index}"}
            call = Call(server, CHAT.path, CHAT.body(), headers=headers, **options)
            calls.append(stack.enter_context(call))
        return [call.whole() for call in calls]


def counted(server: Server, number: int, *instances: Server) -> list[Reply]:
    """As `at_once`, by one caller who has made no call yet, all of them counted.

    Where a busy machine holds up the store, calls pass uncounted and the log says so: then
    another caller makes them, up to the third.

    Args:
        instances: whose logs say so, where it is not `server`.
    """
    for source in (None, "127.0.0.2", "127.0.0.3"):
        replies = at_once(server, number, source=source)
        if all_counted(replies):
            return replies
        logs = [instance.log() for instance in instances or (server,)]
        assert '"event":"limiter"' in "".join(logs), "uncounted, and nobody was told"
        wait_for(lambda: all_counted(at_once(server, 8)))
    raise AssertionError("never were all of them counted")


def all_counted(replies: list[Reply]) -> bool:
    return all("X-RateLimit-Limit" in reply.headers for reply in replies)
