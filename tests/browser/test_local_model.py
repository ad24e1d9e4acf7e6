"""The page as `make run` shows it: with the small model that needs no key."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.integration.local_model import local_gunicorn


def test_the_local_model_answers_on_the_page(open_chat: Opener, tmp_path: Path) -> None:
    with local_gunicorn(tmp_path, WEB_CONCURRENCY="1") as server:
        chat = open_chat(server)
        exchange = chat.send("What is the capital of France?")
        expect(exchange).to_have_attribute("data-state", "whole", timeout=60_000)
        expect(exchange).to_contain_text("Paris")
        expect(exchange.locator(".figures")).to_contain_text("smollm2-135m")
        assert len(chat.stored()) == 2
