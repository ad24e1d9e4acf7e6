"""Whoever comes, with whatever they have: keys only, a screen reader, a phone, large letters."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.conftest import Opener
from tests.integration.stage import Stage
from tests.servers import Server

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
AT_200_PERCENT: dict[str, Any] = {"viewport": {"width": 640, "height": 400}}
DARK = {"color_scheme": "dark"}
SCREENS = {"desk": DESK, "dark phone": PHONE | DARK}  # each colour and each layout

RICH = """# Heading

Some *words* with `code`, a [link](https://good.example) and a list:

1. one
2. two

> quoted

| a | b |
| - | - |
| a cell | another |

```python
@decorator
def function(argument: int = 1) -> str:
    '''Text.'''  # a comment
    return f"{argument}" + None
```
"""


def width_of_page(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_no_violation(
    open_chat: Opener, relay: Server, stage: Stage, screen: str
) -> None:
    stage.play(lambda exchange: exchange.stream(RICH))
    # axe-core writes scripts into the page, which the page's policy forbids.
    chat = open_chat(relay, bypass_csp=True, reduced_motion="reduce", **SCREENS[screen])
    assert chat.violations() == []
    exchange = chat.ask("Everything")
    expect(exchange.locator("pre")).to_be_visible()
    chat.page.get_by_role("button", name="Instructions").click()
    exchange.get_by_role("button", name="Edit the question").click()
    assert chat.violations() == []
    stage.play(lambda exchange: exchange.reply(400, {"error": {"message": "No."}}))
    chat.ask("Refuse", "refused")
    if "phone" in screen:
        chat.page.get_by_role("button", name="Chats").click()
        expect(chat.page.get_by_role("button", name="Close the list of chats")).to_be_focused()
    assert chat.violations() == []
    chat.page.get_by_role("button", name="More for Everything").click()
    assert chat.violations() == []
    chat.page.get_by_role("button", name="Delete", exact=True).click()
    assert chat.violations() == []


def test_everything_is_done_by_keys(chat: Chat) -> None:
    page, keyboard = chat.page, chat.page.keyboard
    expect(chat.box).to_be_focused()
    keyboard.type("a line")
    keyboard.press("Shift+Enter")
    keyboard.type("and another")
    keyboard.press("Enter")
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    assert chat.texts()[0] == "a line\nand another"
    keyboard.type("to be stopped [silence=60]")
    keyboard.press("Enter")
    expect(chat.exchanges.last).to_have_attribute("data-state", "streaming")
    keyboard.press("Escape")
    expect(chat.exchanges.last).to_have_attribute("data-state", "stopped")

    page.reload()
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    expect(chat.box).to_be_focused()
    page.get_by_role("link", name="Skip to the message box").focus()
    seen = []
    for _ in range(8):
        keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert seen == [
        "new-chat",
        "chat",
        "button quiet icon-only more",
        "dark",
        "hint",
        "model",
        "show-instructions",
        "scroller",
    ]
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    expect(page.get_by_label("What the model is told")).to_be_focused()
    keyboard.press("Escape")
    expect(page.get_by_role("button", name="Instructions")).to_be_focused()


def test_a_menu_and_a_question_are_left_by_escape(chat: Chat) -> None:
    chat.ask("Hi")
    more = chat.page.get_by_role("button", name="More for Hi")
    more.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("button", name="Rename")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#chat-menu")).to_be_hidden()
    expect(more).to_be_focused()
    chat.exchanges.get_by_role("button", name="Edit the question").click()
    chat.page.keyboard.press("Escape")
    expect(chat.exchanges.get_by_role("button", name="Edit the question")).to_be_focused()


def test_on_a_phone_the_chats_are_in_a_drawer(open_chat: Opener, mock: Server) -> None:
    chat = open_chat(mock, **PHONE)
    chat.ask("Hi")
    assert width_of_page(chat.page) == 390
    opener = chat.page.get_by_role("button", name="Chats", exact=True)
    expect(chat.titles).to_be_hidden()
    opener.tap()
    expect(chat.titles).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    chat.page.keyboard.press("Escape")
    expect(chat.titles).to_be_hidden()
    opener.tap()
    chat.page.get_by_role("button", name="New chat").tap()
    expect(chat.titles).to_be_hidden()
    expect(chat.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()


def test_at_200_percent_nothing_is_cut_off(open_chat: Opener, relay: Server, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.stream(RICH + "\n\n" + "endless" * 100))
    chat = open_chat(relay, **AT_200_PERCENT)
    heading = chat.page.get_by_role("heading", name="What shall we talk about?")
    expect(heading).to_be_in_viewport(ratio=1)
    chat.ask("Everything, and a word of " + "length" * 40)
    expect(chat.page.locator("pre")).to_be_attached()
    assert width_of_page(chat.page) == 640
    expect(chat.box).to_be_in_viewport(ratio=1)
    for button in ("Send", "Instructions", "Chats"):
        expect(chat.page.get_by_role("button", name=button, exact=True)).to_be_in_viewport(ratio=1)


def test_at_400_percent_the_instructions_leave_room_for_the_rest(
    open_chat: Opener, mock: Server
) -> None:
    chat = open_chat(mock, viewport={"width": 320, "height": 256})
    chat.page.get_by_role("button", name="Instructions").click()
    expect(chat.page.get_by_label("What the model is told")).to_be_in_viewport()
    expect(chat.box).to_be_in_viewport(ratio=1)
    bar, panel = (chat.page.locator(name).bounding_box() for name in (".bar", ".instructions"))
    assert bar and panel and bar["height"] >= 40 and panel["y"] >= bar["height"]


def test_the_theme_follows_the_system_until_one_chooses(open_chat: Opener, mock: Server) -> None:
    chat = open_chat(mock, **DARK)
    body = chat.page.locator("body")
    toggle = chat.page.get_by_role("button", name="Dark")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(body).to_have_css("background-color", "rgb(11, 17, 32)")
    toggle.click()
    expect(body).to_have_css("background-color", "rgb(249, 250, 251)")
    chat.page.reload()
    expect(body).to_have_css("background-color", "rgb(249, 250, 251)")
    expect(toggle).to_have_attribute("aria-pressed", "false")


def test_each_paragraph_runs_its_own_way(open_chat: Opener, relay: Server, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.stream("שלום עולם\n\nHello, world"))
    chat = open_chat(relay)
    chat.ask("مرحبا")
    expect(chat.page.locator(".prose p")).to_have_count(2)
    ways = chat.page.locator(".bubble, .prose p").evaluate_all(
        "all => all.map(one => getComputedStyle(one).direction)"
    )
    assert ways == ["rtl", "rtl", "ltr"]
