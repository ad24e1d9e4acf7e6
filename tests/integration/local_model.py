"""The real local model behind a server: when it answers, and how long that may take."""

from __future__ import annotations

from typing import Any

from tests.integration.doors import CHAT, Door
from tests.integration.wire import Call, Reply, wait_for
from tests.servers import Server

LOADING_SECONDS = 60.0
"""A second where nothing else runs; beside a busy suite on a slow machine it took more than 15."""


def patient(server: Server, door: Door, prompt: str | None = None, **extra: Any) -> Call:
    """A call that is given as long as loading may take: on a busy machine llama.cpp's threads
    wait for each other, and a word may take half a minute."""
    body = door.body(prompt, **extra)
    return Call(server, door.path, body, patience_seconds=LOADING_SECONDS)


def ask(server: Server, door: Door, prompt: str | None = None, **extra: Any) -> Reply:
    """The whole reply."""
    with patient(server, door, prompt, **extra) as call:
        return call.whole()


def wait_until_loaded(server: Server) -> None:
    """Until then a call is refused, after the server has tried for a few seconds."""
    wait_for(lambda: ask(server, CHAT, prompt="Hi", max_tokens=1).status == 200, LOADING_SECONDS)
