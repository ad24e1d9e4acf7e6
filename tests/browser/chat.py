"""The chat page as a person meets it: by names, roles and what can be read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from tests.integration.wire import get
from tests.servers import Server

REFUSED = "Failed to load resource"
"""What Chromium itself writes of each reply with an error's status."""


class Chat:
    """One open page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.host = urlsplit(server.url).netloc
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.on("request", lambda request: self._note_host(request.url))
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.box = page.get_by_role("textbox", name="Your message")
        self.stop = page.get_by_role("button", name="Stop the answer")
        self.exchanges = page.locator(".exchange")
        self.titles = page.get_by_role("navigation", name="Your chats").locator(".chat")

    def send(self, text: str) -> Locator:
        """Write and send; returns the exchange, which may still be under way."""
        number = self.exchanges.count()
        self.box.fill(text)
        self.box.press("Enter")
        return self.exchanges.nth(number)

    def ask(self, text: str, state: str = "whole") -> Locator:
        """As `send`, and wait for how it ends, and until all of it is rendered."""
        exchange = self.send(text)
        expect(exchange).to_have_attribute("data-state", state)
        expect(exchange.locator(".tail")).to_be_empty()
        return exchange

    def texts(self) -> list[str]:
        """Questions and answers, as they are seen."""
        return self.page.locator(".bubble, .text").all_inner_texts()

    def menu(self, title: str, action: str) -> None:
        """Choose from what can be done with a chat."""
        self.page.get_by_role("button", name=f"More for {title}").click()
        self.page.get_by_role("button", name=action, exact=True).click()

    def stored(self) -> list[str]:
        """What the server remembers of the chat that is shown."""
        session_id = self.page.evaluate("JSON.parse(sessionStorage['chat-api.current'])")
        session = get(self.server, f"/api/sessions/{session_id}").json
        return [message["content"] for message in session["messages"]]

    def violations(self) -> list[Any]:
        """What axe-core finds wrong with the page as it is."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]})
        return [
            (violation["id"], [node["html"] for node in violation["nodes"]])
            for violation in found.response["violations"]
        ]

    def _note_host(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob"):
            self.hosts.add(urlsplit(url).netloc)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            self.complaints.append(message.text)
