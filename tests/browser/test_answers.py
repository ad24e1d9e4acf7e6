"""Asking and being answered, also when it goes wrong."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.fakes import chunks, frame
from tests.integration.stage import Stage, wait_without_silence, write_until_left
from tests.integration.wire import PATIENCE_SECONDS
from tests.scripted import Exchange
from tests.servers import Server


def test_an_answer_is_written_before_ones_eyes_and_says_what_it_took(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    was_seen = threading.Event()
    stage.play(lambda exchange: write_in_two(exchange, was_seen, "Hel", "lo!"))
    chat = open_chat(relay)
    expect(chat.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    exchange = chat.send("Hi")
    expect(exchange).to_have_attribute("data-state", "streaming")
    expect(chat.stop).to_be_visible()
    assert chat.texts() == ["Hi", "Hel"]
    was_seen.set()
    expect(exchange).to_have_attribute("data-state", "whole")
    assert chat.texts() == ["Hi", "Hello!"]
    figures = r"gpt-4o-mini-2024-07-18 · first words [\d.]+ s · [\d.]+ s in all · 9 \+ 2 tokens"
    expect(exchange.locator(".figures")).to_have_text(re.compile(figures))
    expect(chat.page.locator("#announcer")).to_have_text("Hello!")
    expect(chat.stop).to_be_hidden()
    expect(chat.box).to_be_focused()


def test_complete_blocks_are_rendered_while_the_rest_is_written(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    was_seen = threading.Event()
    begin = "**First**\n\n```python\nx = 1\n\n# in the midst of "
    stage.play(lambda exchange: write_in_two(exchange, was_seen, begin, "code\n```\n"))
    chat = open_chat(relay)
    exchange = chat.send("Hi")
    expect(exchange.locator(".prose strong")).to_have_text("First")
    expect(exchange.locator(".tail")).to_contain_text("```python x = 1 # in the midst of")
    expect(exchange).to_have_attribute("data-state", "streaming")
    was_seen.set()
    expect(exchange.locator("pre")).to_contain_text("# in the midst of code")
    expect(exchange.locator(".tail")).to_be_empty()


def test_an_answer_without_words_says_so(chat: Chat) -> None:
    exchange = chat.ask("call it [tool=search]")
    expect(exchange.get_by_role("alert")).to_have_text("The answer is empty.")


def test_an_example_is_asked_by_a_click(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Compare SQLite").click()
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    assert chat.texts()[1].startswith("You said: Compare SQLite")


def test_stop_ends_the_work_upstream(open_chat: Opener, relay: Server, stage: Stage) -> None:
    has_left = threading.Event()
    stage.play(lambda exchange: write_until_left(exchange, has_left))
    chat = open_chat(relay)
    exchange = chat.send("A story without an end")
    expect(exchange).to_contain_text("And then")
    chat.stop.click()
    expect(exchange).to_have_attribute("data-state", "stopped")
    expect(exchange.get_by_role("alert")).to_contain_text("Stopped.")
    expect(chat.box).to_be_focused()
    assert has_left.wait(PATIENCE_SECONDS)


def test_a_broken_answer_is_shown_as_broken_and_tried_again(chat: Chat) -> None:
    exchange = chat.ask("never to be whole [cut=2]", "broken")
    assert chat.texts()[1] == "You said:"
    expect(exchange.get_by_role("alert")).to_contain_text("broke off and is not whole")
    expect(exchange.locator(".figures")).to_be_empty()
    assert chat.stored() == []
    exchange.get_by_role("button", name="Try again").click()
    expect(chat.exchanges).to_have_count(1)
    expect(chat.exchanges).to_have_attribute("data-state", "broken")


def test_a_stream_that_ends_without_its_end_is_broken(chat: Chat) -> None:
    half = 'data: {"content": "Half of"}\n\n'
    chat.page.route(
        "**/api/chat",
        lambda route: route.fulfill(body=half, content_type="text/event-stream"),
    )
    exchange = chat.ask("Hi", "broken")
    expect(exchange).to_contain_text("Half of")
    expect(exchange.get_by_role("alert")).to_contain_text("ended before the answer did")


def test_a_refusal_says_why_and_how_long_to_wait(chat: Chat) -> None:
    exchange = chat.ask("too often [status=429] [retry_after=7]", "refused")
    note = exchange.get_by_role("alert")
    expect(note).to_contain_text("told to fail with 429. Wait 7 s.")
    note.get_by_role("button", name="Try again").click()
    expect(chat.exchanges).to_have_attribute("data-state", "refused")
    chat.ask("and on it goes")
    assert chat.stored() == ["and on it goes", "You said: and on it goes"]


def test_a_server_that_is_away_is_told_of_and_asked_again_later(chat: Chat) -> None:
    chat.page.context.set_offline(True)
    expect(chat.page.get_by_text("You are offline.")).to_be_visible()
    exchange = chat.ask("Hi", "refused")
    expect(exchange.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    chat.page.context.set_offline(False)
    expect(chat.page.get_by_text("You are offline.")).to_be_hidden()
    exchange.get_by_role("button", name="Try again").click()
    expect(chat.exchanges).to_have_attribute("data-state", "whole")


def test_model_and_instructions_go_upstream(open_chat: Opener, relay: Server, stage: Stage) -> None:
    chat = open_chat(relay)
    chat.page.get_by_role("combobox", name="Model").select_option("gpt-4o")
    chat.page.get_by_role("button", name="Instructions").click()
    chat.page.get_by_label("What the model is told").fill("Be brief.")
    chat.ask("Hi")
    sent = stage.exchange().json
    assert sent["model"] == "gpt-4o"
    assert [message["content"] for message in sent["messages"]] == ["Be brief.", "Hi"]
    chat.page.reload()
    expect(chat.page.get_by_role("combobox", name="Model")).to_have_value("gpt-4o")
    chat.page.get_by_role("button", name="Instructions").click()
    expect(chat.page.get_by_label("What the model is told")).to_have_value("Be brief.")


def test_the_last_request_is_copied_as_a_command(open_chat: Opener, mock: Server) -> None:
    rights = ["clipboard-read", "clipboard-write"]
    chat = open_chat(mock, permissions=rights)
    exchange = chat.ask("It's $HOME")
    exchange.get_by_role("button", name="Copy as curl").click()
    command = chat.page.evaluate("navigator.clipboard.readText()")
    assert command.startswith(f"curl -N '{mock.url}/api/chat'")
    assert "It'\\''s $HOME" in command
    exchange.get_by_role("button", name="Copy the answer").click()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "You said: It's $HOME"


@pytest.mark.parametrize(
    "forbid",
    [
        "navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))",
        # Plain HTTP from another machine.
        "Object.defineProperty(navigator, 'clipboard', {}); document.execCommand = () => false",
    ],
)
def test_what_could_not_be_copied_is_not_called_copied(chat: Chat, forbid: str) -> None:
    exchange = chat.ask("Hi")
    chat.page.evaluate(f"(() => {{ {forbid} }})()")
    exchange.get_by_role("button", name="Copy the answer").click()
    expect(chat.page.get_by_text("did not let this be copied")).to_be_visible()
    expect(chat.page.locator("#announcer")).not_to_have_text("Copied.")


def write_in_two(exchange: Exchange, was_seen: threading.Event, beginning: str, rest: str) -> None:
    """A stream whose second half waits until the first one was seen."""
    role, first, *others = [frame(data) for data in chunks(beginning, rest)]
    exchange.start_stream()
    exchange.chunk(role + first)
    wait_without_silence(exchange, was_seen)
    exchange.chunk(b"".join(others))
    exchange.send(b"0\r\n\r\n")
