"""What is under way when a page, or a chat, is left."""

from __future__ import annotations

import contextlib
import threading

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.fakes import chunk, frame
from tests.integration.stage import Stage
from tests.integration.wire import PATIENCE_SECONDS
from tests.servers import Exchange, Server


def test_what_was_being_written_is_there_after_a_reload(chat: Chat) -> None:
    chat.box.fill("half a\nthought")
    chat.page.reload()
    expect(chat.box).to_have_value("half a\nthought")
    chat.box.press("Enter")
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    chat.page.reload()
    expect(chat.exchanges).to_have_count(1)
    expect(chat.box).to_have_value("")


def test_a_question_is_not_lost_with_its_answer_by_a_reload(chat: Chat) -> None:
    chat.ask("Hi")
    exchange = chat.send("slow [silence=60]")
    expect(exchange).to_have_attribute("data-state", "streaming")
    chat.page.reload()
    expect(chat.exchanges).to_have_count(1)
    expect(chat.box).to_have_value("slow [silence=60]")


def test_deleting_a_chat_ends_the_answer_that_is_under_way(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    has_left = threading.Event()

    def write_for_ever(exchange: Exchange) -> None:
        exchange.start_stream()
        with contextlib.suppress(OSError):  # by a write that comes after the caller has left
            while not exchange.wait_until_caller_leaves(0.05):
                exchange.chunk(frame(chunk({"content": "And then "})))
        has_left.set()

    stage.play(write_for_ever)
    chat = open_chat(relay)
    exchange = chat.send("A story without an end")
    expect(exchange).to_contain_text("And then")
    chat.menu("A story without an end", "Delete")
    chat.page.get_by_role("button", name="Delete", exact=True).click()
    assert has_left.wait(PATIENCE_SECONDS)
    expect(chat.titles).to_have_count(0)
