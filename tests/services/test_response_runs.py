"""The runs of a worker: who tells that they live, and what becomes of them when it leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from pytest_mock import MockerFixture

from chat_api.errors import CallerGone, ModelNotFound, Overloaded, StoreUnavailable
from chat_api.services.clients import Client
from chat_api.services.response_runs import BackgroundRuns
from chat_api.services.response_turns import Turns
from chat_api.services.responses import ResponseService
from chat_api.settings import Settings
from chat_api.stores.response_base import JsonObject, ResponseBounds, ResponseRow
from chat_api.stores.responses import SqlResponseStore
from chat_api.wiring import Services
from tests.fakes import FakeUpstream, chunk, chunks
from tests.integration.wire import wait_for

BEAT_SECONDS = 0.3
HOUR = 3600.0


class WatchedStore(SqlResponseStore):
    """A store that knows who has beaten and how many runs began, and refuses to begin one or fails
    in `finish` when it is told to."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.time) -> None:
        super().__init__(services.database, ResponseBounds(HOUR, 100), clock)
        self.beats: list[int] = []
        """Of each the thread that made it."""
        self.begun = 0
        self.refuses = False
        self.fails = False

    def begin(self, row: ResponseRow, events: Sequence[JsonObject] = ()) -> None:
        if self.refuses:
            raise StoreUnavailable
        self.begun += 1
        super().begin(row, events)

    def beat(self, response_ids: Sequence[str]) -> set[str]:
        self.beats.append(threading.get_ident())
        return super().beat(response_ids)

    def finish(self, response_id: str, body: JsonObject, events: Sequence[JsonObject] = ()) -> bool:
        if self.fails:
            raise StoreUnavailable
        return super().finish(response_id, body, events)


class Worker:
    """A worker over that store."""

    def __init__(self, services: Services, store: WatchedStore) -> None:
        gateway = services.gateway
        turns = Turns(gateway, store, services.conversations, services.sessions)
        self.runs = BackgroundRuns(
            gateway, turns, store, heartbeat_seconds=0, beat_seconds=BEAT_SECONDS
        )
        self._responses = ResponseService(gateway, turns, self.runs, store)

    def create(self, **more: Any) -> str:
        request = {"input": "Hi", "background": True, **more}
        return str(self._responses.create(request, Client(), is_kept=True)["id"])

    def wait(self, response_id: str) -> None:
        """Until it has ended."""
        while self._responses.retrieve(response_id, Client())["status"] == "in_progress":
            time.sleep(0.005)

    def events(self, response_id: str) -> list[JsonObject]:
        """All its events, once it has ended."""
        events = self._responses.replay(response_id, {"include_obfuscation": True}, Client())
        return [event for batch in events for event in batch]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, max_streams=2, allowed_models=("gpt-4o*",))


@pytest.fixture
def store(services: Services) -> WatchedStore:
    return WatchedStore(services)


@pytest.fixture
def worker(services: Services, store: WatchedStore) -> Worker:
    return Worker(services, store)


@pytest.fixture
def beside(services: Services, upstream: FakeUpstream) -> Iterator[None]:
    """One call, and room for one more. When the test is over just that call is counted: a run makes
    room once, whatever became of it."""
    upstream.enqueue([chunk({"content": "Hel"}), 5.0])
    with contextlib.closing(services.gateway.stream({"messages": []}, Client())):
        yield
        wait_for(lambda: services.gateway.admissions.in_flight <= 1)
        time.sleep(0.02)  # for a second release
        assert services.gateway.admissions.in_flight == 1


def test_of_many_runs_one_after_the_other_a_single_thread_tells_that_they_live(
    worker: Worker, services: Services, store: WatchedStore, upstream: FakeUpstream
) -> None:
    """One of them is under way all the time: without any the thread may end, and begin anew."""
    goes_on = threading.Event()
    upstream.enqueue([goes_on, *chunks("Hello!")])
    running = worker.create()
    wait_for(lambda: upstream.streams)
    for _ in range(5):
        upstream.enqueue(chunks("Hello!"))
        worker.wait(worker.create())
        wait_for(lambda: services.gateway.admissions.in_flight == 1)
    before = len(store.beats)
    wait_for(lambda: len(store.beats) >= before + 3)
    goes_on.set()
    worker.wait(running)
    worker.runs.end(10.0)
    assert len(set(store.beats)) == 1


def test_a_worker_that_leaves_without_its_store_leaves_without_a_word(
    worker: Worker, store: WatchedStore, upstream: FakeUpstream
) -> None:
    """What a thread raises would be printed, with what is in it; here it is an error."""
    upstream.enqueue([0.2, CallerGone("x")])
    worker.create()
    store.fails = True
    worker.runs.end(0.0)


def test_those_that_died_with_a_worker_have_failed_when_another_run_begins(
    worker: Worker, store: WatchedStore, services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue(chunks("Hello!"))
    store.fails = True
    lost = worker.create()
    worker.runs.end(10.0)
    upstream.enqueue(chunks("Hello!"))
    other = Worker(services, WatchedStore(services, lambda: time.time() + HOUR))
    other.create()
    other.runs.end(10.0)
    assert (store.events(lost, "", -1, 100) or [])[-1]["type"] == "response.failed"


@pytest.mark.usefixtures("beside")
def test_a_run_beyond_max_streams_is_refused_at_once_and_not_stored(
    worker: Worker, store: WatchedStore, upstream: FakeUpstream
) -> None:
    goes_on = threading.Event()
    upstream.enqueue([goes_on, *chunks("Hello!")], chunks("again"))
    running = worker.create()
    with pytest.raises(Overloaded):
        worker.create()
    goes_on.set()
    assert store.begun == 1
    worker.wait(running)
    worker.runs.end(10.0)
    worker.wait(worker.create())
    worker.runs.end(10.0)
    assert store.begun == 2


@pytest.mark.usefixtures("beside")
def test_a_run_that_is_cancelled_makes_room(
    worker: Worker, services: Services, upstream: FakeUpstream
) -> None:
    upstream.enqueue([chunk({"content": "Hel"}), 0.3, chunk({"content": "lo!"}), 5.0])
    running = worker.create()
    wait_for(lambda: len(upstream.streams) == 2)
    assert services.gateway.admissions.in_flight == 2
    worker.runs.cancel(running, Client())
    worker.runs.end(10.0)


@pytest.mark.usefixtures("beside")
def test_a_run_that_is_not_begun_takes_no_room(worker: Worker, store: WatchedStore) -> None:
    with pytest.raises(ModelNotFound):
        worker.create(model="other")
    store.refuses = True
    with pytest.raises(StoreUnavailable):
        worker.create()


@pytest.mark.usefixtures("beside")
def test_a_run_that_comes_to_no_stream_makes_room(
    worker: Worker, services: Services, mocker: MockerFixture
) -> None:
    mocker.patch.object(services.gateway, "stream", side_effect=RuntimeError)
    worker.create()
    worker.runs.end(10.0)
