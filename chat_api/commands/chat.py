"""`flask --app main chat`: a chat in the terminal."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Generator

import click

from chat_api.commands.running import in_this_process
from chat_api.commands.server import RunningServer
from chat_api.commands.terminal import printable
from chat_api.errors import ChatApiError
from chat_api.services.chat import ChatService, pieces
from chat_api.services.clients import Client
from chat_api.services.sessions import exchange_of
from chat_api.settings import Settings
from chat_api.upstreams.base import JsonObject
from chat_api.wiring import Services

Pieces = Generator[str, None, None]
Ask = Callable[[JsonObject], Pieces]
"""The pieces of the answer to the body of a `POST /chat/stream`; raises ChatApiError where the
answer is not whole, and lets go of it when it is closed."""

HELP = "Ctrl-C stops an answer, Ctrl-D ends the chat."


def run(settings: Settings, services: Services, model: str | None, url: str | None) -> None:
    """Talk until the input ends.

    Args:
        model: what to ask for; None for the default one.
        url: a running server; None for services in this process.
    """
    chosen = {"model": model} if model else {}
    if url:
        server = RunningServer(url, next(iter(settings.api_keys), None))
        with contextlib.closing(server):
            _talk(lambda body: _from_server(server, {**body, **chosen}), f"{model or url}")
        return
    name = model or services.models.default
    with in_this_process(settings, services):
        _talk(lambda body: _from_here(services.chat, {**body, **chosen}), name)


def _talk(ask: Ask, whom: str) -> None:
    is_a_person = sys.stdin.isatty()
    prompt = ""
    if is_a_person:
        prompt = "> "
        if importlib.util.find_spec("readline"):  # not every Python has it
            importlib.import_module("readline")  # `input` then edits lines and keeps them
        click.echo(f"Talking to {whom}. {HELP}", err=True)
    conversation: list[JsonObject] = []
    while True:
        try:
            said = input(prompt).strip()
            if said:
                conversation += _turn(ask, conversation, said)
        except KeyboardInterrupt:  # at the prompt, or amid what was done about another one
            click.echo(f"\n{HELP}", err=True)
        except EOFError:
            return


def _turn(ask: Ask, conversation: list[JsonObject], said: str) -> list[JsonObject]:
    """Show the answer as it comes.

    Returns:
        Both messages; none where the answer is not whole.
    """
    answer = []
    try:
        with contextlib.closing(ask({"message": said, "messages": conversation})) as answering:
            for piece in answering:
                answer.append(piece)
                click.echo(printable(piece), nl=False)
        return exchange_of(said, "".join(answer))
    except KeyboardInterrupt:
        outcome, colour = "stopped", "yellow"
    except ChatApiError as error:
        outcome, colour = f"{'the answer broke off' if answer else 'no answer'}: {error}", "red"
    finally:
        if answer:
            click.echo()
    click.secho(printable(f"[{outcome}]"), fg=colour, err=True)
    return []


def _from_here(chat: ChatService, body: JsonObject) -> Pieces:
    with contextlib.closing(chat.stream(body, Client())) as stream:
        for events in stream:
            yield from pieces(events)


def _from_server(server: RunningServer, body: JsonObject) -> Pieces:
    with contextlib.closing(server.batches(body)) as batches:
        for events in batches:
            yield from (event["content"] for event in events if "content" in event)
