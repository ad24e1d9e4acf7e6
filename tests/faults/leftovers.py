"""Count the objects that requests leave behind, in a process where nobody else makes any:

    python -m tests.faults.leftovers

Other tests' threads and coverage's tracer would be counted with them. Ends with 1, and says which,
where each round of requests leaves objects of some kind.
"""

from __future__ import annotations

import gc
import sys
import time
import weakref
from collections import Counter

from flask.testing import FlaskClient

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.wiring import build_services
from tests.faults.mix import KEY, STREAMED, WHOLE, answer, once
from tests.scripted import ScriptedUpstream

WARM_UP, ROUNDS = 3, 12
LOOKS, PAUSE_SECONDS = 50, 0.1
"""A thread that held an idempotency key may still be leaving."""


def kind_of(found: object) -> str:
    """The kind of an object. Of dead weak references somebody always keeps a few for a while."""
    kind = type(found)
    if kind is weakref.ReferenceType and found() is None:  # type: ignore[operator]
        return "a dead reference"
    return f"{kind.__module__}.{kind.__qualname__}"


def kinds() -> Counter[str]:
    """How many objects there are of each kind, of those that the collector knows."""
    gc.collect()
    counted = Counter(map(kind_of, gc.get_objects()))
    del counted["a dead reference"]
    return counted


def ask_all(client: FlaskClient, rounds: int) -> None:
    """Make each request so many times.

    Raises:
        AssertionError: one was not answered as it should be.
    """
    for _ in range(rounds):
        for asked in map(once, (*WHOLE, *STREAMED)):
            reply = client.open(
                asked.path,
                method=asked.method,
                data=asked.body,
                headers=asked.headers,
                buffered=True,
            )
            assert reply.status_code == asked.status, reply.get_data()


def left_behind(before: Counter[str], upstream: ScriptedUpstream) -> dict[str, int]:
    """What each round left. What is made once, at some time, is no leak."""
    upstream.exchanges.clear()
    leaks: dict[str, int] = {}
    for _ in range(LOOKS):
        left = kinds() - before
        leaks = {kind: number for kind, number in left.items() if number >= ROUNDS}
        if not leaks:
            break
        time.sleep(PAUSE_SECONDS)
    return leaks


def main() -> dict[str, int]:
    with ScriptedUpstream() as upstream:
        upstream.script = answer
        settings = Settings(
            openai_base_url=upstream.url,
            openai_api_key="sk-x",
            api_keys=(KEY,),
            requests_per_minute=0,
            stream_heartbeat_seconds=0,
        )
        client = create_app(settings, build_services(settings)).test_client()
        ask_all(client, WARM_UP)
        upstream.exchanges.clear()
        kinds()  # the first count leaves something behind itself
        before = kinds()
        ask_all(client, ROUNDS)
        return left_behind(before, upstream)


if __name__ == "__main__":
    if leaks := main():
        sys.exit(f"left behind: {leaks}")
