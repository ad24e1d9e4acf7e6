"""Chats in the side bar, and what can be done with them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.fakes import chunks, frame
from tests.integration.stage import Stage, prompt_of, wait_without_silence, write_until_left
from tests.integration.wire import PATIENCE_SECONDS, get, send
from tests.scripted import Exchange, answer_plainly
from tests.servers import Server


def test_a_chat_is_found_again_after_a_reload(chat: Chat) -> None:
    chat.ask("The *first* thing")
    chat.ask("and another")
    said = chat.texts()
    chat.page.reload()
    expect(chat.exchanges).to_have_count(2)
    expect(chat.page.locator(".text em")).to_have_text("first")
    assert chat.texts() == said
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("The *first* thing")
    chat.ask("and it goes on")
    assert len(chat.stored()) == 6


def test_each_chat_keeps_to_itself(chat: Chat) -> None:
    chat.ask("About the sea")
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.exchanges).to_have_count(0)
    chat.ask("About the land")
    expect(chat.titles).to_have_text(["About the land", "About the sea"])
    chat.titles.last.click()
    expect(chat.page.locator(".bubble")).to_have_text("About the sea")
    expect(chat.page.locator(".chat[aria-current=page]")).to_have_text("About the sea")


def test_an_answer_goes_on_while_another_chat_is_open(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    is_elsewhere = threading.Event()

    def answer(exchange: Exchange) -> None:
        if prompt_of(exchange) == "Slow":
            exchange.start_stream()
            wait_without_silence(exchange, is_elsewhere)
            exchange.chunk(b"".join(frame(data) for data in chunks("Hello!")))
            exchange.send(b"0\r\n\r\n")
        else:
            answer_plainly(exchange)

    stage.play(answer)
    chat = open_chat(relay)
    chat.ask("Short")
    chat.page.get_by_role("button", name="New chat").click()
    slow = chat.send("Slow")
    expect(slow).to_have_attribute("data-state", "waiting")
    chat.titles.click()
    expect(chat.page.locator(".bubble")).to_have_text("Short")
    expect(chat.stop).to_be_hidden()
    is_elsewhere.set()
    expect(chat.titles).to_have_text(["Slow", "Short"])
    chat.titles.first.click()
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    assert chat.texts() == ["Slow", "Hello!"]


def test_a_chat_is_renamed_and_deleted(chat: Chat) -> None:
    chat.ask("Hi")
    chat.menu("Hi", "Rename")
    box = chat.page.get_by_role("textbox", name="New name")
    box.fill("Greetings")
    box.press("Enter")
    expect(chat.titles).to_have_text(["Greetings"])
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Greetings")
    chat.menu("Greetings", "Rename")
    box.fill("x")
    box.press("Escape")
    expect(chat.titles).to_have_text(["Greetings"])

    session_id = chat.page.evaluate("JSON.parse(sessionStorage['chat-api.current'])")
    chat.menu("Greetings", "Delete")
    chat.page.get_by_role("button", name="Cancel").click()
    expect(chat.titles).to_have_count(1)
    chat.menu("Greetings", "Delete")
    chat.page.get_by_role("button", name="Delete", exact=True).click()
    expect(chat.titles).to_have_count(0)
    expect(chat.exchanges).to_have_count(0)
    assert get(chat.server, f"/api/sessions/{session_id}").status == 404


def test_a_name_is_written_in_peace_while_an_answer_comes(chat: Chat) -> None:
    chat.ask("Hi")
    exchange = chat.send("slow [silence=60]")
    expect(exchange).to_have_attribute("data-state", "streaming")
    chat.menu("Hi", "Rename")
    box = chat.page.get_by_role("textbox", name="New name")
    box.fill("Half a na")
    chat.stop.dispatch_event("click")
    expect(exchange).to_have_attribute("data-state", "stopped")
    expect(exchange.locator(".prose")).to_be_visible()
    expect(box).to_be_focused()
    box.press_sequentially("me")
    box.press("Enter")
    expect(chat.titles).to_have_text(["Half a name"])


def test_a_name_is_kept_by_a_click_elsewhere_which_has_the_focus_then(chat: Chat) -> None:
    chat.ask("Hi")
    chat.menu("Hi", "Rename")
    chat.page.get_by_role("textbox", name="New name").fill("Greetings")
    chat.box.click()
    expect(chat.titles).to_have_text(["Greetings"])
    expect(chat.box).to_be_focused()


def test_a_chat_that_is_deleted_is_not_answered_any_longer(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    has_left = threading.Event()
    stage.play(lambda exchange: write_until_left(exchange, has_left))
    chat = open_chat(relay)
    expect(chat.send("A story without an end")).to_contain_text("And then")
    chat.menu("A story without an end", "Delete")
    chat.page.get_by_role("button", name="Delete", exact=True).click()
    assert has_left.wait(PATIENCE_SECONDS)
    expect(chat.exchanges).to_have_count(0)


def test_a_chat_is_exported(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Instructions").click()
    chat.page.get_by_label("What the model is told").fill("Be brief.")
    chat.ask("Hi: there?")
    with chat.page.expect_download() as markdown:
        chat.menu("Hi: there?", "Export as Markdown")
    assert markdown.value.suggested_filename == "Hi-there.md"
    assert Path(markdown.value.path()).read_text() == (
        "# Hi: there?\n\n> Be brief.\n\n## You\n\nHi: there?\n\n"
        "## Assistant\n\nYou said: Hi: there?\n"
    )
    with chat.page.expect_download() as exported:
        chat.menu("Hi: there?", "Export as JSON")
    session = json.loads(Path(exported.value.path()).read_text())
    assert (session["title"], session["developer_message"]) == ("Hi: there?", "Be brief.")
    assert [message["role"] for message in session["messages"]] == ["user", "assistant"]


def test_the_last_answer_is_made_anew(chat: Chat) -> None:
    chat.ask("one")
    chat.ask("two")
    before = chat.exchanges.last.element_handle()
    chat.exchanges.last.get_by_role("button", name="Answer anew").click()
    chat.page.wait_for_function("before => !before.isConnected", arg=before)
    expect(chat.exchanges.last).to_have_attribute("data-state", "whole")
    expect(chat.exchanges).to_have_count(2)
    assert chat.stored() == ["one", "You said: one", "two", "You said: two"]


def test_an_answer_that_is_made_anew_twice_at_once_is_made_once(chat: Chat) -> None:
    chat.ask("one")
    before = chat.exchanges.last.element_handle()
    again = chat.exchanges.last.get_by_role("button", name="Answer anew")
    with chat.page.expect_response("**/api/chat"):
        again.evaluate("one => { one.click(); one.click() }")
    chat.page.wait_for_function("before => !before.isConnected", arg=before)
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    chat.ask("two")
    assert chat.stored() == ["one", "You said: one", "two", "You said: two"]


def test_an_earlier_question_is_edited_and_what_followed_goes(chat: Chat) -> None:
    for text in ("one", "two", "three"):
        chat.ask(text)
    chat.page.reload()
    expect(chat.exchanges.last).to_have_attribute("data-state", "whole")
    chat.exchanges.nth(1).get_by_role("button", name="Edit the question").click()
    box = chat.page.get_by_role("textbox", name="The question anew")
    expect(box).to_have_value("two")
    box.fill("zwei")
    box.press("Enter")
    chat.page.get_by_role("button", name="Cancel").last.click()
    assert len(chat.stored()) == 6, "nothing was confirmed"
    box.press("Enter")
    chat.page.get_by_role("dialog").get_by_role("button", name="Answer anew").click()
    expect(chat.page.locator(".bubble")).to_have_text(["one", "zwei"])
    expect(chat.exchanges.last).to_have_attribute("data-state", "whole")
    assert chat.stored() == ["one", "You said: one", "zwei", "You said: zwei"]
    chat.ask("drei")
    assert len(chat.stored()) == 6


def test_nothing_is_dropped_from_a_chat_that_changed_elsewhere(chat: Chat) -> None:
    chat.ask("one")
    session_id = chat.page.evaluate("JSON.parse(sessionStorage['chat-api.current'])")
    path = f"/api/sessions/{session_id}"
    assert send(chat.server, f"{path}/messages/0", method="DELETE").json["message_count"] == 0
    send(chat.server, "/chat", {"message": "other", "session_id": session_id})
    chat.exchanges.get_by_role("button", name="Answer anew").click()
    expect(chat.exchanges.get_by_role("alert")).to_contain_text("changed elsewhere")
    assert chat.stored() == ["other", "You said: other"]


def test_a_chat_that_is_gone_says_so_and_begins_anew(chat: Chat) -> None:
    chat.ask("one")
    session_id = chat.page.evaluate("JSON.parse(sessionStorage['chat-api.current'])")
    send(chat.server, f"/api/sessions/{session_id}", method="DELETE")
    exchange = chat.ask("two", "refused")
    expect(exchange.get_by_role("alert")).to_contain_text("not on the server any more")
    exchange.get_by_role("button", name="Try again").click()
    expect(exchange).to_have_attribute("data-state", "whole")
    assert chat.stored() == ["two", "You said: two"]
    chat.titles.last.click()
    expect(chat.page.get_by_text("This chat cannot be opened.")).to_be_visible()


def test_two_tabs_show_the_same_list(open_chat: Opener, mock: Server) -> None:
    chat = open_chat(mock)
    other = Chat(chat.page.context.new_page(), mock)
    other.page.goto(f"{mock.url}/ui")
    expect(other.page.get_by_text("Your chats will be listed here")).to_be_visible()
    chat.ask("Hi")
    expect(other.titles).to_have_text(["Hi"])
    expect(other.exchanges).to_have_count(0)
