"""What an answer needs, looked at piece by piece."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2

from chat_api.commands.findings import Finding, Verdict, cause_of
from chat_api.errors import (
    StoreUnavailable,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamUnreachable,
)
from chat_api.services.limits import Limiter
from chat_api.services.retired import retirement_warning
from chat_api.stores.sql import Database, touch
from chat_api.upstreams.base import JsonObject, Upstream
from chat_api.upstreams.missing import WHAT_TO_SET

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL

MIB = 2**20
LITTLE_DISK_MIB, NO_DISK_MIB = 1024, 64
SKEW_SECONDS, MUCH_SKEW_SECONDS = 5.0, 60.0
"""A `Date` has whole seconds, and the way there and back takes some time too."""
CLOCK_TIMEOUT_SECONDS = 5.0
RETRY_SECONDS = 0.25


def check_upstream(
    upstream: Upstream, *, key_name: str | None, patience_seconds: float = 0.0
) -> Finding:
    """Ask for its models, which costs nothing and shows whether the key is good.

    Args:
        key_name: the setting that its key comes from; None where it has none.
        patience_seconds: how long it may take to come up.
    """
    name = upstream.name
    if not upstream.is_set_up:
        return Finding("upstream", FAIL, "none is set up", WHAT_TO_SET)
    try:
        models = _models(upstream, time.monotonic() + patience_seconds)
    except UpstreamKeyRefused as error:
        advice = f"Set {key_name} to a valid one" if key_name else "It wants one: set it"
        return Finding(name, FAIL, f"refuses the key ({error.status})", advice)
    except UpstreamRefused as error:
        found = f"answers, but lists no models ({error.status}: {error}); the key is not proved"
        return Finding(name, WARN, found, "Try `flask --app main chat`, which costs a few tokens")
    except UpstreamError as error:
        text, cause = str(error), cause_of(error)
        found = text if cause == text else f"{text.removesuffix('.')}: {cause}"
        return Finding(name, FAIL, found, "Is its URL right, and does it run?")
    known = {model["id"] for model in models}
    found = (
        f"answers{' and takes the key' if key_name else ''}; its list of models has {len(known)}"
    )
    default = upstream.default_model
    if default and not known & {default, default + upstream.implied_suffix}:
        advice = "Where calls without a model fail, set OPENAI_MODEL to one that it has"
        return Finding(name, WARN, f"{found}, {default} not among them", advice)
    return Finding(name, OK, f"{found}{f', {default} among them' if default else ''}")


def check_default_model(name: str, today: date) -> Finding:
    """Whether the model that answers calls without one stays."""
    if found := retirement_warning(name, today):
        return Finding("model", WARN, found, "Set OPENAI_MODEL to one that stays")
    return Finding("model", OK, f"{name} answers calls without a model")


def _models(upstream: Upstream, until: float) -> list[JsonObject]:
    while True:
        try:
            return upstream.models()
        except (UpstreamUnreachable, UpstreamOverloaded):
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_SECONDS)


def check_store(database: Database, advice: str) -> Finding:
    """Open it, as the start does, and write something.

    Args:
        advice: what to do where that fails.
    """
    started = time.monotonic()
    try:
        database.write(touch)
    except StoreUnavailable as error:
        return Finding("store", FAIL, f"cannot be written to: {cause_of(error)}", advice)
    took = round(1000 * (time.monotonic() - started))
    return Finding("store", OK, f"{database.engine.dialect.name} can be written to ({took} ms)")


def check_limiter(limiter: Limiter, advice: str) -> Finding:
    """Count a call of nobody's, which is forgotten after a second.

    Args:
        advice: what to do where that fails.
    """
    if limiter.store is None:
        return Finding("limiter", OK, "off: there are no limits")
    try:
        limiter.store.window("doctor", limit=1_000_000, seconds=1, amount=1)
    except StoreUnavailable as error:
        found = f"nobody counts, so no limit holds: {cause_of(error)}"
        return Finding("limiter", FAIL, found, advice)
    return Finding("limiter", OK, f"{limiter.store.name} counts")


def check_disk(folder: Path) -> Finding:
    """The room where the folder lies, or will lie when it is made."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free_mib = shutil.disk_usage(place).free / MIB
    found = f"{free_mib:,.0f} MiB are free at {place}"
    if free_mib < NO_DISK_MIB:
        return Finding("disk", FAIL, found, "Free some: without it nothing is remembered")
    if free_mib < LITTLE_DISK_MIB:
        return Finding("disk", WARN, found, "Sessions and their journal grow: free some in time")
    return Finding("disk", OK, found)


def check_clock(urls: Sequence[str]) -> Finding:
    """Compare with the first of these upstreams that tells the time, in a refusal too."""
    for url in urls:
        try:
            asked = time.time()
            reply = httpx2.get(f"{url}/models", timeout=CLOCK_TIMEOUT_SECONDS)
            told = parsedate_to_datetime(reply.headers["date"]).timestamp() + 0.5
        except (httpx2.HTTPError, KeyError, ValueError):
            continue
        ahead = (asked + time.time()) / 2 - told
        found = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} {httpx2.URL(url).host}"
        if abs(ahead) < SKEW_SECONDS:
            return Finding("clock", OK, found)
        advice = "Have it set over the network (NTP): sessions and shared limits go by it"
        return Finding("clock", FAIL if abs(ahead) >= MUCH_SKEW_SECONDS else WARN, found, advice)
    if urls:
        return Finding("clock", WARN, "no upstream told the time, so it was not compared")
    return Finding("clock", OK, "not compared: no upstream is reached over a network")
