"""What is under way when a page or a chat is left, and chats that cannot be opened again."""

from __future__ import annotations

import contextlib
import threading

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.fakes import chunk, frame
from tests.integration.stage import Stage
from tests.integration.wire import PATIENCE_SECONDS, send
from tests.scripted import Exchange
from tests.servers import Server


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


def test_a_chat_that_cannot_be_opened_loses_neither_instructions_nor_a_question(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Instructions").click()
    chat.page.get_by_label("What the model is told").fill("Be brief.")
    chat.ask("one")
    chat.page.get_by_role("button", name="New chat").click()
    chat.page.context.set_offline(True)
    chat.titles.click()
    note = chat.page.get_by_role("alert").filter(has_text="This chat cannot be opened.")
    expect(note).to_contain_text("The server cannot be reached.")
    expect(chat.page.get_by_role("heading", name="What shall we talk about?")).to_be_hidden()
    chat.send("two")
    expect(chat.box).to_have_value("two")
    expect(chat.exchanges).to_have_count(0)
    chat.page.context.set_offline(False)
    chat.box.press("Enter")
    expect(chat.exchanges.last).to_have_attribute("data-state", "whole")
    expect(chat.exchanges.last.locator(".text")).to_have_text("You said: two")
    assert chat.texts()[0] == "one"
    assert chat.stored() == ["one", "You said: one", "two", "You said: two"]
    expect(chat.page.get_by_label("What the model is told")).to_have_value("Be brief.")
    chat.page.reload()
    chat.page.get_by_role("button", name="Instructions").click()
    expect(chat.page.get_by_label("What the model is told")).to_have_value("Be brief.")


def test_a_chat_is_opened_again_by_its_button(chat: Chat) -> None:
    chat.ask("one")
    chat.page.get_by_role("button", name="New chat").click()
    chat.page.context.set_offline(True)
    chat.titles.click()
    again = chat.page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()  # else the page may ask only when it is online again, and succeed
    chat.page.context.set_offline(False)
    again.click()
    expect(chat.page.locator(".bubble")).to_have_text("one")


def test_in_the_place_of_a_chat_that_is_gone_a_new_one_begins(chat: Chat) -> None:
    chat.ask("one")
    session_id = chat.page.evaluate("JSON.parse(sessionStorage['chat-api.current'])")
    send(chat.server, f"/api/sessions/{session_id}", method="DELETE")
    chat.page.reload()
    expect(chat.page.get_by_text("This chat cannot be opened.")).to_be_visible()
    chat.ask("two")
    assert chat.texts() == ["two", "You said: two"]
    assert chat.stored() == ["two", "You said: two"]
    expect(chat.titles).to_have_text(["two", "one"])
    expect(chat.page.get_by_text("This chat cannot be opened.")).to_be_hidden()
