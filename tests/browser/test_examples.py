"""The pages of examples/ as a browser shows them, opened as the files that they are."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import KEY, PATIENCE_MS
from tests.fakes import chunk, frame
from tests.integration.stage import Stage, prompt_of, wait_without_silence
from tests.ports import free_port
from tests.scripted import Exchange, answer_plainly
from tests.servers import ROOT, Server, gunicorn

PAGES = sorted((ROOT / "examples").glob("*.html"))
each_page = pytest.mark.parametrize("file", PAGES, ids=lambda path: path.name)
SILENT = "a b c d [silence=60]"


class Example:
    """One open page, told where the server is."""

    def __init__(self, page: Page, file: Path, url: str, key: str) -> None:
        self.page = page
        page.goto(file.as_uri())
        page.get_by_label("Server").fill(url)
        page.get_by_label("Key").fill(key)
        self.asked: list[Any] = []
        """The messages of each request."""
        page.on("request", self._note)
        self.texts = page.locator("#conversation p")
        self.status = page.get_by_role("status")

    def send(self, message: str) -> None:
        self.page.get_by_label("Message").fill(message)
        self.page.get_by_role("button", name="Send").click()

    def expect_whole(self, answer: str) -> None:
        expect(self.texts.last).to_have_text(answer)
        expect(self.status).to_be_empty()
        expect(self.page.get_by_role("button", name="Send")).to_be_enabled()

    def expect_broken(self, reason: str) -> None:
        """It says so, and lets one ask again."""
        expect(self.status).to_have_text(re.compile(f"^Broken: .*{reason}"))
        expect(self.page.get_by_role("button", name="Send")).to_be_enabled()

    def _note(self, request: Request) -> None:
        if request.method == "POST":
            self.asked.append(request.post_data_json["messages"])


Opener = Callable[..., Example]


@pytest.fixture
def open_example(browser: Browser) -> Iterator[Opener]:
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        yield lambda file, url, key=KEY: Example(context.new_page(), file, url, key)


@each_page
def test_it_shows_pieces_as_they_come_and_stops(
    open_example: Opener, closed: Server, file: Path
) -> None:
    example = open_example(file, closed.url)
    example.send(SILENT)
    expect(example.texts.last).to_have_text("You said:")
    expect(example.status).to_have_text("…")
    example.page.get_by_role("button", name="Stop").click()
    expect(example.status).to_have_text("Stopped.")
    example.send("<b>Two</b>")
    example.expect_whole("You said: <b>Two</b>")
    assert Axe().run(example.page).response["violations"] == []


@each_page
def test_it_shows_a_broken_answer_as_broken_and_leaves_it_out_of_what_it_sends(
    open_example: Opener, relay: Server, stage: Stage, file: Path
) -> None:
    # What a read has not fetched when the connection breaks is lost in browsers.
    was_seen = threading.Event()

    def answer(exchange: Exchange) -> None:
        if prompt_of(exchange) != "Break off":
            return answer_plainly(exchange)
        exchange.start_stream()
        exchange.chunk(frame(chunk({"content": "Hel"})))
        wait_without_silence(exchange, was_seen)
        exchange.connection.shutdown(socket.SHUT_RDWR)

    stage.play(answer)
    events = file.name == "fetch-chat-stream.html"
    example = open_example(file, relay.url, "")
    example.send("é")
    example.expect_whole("Hello!")
    example.send("Break off")
    expect(example.texts.last).to_have_text("Hel")
    was_seen.set()
    example.expect_broken("broke off" if events else "")
    expect(example.texts.last).to_have_text("Hel")
    example.send("Two")
    example.expect_whole("Hello!")
    whole = [{"role": "user", "content": "é"}, {"role": "assistant", "content": "Hello!"}]
    two = [] if events else [{"role": "user", "content": "Two"}]
    assert example.asked[-1] == whole + two


@each_page
def test_it_says_why_it_was_refused(open_example: Opener, closed: Server, file: Path) -> None:
    example = open_example(file, closed.url, "wrong")
    example.send("Hi")
    example.expect_broken("key")
    example.page.get_by_label("Key").fill(KEY)
    example.send("Hi [status=429]")
    example.expect_broken("told to fail with 429")
    example.page.get_by_label("Server").fill(f"http://127.0.0.1:{free_port()}")
    example.send("Hi")
    example.expect_broken("")


def test_a_server_that_is_killed_breaks_what_it_was_writing(
    open_example: Opener, tmp_path: Path
) -> None:
    with gunicorn(tmp_path, UPSTREAM="mock", WEB_CONCURRENCY="1") as server:
        examples = [open_example(file, server.url, "") for file in PAGES]
        for example in examples:
            example.send(SILENT)
            expect(example.texts.last).to_have_text("You said:")
        os.killpg(server.process.pid, signal.SIGKILL)
        for example in examples:
            example.expect_broken("")
            expect(example.texts.last).to_have_text("You said:")
