"""Much text, and fast: the page stays usable, and nothing is cut in two."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.integration.stage import Stage
from tests.servers import Server

PIECES = 3000
MOST_RENDERED = 100_000
COUNT_CHANGES = """() => {
  window.changes = 0;
  const options = { subtree: true, childList: true, characterData: true };
  new MutationObserver((seen) => (window.changes += seen.length)).observe(place, options);
}"""


def test_many_pieces_at_once_are_shown_together(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    stage.play(lambda exchange: exchange.stream(*["word "] * PIECES))
    chat = open_chat(relay)
    chat.page.evaluate(COUNT_CHANGES)
    chat.ask("Go on")
    assert len(chat.texts()[1].split()) == PIECES
    assert chat.page.evaluate("window.changes") < PIECES / 2


def test_what_is_too_long_to_be_rendered_is_shown_as_it_came(
    open_chat: Opener, relay: Server, stage: Stage
) -> None:
    text = "*word*\n\n" * (MOST_RENDERED // 8) + "the end"
    stage.play(lambda exchange: exchange.stream(text))
    chat = open_chat(relay)
    statuses: list[int] = []
    chat.page.on("response", lambda response: statuses.append(response.status))
    exchange = chat.send("Go on")
    expect(exchange.locator(".tail")).to_contain_text("*word* the end")
    expect(exchange).to_have_attribute("data-state", "whole")  # and is stored
    chat.page.reload()
    expect(exchange.locator(".tail")).to_contain_text("*word* the end")
    assert max(statuses) < 400, "what the server does not render need not be sent to it"


def test_no_letter_of_a_title_is_cut_in_two(chat: Chat) -> None:
    chat.ask("x" * 78 + "🎉" * 3)
    expect(chat.titles).to_have_text("x" * 78 + "🎉…")
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("🎉" * 79)
    expect(chat.titles.first).to_have_text("🎉" * 79)


def test_a_name_has_a_length_that_can_be_read(chat: Chat) -> None:
    chat.ask("Hi")
    chat.menu("Hi", "Rename")
    box = chat.page.get_by_role("textbox", name="New name")
    box.clear()
    box.press_sequentially("n" * 90)
    box.press("Enter")
    expect(chat.titles).to_have_text(["n" * 80])


def test_a_file_is_named_in_any_script(chat: Chat) -> None:
    title = "हिन्दी? " + "long " * 20
    chat.ask(title)
    with chat.page.expect_download() as download:
        chat.menu(title[:70].strip(), "Export as JSON")
    assert download.value.suggested_filename == ("हिन्दी-" + "long-" * 20)[:60].strip("-") + ".json"


def test_the_end_of_a_long_answer_is_kept_in_sight(chat: Chat) -> None:
    exchange = chat.ask("tell [words=400]")
    foot = exchange.locator(".answer-foot")
    expect(foot).to_be_in_viewport()
    chat.page.get_by_role("region", name="Conversation").evaluate("one => { one.scrollTop = 0 }")
    expect(foot).not_to_be_in_viewport()
    chat.page.get_by_role("button", name="Latest").click()
    expect(foot).to_be_in_viewport()
