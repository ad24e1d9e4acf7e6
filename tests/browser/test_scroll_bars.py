"""Scroll bars that take room, as on most desks, move nothing when they come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.chat import Chat
from tests.browser.conftest import chromium
from tests.servers import Server


@pytest.fixture(scope="module")
def browser_with_bars(browser: Browser) -> Iterator[Browser]:
    """Playwright hides scroll bars unless told otherwise."""
    with browser.browser_type.launch(
        executable_path=chromium(), ignore_default_args=["--hide-scrollbars"]
    ) as other:
        yield other


@pytest.fixture
def chat(browser_with_bars: Browser, mock: Server) -> Iterator[Chat]:
    with browser_with_bars.new_context(viewport={"width": 1280, "height": 900}) as context:
        chat = Chat(context.new_page(), mock)
        chat.page.goto(f"{mock.url}/ui")
        yield chat


def has_bar(box: Locator) -> bool:
    has_bar: bool = box.evaluate("one => one.scrollHeight > one.clientHeight")
    return has_bar


def sides(box: Locator) -> tuple[float, float]:
    """Left and right, in pixels."""
    found = box.bounding_box()
    assert found
    return found["x"], found["x"] + found["width"]


def test_what_scrolls_stays_right_above_the_box(chat: Chat) -> None:
    scroller = chat.page.get_by_role("region", name="Conversation")
    expect(chat.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    assert not has_bar(scroller), "there is nothing to scroll to"
    chat.ask("Hi")
    conversation, composer = chat.page.locator(".conversation"), chat.page.locator("#composer")
    before = sides(conversation)
    assert before == sides(composer)
    chat.ask("tell [words=600]")
    assert has_bar(scroller)
    assert scroller.evaluate("one => one.offsetWidth > one.clientWidth"), "its bar takes no room"
    assert sides(conversation) == before


def test_the_titles_of_chats_keep_their_width(chat: Chat) -> None:
    for number in range(5):
        chat.page.get_by_role("button", name="New chat").click()
        chat.ask(f"chat {number}")
    chats = chat.page.get_by_role("navigation", name="Your chats")
    before = sides(chat.titles.first)
    assert not has_bar(chats)
    chat.page.set_viewport_size({"width": 1280, "height": 300})
    assert has_bar(chats)
    assert sides(chat.titles.first) == before
