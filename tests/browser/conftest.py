"""One real browser for all tests of the chat page, and the servers that it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chat import Chat
from tests.servers import Server, gunicorn

PATIENCE_MS = 15_000
KEY = "a-key-of-this-server"
FOREIGN_KEY = "zweiter-schlüssel-и-третий"

Opener = Callable[..., Chat]


def chromium() -> str:
    """Where it is. Without it the test is skipped."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium here: `make browser` installs it")
    return program


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that repeats what it is told (docs/mock.md)."""
    folder = tmp_path_factory.mktemp("mock")
    with gunicorn(folder, UPSTREAM="mock", WEB_CONCURRENCY="1", MODELS="mock-1,mock-2") as server:
        yield server


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same, for those who have a key."""
    folder, keys = tmp_path_factory.mktemp("closed"), f"{KEY},{FOREIGN_KEY}"
    with gunicorn(folder, UPSTREAM="mock", WEB_CONCURRENCY="1", API_KEY=keys) as server:
        yield server


@pytest.fixture
def open_chat(browser: Browser) -> Iterator[Opener]:
    """Opens the page of a server in a browser that knows nothing yet; afterwards the page must
    not have complained, nor asked another host."""
    opened: list[Chat] = []

    def open_chat(server: Server, path: str = "/", **options: Any) -> Chat:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        opened.append(Chat(context.new_page(), server))
        opened[-1].page.goto(f"{server.url}{path}")
        return opened[-1]

    yield open_chat
    for chat in opened:
        chat.page.context.close()
        assert chat.complaints == []
        assert chat.hosts == {chat.host}


@pytest.fixture
def chat(open_chat: Opener, mock: Server) -> Chat:
    """The page of the mock on a desk."""
    return open_chat(mock)
