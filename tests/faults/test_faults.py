"""Every fault of an upstream at every door, all at the same time, on two workers.

What holds for each: a real status before the first piece, in the family's shape; an error and no
word of a good end after it; no word of the upstream's on its insides; no more tries than three; and
the upstream is let go of. And for the others: they notice nothing.
"""

from __future__ import annotations

import http.client
import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from tests.faults.faults import (
    BROKEN,
    FAULTS,
    WELL,
    Fault,
    Statuses,
    name_of,
    play,
    redirect,
    replied,
)
from tests.integration.doors import (
    API_CHAT,
    ASK,
    EVERY_DOOR,
    RESPONSES_STREAM,
    Door,
    data_of,
    frames_of,
    text_of,
)
from tests.integration.stage import CANARY, prompt_of
from tests.integration.wire import Call, both_workers, get, wait_for
from tests.scripted import ScriptedUpstream
from tests.servers import Server, gunicorn

BARE = (ASK, API_CHAT)
REDIRECTS = ("301 Moved", "302 Found", "307 Temporary", "308 Permanent")
AT_ONCE = 24
ENDS = (b"[DONE]", b'"done"', b"response.completed")


class Seen(NamedTuple):
    """What a caller saw."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    is_cut: bool
    """Whether the transfer broke off."""


class Storm:
    """All calls, and what was seen meanwhile."""

    def __init__(
        self, server: Server, upstream: ScriptedUpstream, faults: dict[str, Fault]
    ) -> None:
        self.server = server
        self.upstream = upstream
        self.faults = faults
        self.seen: dict[tuple[str, Door], Seen] = {}
        self.others: list[tuple[Door, Seen]] = []
        self.health: Counter[int] = Counter()
        self._over = threading.Event()

    def rage(self) -> None:
        """Make all calls, with other callers beside them."""
        workers = both_workers(self.server)
        calls = list(itertools.product(self.faults, EVERY_DOOR))
        with ThreadPoolExecutor(AT_ONCE + 2) as pool:
            others = [pool.submit(self._go_on), pool.submit(self._probe)]
            try:
                found = pool.map(lambda call: self._ask(f"{call[0]}: {call[1]}", call[1]), calls)
                self.seen = dict(zip(calls, found, strict=True))
            finally:
                self._over.set()
            for other in others:
                other.result()
        assert self.server.workers() == workers

    def tries(self) -> Counter[tuple[str, str]]:
        """How often the upstream was asked, by fault and door."""
        prompts = map(prompt_of, self.upstream.exchanges)
        return Counter(tuple(prompt.split(": ", 1)) for prompt in prompts if ": " in prompt)

    def _go_on(self) -> None:
        for number in itertools.count():
            if self._over.is_set():
                return
            door = EVERY_DOOR[number % len(EVERY_DOOR)]
            self.others.append((door, self._ask("Hi", door)))

    def _probe(self) -> None:
        while not self._over.wait(0.02):
            self.health[get(self.server, "/health").status] += 1

    def _ask(self, prompt: str, door: Door) -> Seen:
        with Call(self.server, door.path, door.body(prompt)) as call:
            reply = call.reply
            replied(prompt).set()
            try:
                return Seen(reply.status, reply.headers, reply.read(), False)
            except http.client.IncompleteRead as error:
                return Seen(reply.status, reply.headers, error.partial, True)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ScriptedUpstream]:
    """Where redirects lead."""
    with ScriptedUpstream() as elsewhere:
        yield elsewhere


@pytest.fixture(scope="module")
def storm(
    upstream: ScriptedUpstream,
    elsewhere: ScriptedUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Storm]:
    faults = FAULTS | {status: redirect(status, elsewhere.port) for status in REDIRECTS}
    upstream.script = play(faults)
    with gunicorn(
        tmp_path_factory.mktemp("faults"),
        OPENAI_BASE_URL=upstream.url,
        OPENAI_API_KEY=CANARY,
        WEB_CONCURRENCY="2",
        UPSTREAM_TIMEOUT="3",
        STREAM_HEARTBEAT_SECONDS="0.5",
        RATE_LIMIT_PER_MINUTE="0",
    ) as server:
        storm = Storm(server, upstream, faults)
        storm.rage()
        yield storm


def name_at(door: Door) -> str:
    return f"{door.path}{' streamed' if door.streamed else ''}"


@pytest.mark.parametrize("door", EVERY_DOOR, ids=name_at)
@pytest.mark.parametrize("name", [*FAULTS, *REDIRECTS])
def test_the_caller_is_told_the_truth(storm: Storm, name: str, door: Door) -> None:
    fault, seen = storm.faults[name], storm.seen[name, door]
    outcome = fault.stream_is if door.streamed else fault.whole_is
    assert CANARY.encode() not in seen.body and b"10.0.0.7" not in seen.body
    if outcome == WELL:
        assert_whole(door, seen, fault.text)
    elif outcome == BROKEN:
        assert_broken(door, seen)
    else:
        assert isinstance(outcome, Statuses)
        assert_refused(door, seen, outcome)
    assert 1 <= storm.tries()[name, str(door)] <= fault.most_tries


def assert_whole(door: Door, seen: Seen, text: str) -> None:
    assert (seen.status, seen.is_cut) == (200, False), seen
    assert b'"error":{' not in seen.body
    if door in BARE:
        assert seen.body.decode() == text
    elif door == RESPONSES_STREAM:
        last = data_of_named(seen.body)[-1]
        assert last["type"] == "response.completed"
        assert last["response"]["output"][-1]["content"][0]["text"] == text
    elif door.streamed:
        frames = frames_of(seen.body)
        assert text_of(frames) == text
        assert any(end in frames[-1] for end in ENDS)
    else:
        assert text.encode() in seen.body


def assert_broken(door: Door, seen: Seen) -> None:
    """It began well, and its last word is that it broke."""
    assert seen.status == 200
    assert not any(end in seen.body for end in ENDS)
    if door in BARE:
        assert seen.is_cut and b"Hello!".startswith(seen.body)
        return
    assert not seen.is_cut
    if door == RESPONSES_STREAM:
        last = data_of_named(seen.body)[-1]
        assert last["type"] == "response.failed" and last["response"]["error"]["message"]
        return
    *frames, last = frames_of(seen.body)
    assert "Hello!".startswith(text_of(frames)) and text_of(frames)
    assert "upstream" in door.error_text(last.removeprefix(b"data: "))


def assert_refused(door: Door, seen: Seen, statuses: Statuses) -> None:
    """A real status, in the family's shape."""
    assert seen.status == (statuses.relayed if door.keeps_statuses else statuses.plain), seen
    assert seen.headers["Content-Type"] == "application/json" and seen.headers["X-Request-ID"]
    assert "upstream" in door.error_text(seen.body)
    if seen.status in (429, 503):
        assert int(seen.headers["Retry-After"]) >= 1


def data_of_named(body: bytes) -> list[dict[str, object]]:
    """The data of events that have names."""
    unnamed = re.sub(rb"^event: .*\n", b"", body, flags=re.MULTILINE)
    return data_of(frames_of(unnamed))


def test_the_other_callers_notice_nothing(storm: Storm) -> None:
    assert len(storm.others) >= len(EVERY_DOOR)
    for door, seen in storm.others:
        assert_whole(door, seen, "Hello!")
    assert set(storm.health) == {200}


def test_every_call_is_let_go_of(storm: Storm) -> None:
    def in_flight() -> str:
        found = re.search(rb"^chat_completions_in_flight (\S+)", get_metrics(storm.server), re.M)
        assert found
        return found[1].decode()

    wait_for(lambda: float(in_flight()) == 0)
    hung = [each for each in storm.upstream.exchanges if name_of(each).startswith("hang")]
    assert len(hung) == 3 * len(EVERY_DOOR)
    wait_for(lambda: all(exchange.caller_left_at for exchange in hung))


def get_metrics(server: Server) -> bytes:
    return get(server, "/metrics").body


def test_nobody_followed_a_redirect(storm: Storm, elsewhere: ScriptedUpstream) -> None:
    assert elsewhere.connections == 0


def test_the_log_tells_no_secret_and_of_no_crash(storm: Storm) -> None:
    log = storm.server.log()
    assert CANARY not in log and "10.0.0.7" not in log
    assert '"crash"' not in log and "Traceback" not in log
