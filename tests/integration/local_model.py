"""The real local model behind a server: when it answers, and how long that may take."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_api.upstreams import local
from tests.integration.doors import CHAT, Door
from tests.integration.wire import Call, Reply, wait_for
from tests.servers import Server, gunicorn

LOADING_SECONDS = 60.0
"""It takes a second where nothing else runs, many more beside a busy suite on a slow machine."""


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


@contextlib.contextmanager
def local_gunicorn(folder: Path, **settings: str) -> Iterator[Server]:
    """A server with the model, which is loaded. Where it is not installed the test is skipped."""
    if local.find_model(None) is None:
        pytest.skip("requirements-local.txt is not installed")
    with gunicorn(folder, UPSTREAM="local", **settings) as server:
        wait_until_loaded(server)
        yield server
