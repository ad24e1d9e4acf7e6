"""Figures of upstreams that fail."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.faults import BROKEN, FAULTS, Statuses, hang, play, redirect
from tests.faults.stand import Measured, Stand
from tests.faults.test_faults import REDIRECTS, Storm, assert_broken, assert_refused, assert_whole
from tests.integration.addresses import tries
from tests.integration.doors import CHAT, DOORS, V1, V1_STREAM, Door
from tests.integration.wire import ask, exchange_raw
from tests.scripted import ScriptedUpstream

DEATHS = [
    "cut midway",
    "reset midway",
    "an end without a reason",
    "an error event midway",
    "garbage amid events",
]
NONSENSE = [
    "truncated JSON",
    "garbage",
    "gzip",
    "a length too short",
    "a length that is no number",
    "a bad chunk",
    "half a head",
    "HTML",
    "empty",
    "204",
    "a list",
    "no choices",
    "choices of text",
]
PASSING = [
    "429, then well",
    "500 and 503, then well",
    "429 for a second, then well",
    "reset, then well",
]
NOT_TOLD_WELL = (AssertionError, ValueError, TypeError, LookupError, AttributeError)
"""What looking at a reply raises that is not as it should be: no JSON, or JSON of another shape."""


def is_well_told(storm: Storm, name: str, door: Door) -> bool:
    fault, seen = storm.faults[name], storm.seen[name, door]
    outcome = fault.stream_is if door.streamed else fault.whole_is
    try:
        if isinstance(outcome, Statuses):
            assert_refused(door, seen, outcome)
        elif outcome == BROKEN:
            assert_broken(door, seen)
        else:
            assert_whole(door, seen, fault.text)
    except NOT_TOLD_WELL:
        return False
    return storm.tries()[name, str(door)] <= fault.most_tries


def told() -> dict[str, Measured]:
    """What the callers of `/v1/chat/completions` see, whole and streamed."""
    with Stand(UPSTREAM_TIMEOUT="3") as stand, ScriptedUpstream() as elsewhere:
        faults = FAULTS | {status: redirect(status, elsewhere.port) for status in REDIRECTS}
        stand.upstream.script = play(faults)
        storm = Storm(stand.server, stand.upstream, faults)
        storm.rage()
        deaths = sum(is_well_told(storm, name, V1_STREAM) for name in DEATHS)
        nonsense = sum(is_well_told(storm, it, at) for it in NONSENSE for at in (V1, V1_STREAM))
        passing = sum(is_well_told(storm, name, V1) for name in PASSING)
        most = max(storm.tries()[name, str(door)] for name in PASSING for door in DOORS)
        all_told = [is_well_told(storm, *case) for case in storm.seen]
        followed = elsewhere.connections
    return {
        "ways of dying mid-stream shown as an error event": Measured(
            f"{deaths}/5", deaths == 5, deaths == 5
        ),
        "nonsense upstream answers handled (13 kinds x 2)": Measured(
            f"{nonsense}/26", nonsense == 26, nonsense == 26
        ),
        "all faults of this suite at all doors": Measured(
            f"{sum(all_told)}/{len(all_told)}", all(all_told), all(all_told)
        ),
        "transient 429/500/503/reset hidden, tries bounded": Measured(
            f"{passing}/4, {most}", passing == 4 and most <= 4, passing == 4 and most <= 3
        ),
        "redirects followed": Measured(str(followed), followed == 0, followed == 0),
    }


def silent() -> dict[str, Measured]:
    """An upstream that says nothing, given six seconds."""
    with Stand(UPSTREAM_TIMEOUT="6") as stand:
        stand.upstream.script = hang
        started = time.monotonic()
        status = ask(stand.server, V1).status
        took = time.monotonic() - started
    name = "silent upstream, T = 6 s: answer"
    good = status == 504 and took >= 6
    return {name: Measured(f"{status} at {took:.2f} s", good and took < 9, good and took < 6.1)}


def addresses() -> dict[str, Measured]:
    """Requests that name another host to talk to, and whether the server does."""
    with Stand() as stand, ScriptedUpstream() as canary:
        address = canary.url.removeprefix("http://").removesuffix("/v1")
        asked = tries(address)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda it: exchange_raw(stand.server, it.raw(address)), asked))
        assert ask(stand.server, CHAT).status == 200
        text = f"{canary.connections} of {len(asked)}"
    good = canary.connections == 0
    return {"SSRF tries / connections to the canary": Measured(text, good, good)}


FIGURES = (told, silent, addresses)
