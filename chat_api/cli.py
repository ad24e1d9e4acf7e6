"""`flask --app main …`: what an operator asks for in a terminal.

What a command does lies in `commands/` and is imported when it runs: a server never needs it.
"""

from __future__ import annotations

import importlib
from typing import Any

import click
import structlog
from flask import Flask

from chat_api.settings import Settings
from chat_api.wiring import Services

URL = "https://chat.example.org"


def init_app(app: Flask, settings: Settings, services: Services) -> None:
    """Give the application its commands."""

    @app.cli.command()
    @click.option("--url", metavar=URL, help="Also look at the server through its public address.")
    def doctor(url: str | None) -> None:
        """Say what is well and what is not, and what to do.

        Looks at the settings, every upstream and its key (by listing models, which is free), the
        store (tables are made or brought up to date, as at a start), the limiter, the disk and the
        clock. With --url also at what lies before a running server: whether a proxy holds streams
        back, speaks HTTP/1.0, or is not told of in TRUSTED_PROXIES. That asks the model for about
        a hundred tokens.

        Run it as the user that the server runs as, with the server's settings. Exits with 1 where
        something fails.
        """
        if not _module("doctor").run(settings, services, url):
            raise SystemExit(1)

    @app.cli.command()
    @click.option("--model", metavar="NAME", help="The model to ask; else the default one.")
    @click.option("--url", metavar=URL, help="A running server to ask; else no server is needed.")
    def chat(model: str | None, url: str | None) -> None:
        """Talk to a model, streaming.

        Ctrl-C stops an answer, Ctrl-D ends the chat. An answer that was stopped, or that broke
        off, is not part of the conversation that goes on. With --url the first API_KEY of the
        settings is sent to that server.

        Questions may come from a file or a pipe, one a line. It then exits with 1 where one had no
        whole answer.
        """
        if not _module("chat").run(settings, services, model, url):
            raise SystemExit(1)


def _module(name: str) -> Any:
    # The log's lines are for a server's output; here they would stand amid the answer.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    return importlib.import_module(f"chat_api.commands.{name}")
