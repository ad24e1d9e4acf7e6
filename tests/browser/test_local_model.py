"""The page as `make run` shows it: with the small model that needs no key."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from chat_api.upstreams import local
from tests.browser.conftest import Opener
from tests.integration.local_model import wait_until_loaded
from tests.servers import gunicorn


def test_the_local_model_answers_on_the_page(open_chat: Opener, tmp_path: Path) -> None:
    if local.find_model(None) is None:
        pytest.skip("requirements-local.txt is not installed")
    with gunicorn(tmp_path, UPSTREAM="local", WEB_CONCURRENCY="1") as server:
        wait_until_loaded(server)
        chat = open_chat(server)
        exchange = chat.send("What is the capital of France?")
        expect(exchange).to_have_attribute("data-state", "whole", timeout=60_000)
        expect(exchange).to_contain_text("Paris")
        expect(exchange.locator(".figures")).to_contain_text("smollm2-135m")
        assert len(chat.stored()) == 2
