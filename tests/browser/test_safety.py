"""What a model writes cannot run, what is secret stays where it is, and nobody else is asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import FOREIGN_KEY, KEY, Opener
from tests.integration.stage import Stage
from tests.servers import Server

HOSTILE = """
<img src=x onerror="hacked()"> <script>hacked()</script> <svg onload=hacked()>
<iframe srcdoc="<script>parent.hacked()</script>"></iframe> <style>body { display: none }</style>

[one](javascript:hacked()) [two](JaVaScRiPt:hacked())
[three](data:text/html,<script>hacked()</script>)
[four](vbscript:hacked()) <javascript:hacked()> [five](&#106;avascript:hacked())
![pixel](http://tracker.example/pixel.png) ![inline](data:image/svg+xml,<svg/onload=hacked()>)
[good](https://good.example/?a=1&b=2) javascript:hacked() javascript://x%0Ahacked()
https://bare.example/"onmouseover="hacked()

```html" onmouseover="hacked()
<script>hacked()</script>
```

<a href="#" onclick="hacked()" style="position:fixed;inset:0">all over</a>
"""


def test_a_hostile_answer_is_only_read(open_chat: Opener, relay: Server, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.stream(HOSTILE[:100], HOSTILE[100:]))
    chat = open_chat(relay)
    chat.page.evaluate("void (window.hacked = () => { window.wasHacked = true })")
    chat.ask("Be evil")
    text = chat.page.locator(".text")
    expect(text.locator("pre")).to_be_visible()
    for link in text.locator("a").all():
        link.hover()
        assert link.get_attribute("target") == "_blank"
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    found = text.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
    assert found == [
        "http://tracker.example/pixel.png",
        "https://good.example/?a=1&b=2",
        "https://bare.example/%22onmouseover=%22hacked()",
    ]
    assert text.locator("img, script, style, iframe, svg:not(.button svg), [style]").count() == 0
    names = text.locator("*").evaluate_all("all => all.flatMap(one => one.getAttributeNames())")
    assert not [name for name in names if name.startswith("on")]
    expect(text).to_contain_text('<img src=x onerror="hacked()">')
    assert chat.page.evaluate("window.wasHacked") is None


@pytest.mark.parametrize(
    "attack",
    [
        "document.body.insertAdjacentHTML('beforeend', '<p>x</p>')",
        "document.body.innerHTML = '<img src=x onerror=hacked()>'",
    ],
)
def test_the_policy_lets_no_other_module_write_html(
    open_chat: Opener, mock: Server, attack: str
) -> None:
    chat = open_chat(mock)
    with pytest.raises(Error, match="TrustedHTML"):
        chat.page.evaluate(attack)
    assert chat.complaints.pop()


def test_a_key_is_asked_for_and_kept_in_the_tab_only(open_chat: Opener, closed: Server) -> None:
    chat = open_chat(closed, permissions=["clipboard-read", "clipboard-write"])
    dialog = chat.page.get_by_role("dialog", name="This server wants a key")
    box = dialog.get_by_label("Key")
    box.fill("wrong")
    box.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("It does not take the key that was sent.")
    expect(box).to_have_value("")
    box.fill(KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_be_hidden()
    exchange = chat.ask("Hi")
    assert KEY not in chat.page.evaluate("JSON.stringify(localStorage) + document.cookie")
    exchange.get_by_role("button", name="Copy as curl").click()
    command = chat.page.evaluate("navigator.clipboard.readText()")
    assert KEY not in command and '"x-api-key: $API_KEY"' in command
    chat.page.reload()
    expect(chat.exchanges).to_have_attribute("data-state", "whole")
    expect(dialog).to_be_hidden()


def test_a_key_of_any_letters_opens_the_server(open_chat: Opener, closed: Server) -> None:
    chat = open_chat(closed)
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("Key").fill(FOREIGN_KEY)
    dialog.get_by_label("Key").press("Enter")
    chat.ask("Hi")


def test_without_the_key_a_question_is_refused_and_can_be_asked_again(
    open_chat: Opener, closed: Server
) -> None:
    chat = open_chat(closed)
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(chat.page.get_by_text("The models are not known")).to_be_visible()
    exchange = chat.send("Hi")
    expect(dialog.get_by_label("Key")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(exchange).to_have_attribute("data-state", "refused")
    expect(exchange.get_by_role("alert")).to_contain_text("This server wants a key")
    exchange.get_by_role("button", name="Try again").click()
    dialog.get_by_label("Key").fill(KEY)
    dialog.get_by_label("Key").press("Enter")
    expect(exchange).to_have_attribute("data-state", "whole")
