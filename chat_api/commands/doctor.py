"""`flask --app main doctor`: everything that can be looked at, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import click

from chat_api.commands.checks import (
    check_clock,
    check_default_model,
    check_disk,
    check_limiter,
    check_store,
    check_upstream,
)
from chat_api.commands.findings import Finding, Verdict
from chat_api.commands.proxy import check_public_address
from chat_api.commands.running import in_this_process
from chat_api.commands.server import RunningServer
from chat_api.commands.terminal import printable
from chat_api.settings import Settings
from chat_api.upstreams.base import Upstream
from chat_api.upstreams.openai import OPENAI_URL
from chat_api.upstreams.refusals import mask
from chat_api.wiring import Services

COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
SHORTEST_GOOD_KEY = 16
LOADING_SECONDS = 20.0
"""For the local model, which was started with this command."""


def run(settings: Settings, services: Services, url: str | None) -> bool:
    """Print what is found as soon as it is.

    Returns:
        Whether nothing fails.
    """
    secrets, is_well = _secrets(settings), True
    with in_this_process(settings, services):
        for finding in _findings(settings, services, url):
            # A database's or a proxy's own words are in these lines.
            line = printable(mask(str(finding), secrets))
            click.secho(line, fg=COLOURS[finding.verdict])
            is_well = is_well and finding.verdict is not Verdict.FAIL
    return is_well


def _findings(settings: Settings, services: Services, url: str | None) -> Iterator[Finding]:
    yield _settings(settings, services)
    yield _keys(settings)
    for upstream in services.router.upstreams:
        yield _upstream(settings, upstream)
    if services.upstream.is_set_up:
        yield check_default_model(services.models.default, date.today())
    folder = Path(settings.data_dir).absolute()
    if settings.database_url:
        store_advice = "Is DATABASE_URL right, and does PostgreSQL run?"
    else:
        store_advice = f"Let this user write to {folder} (DATA_DIR), and see that it has room"
    yield check_store(services.database, store_advice)
    limits_advice = (
        "Is REDIS_URL right, and does Redis run?" if settings.redis_url else store_advice
    )
    yield check_limiter(services.limiter, limits_advice)
    if not settings.database_url:
        yield check_disk(folder)
    yield check_clock(_network_urls(settings, services))
    if url:
        yield from check_public_address(RunningServer(url, next(iter(settings.api_keys), None)))


def _settings(settings: Settings, services: Services) -> Finding:
    """Bad values have stopped the command before it began."""
    names = ", ".join(upstream.name for upstream in services.router.upstreams)
    found = f"{settings.workers} workers at {settings.host}:{settings.port}; upstreams: {names}"
    return Finding("settings", Verdict.OK, found)


def _keys(settings: Settings) -> Finding:
    if any(len(key) < SHORTEST_GOOD_KEY for key in settings.api_keys):
        found = f"an API_KEY has fewer than {SHORTEST_GOOD_KEY} characters and may be guessed"
        advice = "Set a long one: `python3 -c 'import secrets; print(secrets.token_urlsafe())'`"
        return Finding("api key", Verdict.WARN, found, advice)
    if settings.api_keys:
        return Finding("api key", Verdict.OK, f"callers need one; {len(settings.api_keys)} set")
    found = "none is wanted: whoever reaches this server may use it"
    if settings.openai_api_key:
        return Finding("api key", Verdict.WARN, f"{found}, on your OpenAI key", "Set API_KEY")
    return Finding("api key", Verdict.OK, found)


def _upstream(settings: Settings, upstream: Upstream) -> Finding:
    if upstream.name == "openai" and not (settings.openai_api_key or settings.openai_base_url):
        found = "has no key of this server's: only callers who bring theirs are answered"
        advice = "Set OPENAI_API_KEY where that is not meant"
        return Finding(upstream.name, Verdict.WARN, found, advice)
    named = {each.name for each in settings.further.upstreams if each.api_key}
    key_name = "its key (UPSTREAMS_FILE)" if upstream.name in named else None
    if upstream.name == "openai" and settings.openai_api_key:
        key_name = "OPENAI_API_KEY"
    patience = LOADING_SECONDS if upstream.name == "local" else 0.0
    return check_upstream(upstream, key_name=key_name, patience_seconds=patience)


def _network_urls(settings: Settings, services: Services) -> list[str]:
    """Those of the upstreams that are not on this machine by their nature."""
    found = [each.base_url for each in settings.further.upstreams]
    if any(upstream.name == "openai" for upstream in services.router.upstreams):
        found.insert(0, settings.openai_base_url or OPENAI_URL)
    return [*found, *filter(None, [settings.ollama_url])]


def _secrets(settings: Settings) -> list[str | None]:
    urls = (settings.database_url, settings.redis_url)
    passwords = [urlsplit(url).password for url in urls if url]
    named = [each.api_key for each in settings.further.upstreams]
    return [settings.openai_api_key, *settings.api_keys, *named, *passwords]
