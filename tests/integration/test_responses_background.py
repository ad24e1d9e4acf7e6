"""Responses that run in the background: left, found again, cancelled, lost with their worker."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.fakes import chunk, frame
from tests.integration.stage import Stage, write_until_left
from tests.integration.wire import wait_for
from tests.scripted import Exchange, ScriptedUpstream
from tests.servers import Server, gunicorn

PIECES = 20


@pytest.fixture
def sdk(relay: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{relay.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


class Held:
    """An upstream that says a piece for each `go`, until it is let go of."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.left = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        exchange.start_stream()
        try:
            for number in range(PIECES):
                if not self.go.acquire(timeout=20):
                    return
                exchange.chunk(frame(chunk({"content": f"{number} "})))
            exchange.chunk(frame(chunk({}, "stop")) + b"data: [DONE]\n\n")
            exchange.send(b"0\r\n\r\n")
        except OSError:
            self.left.set()

    def finish(self) -> None:
        self.go.release(PIECES)


def silent(left: threading.Event) -> Callable[[Exchange], None]:
    """An upstream that says nothing until its caller leaves."""

    def script(exchange: Exchange) -> None:
        if exchange.wait_until_caller_leaves(20):
            left.set()

    return script


def test_it_is_queued_then_runs_then_is_completed(sdk: openai.OpenAI, stage: Stage) -> None:
    held = Held()
    stage.play(held)
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
    assert response.status == "queued" and response.output == []
    assert wait_for(lambda: sdk.responses.retrieve(response.id)).status == "in_progress"
    held.finish()
    done = wait_for(
        lambda: (found := sdk.responses.retrieve(response.id)).status == "completed" and found
    )
    assert done.output_text == "".join(f"{number} " for number in range(PIECES))
    held.finish()
    follow_up = sdk.responses.create(input="And?", previous_response_id=done.id, background=True)
    wait_for(lambda: sdk.responses.retrieve(follow_up.id).status == "completed")


def test_who_left_gets_the_events_behind_the_last_one_seen(
    sdk: openai.OpenAI, stage: Stage
) -> None:
    """The caller leaves amid the stream; the upstream does not notice. Then it comes back, to
    whichever worker, and gets exactly what it has not seen, live to the end."""
    held = Held()
    stage.play(held)
    held.go.release(3)
    seen = []
    with sdk.responses.create(
        model="gpt-4o-mini", input="Hi", background=True, stream=True
    ) as stream:
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    assert [event.type for event in seen[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    response_id = seen[0].response.id  # type: ignore[union-attr]
    for _ in range(3):  # each comes and goes, on either worker
        more = sdk.responses.retrieve(
            response_id, stream=True, starting_after=seen[-1].sequence_number
        )
        with more as stream:
            seen += itertools.islice(stream, 1)
        held.go.release(1)
    held.finish()
    with sdk.responses.retrieve(
        response_id, stream=True, starting_after=seen[-1].sequence_number
    ) as stream:
        seen += stream
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    assert not held.left.is_set()
    replayed = list(sdk.responses.retrieve(response_id, stream=True))
    assert [event.to_dict() for event in replayed] == [event.to_dict() for event in seen]


@pytest.mark.parametrize("kind", ["silent", "speaking"])
def test_cancel_stops_the_upstream(sdk: openai.OpenAI, stage: Stage, kind: str) -> None:
    left = threading.Event()
    speaking = functools.partial(write_until_left, has_left=left)
    stage.play(speaking if kind == "speaking" else silent(left))
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
    stage.exchange()
    follower = sdk.responses.retrieve(response.id, stream=True)
    cancelled = sdk.responses.cancel(response.id)
    assert cancelled.status == "cancelled"
    assert left.wait(10.0)  # for a silent one the server itself would wait for longer
    events = list(follower)
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.status == "cancelled"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert sdk.responses.retrieve(response.id).status == "cancelled"
    assert sdk.responses.cancel(response.id).status == "cancelled"  # again changes nothing
    again = list(sdk.responses.retrieve(response.id, stream=True))
    assert [event.to_dict() for event in again] == [event.to_dict() for event in events]


def test_delete_stops_it_too(sdk: openai.OpenAI, stage: Stage) -> None:
    left = threading.Event()
    stage.play(silent(left))
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
    stage.exchange()
    sdk.responses.delete(response.id)
    assert left.wait(5.0)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(response.id)


def test_after_a_crash_it_is_failed(tmp_path: Path) -> None:
    upstream = ScriptedUpstream()
    left = threading.Event()
    upstream.script = silent(left)
    environment = {"OPENAI_BASE_URL": upstream.url, "WEB_CONCURRENCY": "1"}
    with (
        gunicorn(tmp_path, **environment) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=5) as sdk,
    ):
        response = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
        wait_for(lambda: upstream.exchanges)
        os.kill(server.workers()[0], signal.SIGKILL)
        assert left.wait(5.0)
        found = wait_for(
            lambda: (now := sdk.responses.retrieve(response.id)).status == "failed" and now,
            seconds=20.0,
        )
        assert found.error is not None and found.error.code == "server_error"
        events = list(sdk.responses.retrieve(response.id, stream=True))
        assert events[-1].type == "response.failed"
        assert [event.sequence_number for event in events] == list(range(len(events)))
    upstream.close()


def test_a_refusal_of_the_upstream_is_a_failed_response(sdk: openai.OpenAI, stage: Stage) -> None:
    stage.play(lambda exchange: exchange.reply(429, {"error": {"message": "Too many."}}))
    response = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
    failed: Any = wait_for(
        lambda: (now := sdk.responses.retrieve(response.id)).status == "failed" and now,
        seconds=20.0,
    )
    assert failed.error.code == "rate_limit_exceeded" and "Too many." in failed.error.message


def test_what_cannot_be_resumed_or_cancelled_says_so(sdk: openai.OpenAI, stage: Stage) -> None:
    plain = sdk.responses.create(model="gpt-4o-mini", input="Hi")
    lost = sdk.responses.create(model="gpt-4o-mini", input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(lost.id, stream=True)
    done = sdk.responses.create(model="gpt-4o-mini", input="Hi", background=True)
    wait_for(lambda: sdk.responses.retrieve(done.id).status == "completed")
    last = list(sdk.responses.retrieve(done.id, stream=True))[-1].sequence_number
    assert not list(sdk.responses.retrieve(done.id, stream=True, starting_after=last))
    cases: dict[str, Callable[[], object]] = {
        "stream": lambda: sdk.responses.retrieve(plain.id, stream=True),
        "response_id": lambda: sdk.responses.cancel(plain.id),
        "starting_after": lambda: sdk.responses.retrieve(
            done.id, stream=True, starting_after=last + 1
        ),
        "background": lambda: sdk.responses.create(input="Hi", background=True, store=False),
    }
    for param, call in cases.items():
        with pytest.raises(openai.BadRequestError) as caught:
            call()
        assert caught.value.param == param


def test_a_worker_that_leaves_lets_it_end_or_fails_it(tmp_path: Path) -> None:
    """At SIGTERM, within GRACEFUL_TIMEOUT; another worker tells of both."""
    upstream = ScriptedUpstream()
    helds: dict[str, Held] = {"ends": Held(), "hangs": Held()}
    upstream.script = lambda exchange: helds[exchange.json["messages"][-1]["content"]](exchange)
    environment = {
        "OPENAI_BASE_URL": upstream.url,
        "WEB_CONCURRENCY": "1",
        "GRACEFUL_TIMEOUT": "4",
    }
    with gunicorn(tmp_path, **environment) as server:
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as sdk:
            ids = {
                asked: sdk.responses.create(model="gpt-4o", input=asked, background=True).id
                for asked in helds
            }
        wait_for(lambda: len(upstream.exchanges) == 2)
        helds["hangs"].go.release(1)
        server.process.send_signal(signal.SIGTERM)
        helds["ends"].finish()
        assert server.process.wait(20) == 0
    with (
        gunicorn(tmp_path, **environment) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as sdk,
    ):
        assert sdk.responses.retrieve(ids["ends"]).status == "completed"
        failed = sdk.responses.retrieve(ids["hangs"])
        assert failed.status == "failed" and failed.output_text == "0 "
        events = list(sdk.responses.retrieve(failed.id, stream=True))
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[-1].type == "response.failed"
    upstream.close()
