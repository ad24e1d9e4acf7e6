"""What the log says when the server has started."""

from __future__ import annotations

import logging
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from pytest_mock import MockerFixture

from chat_api import create_app
from chat_api.settings import Settings
from chat_api.web.banner import announce
from chat_api.wiring import build_services
from tests.fakes import FakeUpstream


def told(app: Flask, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of Gunicorn's `when_ready`."""
    listener: Any = SimpleNamespace(getsockname=lambda: ("127.0.0.1", 5000))
    gunicorn = SimpleNamespace(wsgi=lambda: app)
    server = SimpleNamespace(app=gunicorn, LISTENERS=[listener], log=logging.getLogger("test"))
    with caplog.at_level(logging.INFO):
        announce(server)
    assert any(record.message.startswith("Try: curl") for record in caplog.records)
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("today", "warnings"),
    [
        (date(2026, 1, 1), []),
        (
            date(2026, 11, 21),
            [
                "OpenAI retires gpt-4o-mini, the default model, in 54 days, on 2027-01-14: "
                "set OPENAI_MODEL to one that stays."
            ],
        ),
    ],
)
def test_a_default_model_that_will_be_gone_is_a_warning(
    app: Flask,
    caplog: pytest.LogCaptureFixture,
    mocker: MockerFixture,
    today: date,
    warnings: list[str],
) -> None:
    mocker.patch("chat_api.web.banner.date").today.return_value = today
    assert told(app, caplog) == warnings


def test_a_default_model_of_ones_own_is_none(
    upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.default_model = "llama3"
    app = create_app(Settings(), build_services(Settings(), upstream))
    assert told(app, caplog) == []
