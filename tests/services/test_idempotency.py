"""Calls under a key: made once, joined, told again, and never made twice in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chat_api.errors import (
    CallerGone,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    StoreUnavailable,
    UpstreamFailed,
)
from chat_api.services.idempotency import Idempotency, Work
from chat_api.stores.base import Claim, KeptReply, ReplyBounds
from chat_api.stores.idempotency import SqlIdempotencyStore
from chat_api.upstreams.waiting import Caller
from chat_api.wiring import Services

REPLY = (200, "application/json", b"{}")


class FailingStore(SqlIdempotencyStore):
    """A store whose methods fail while they are named in `failing`."""

    failing: set[str]

    def __init__(self, services: Services) -> None:
        super().__init__(services.database, ReplyBounds())
        self.failing = set()
        self.renewed = threading.Event()

    def claim(self, key: str, fingerprint: str, holder: str) -> Claim:
        self._fail("claim")
        return super().claim(key, fingerprint, holder)

    def renew(self, key: str, holder: str) -> None:
        self._fail("renew")
        super().renew(key, holder)
        self.renewed.set()

    def finish(self, key: str, holder: str, reply: KeptReply) -> None:
        self._fail("finish")
        super().finish(key, holder, reply)

    def release(self, key: str, holder: str) -> None:
        self._fail("release")
        super().release(key, holder)

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise StoreUnavailable


@pytest.fixture
def store(services: Services, tmp_path: object) -> FailingStore:
    return FailingStore(services)


def worker(store: FailingStore) -> Idempotency:
    """A process of its own over the same store."""
    return Idempotency(store, beat_seconds=0.02)


class Joining(Caller):
    """A caller of whom one knows that it waits for another's call."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def wait(self, seconds: float, *others: object) -> int:
        self.waits.set()
        threading.Event().wait(seconds)
        return 0


def never() -> tuple[int, str, bytes]:
    raise AssertionError("the call was made twice")


def once(idempotency: Idempotency, work: Work, fingerprint: str = "f") -> tuple[KeptReply, bool]:
    return idempotency.once("k", fingerprint, work, Caller())


class Held:
    """A call that goes on until it is told to end, in a thread of its own."""

    def __init__(self, idempotency: Idempotency, end: Callable[[], object] = lambda: None) -> None:
        self.began, self.release = threading.Event(), threading.Event()
        self.result: object = None
        self._end = end
        self._thread = threading.Thread(target=self._run, args=(idempotency,))
        self._thread.start()

    def _run(self, idempotency: Idempotency) -> None:
        try:
            self.result = once(idempotency, self._work)
        except Exception as error:
            self.result = error

    def _work(self) -> tuple[int, str, bytes]:
        self.began.set()
        self.release.wait(10)
        self._end()
        return REPLY

    def begun(self) -> Held:
        """Itself, once the call is under way."""
        assert self.began.wait(10)
        return self

    def ended(self) -> object:
        self.release.set()
        self._thread.join(10)
        return self.result


def test_a_call_is_made_once_and_told_again_anywhere(store: FailingStore) -> None:
    first = worker(store)
    assert once(first, lambda: REPLY) == (REPLY, False)
    assert once(first, never) == (REPLY, True)
    assert once(worker(store), never) == (REPLY, True)


def test_another_request_under_the_key_is_refused(store: FailingStore) -> None:
    first = worker(store)
    once(first, lambda: REPLY)
    for each in (first, worker(store)):
        with pytest.raises(IdempotencyKeyReused):
            once(each, never, "other")


def test_a_call_under_way_is_joined_here_and_refused_elsewhere(store: FailingStore) -> None:
    here = worker(store)
    held = Held(here).begun()
    with pytest.raises(IdempotencyKeyInUse):
        once(worker(store), never)
    with pytest.raises(IdempotencyKeyReused):
        once(here, never, "other")
    joined = Held(here)  # never begins: waits for the other
    assert held.ended() == (REPLY, False)
    assert joined.ended() == (REPLY, True)
    assert not joined.began.is_set()


def test_those_who_joined_hear_of_the_failure_and_it_is_not_kept(store: FailingStore) -> None:
    def fail() -> None:
        raise UpstreamFailed("x")

    here = worker(store)
    held, joining = Held(here, fail).begun(), Joining()
    found: list[BaseException] = []

    def join() -> None:
        with pytest.raises(UpstreamFailed) as caught:
            here.once("k", "f", never, joining)
        found.append(caught.value)

    joined = threading.Thread(target=join)
    joined.start()
    assert joining.waits.wait(10)
    assert isinstance(held.ended(), UpstreamFailed)
    joined.join(10)
    assert len(found) == 1
    assert once(worker(store), lambda: REPLY) == (REPLY, False)


def test_when_the_first_leaves_one_who_joined_makes_the_call(store: FailingStore) -> None:
    def leave() -> None:
        raise CallerGone("x")

    here = worker(store)
    held, joining = Held(here, leave).begun(), Joining()
    found: list[object] = []
    joined = threading.Thread(
        target=lambda: found.append(here.once("k", "f", lambda: REPLY, joining))
    )
    joined.start()
    assert joining.waits.wait(10)
    assert isinstance(held.ended(), CallerGone)
    joined.join(10)
    assert found == [(REPLY, False)]


def test_one_who_joined_may_leave(store: FailingStore) -> None:
    class Leaving(Caller):
        def wait(self, *_: object) -> int:
            raise CallerGone("x")

    here = worker(store)
    held = Held(here).begun()
    with pytest.raises(CallerGone):
        here.once("k", "f", never, Leaving())
    assert held.ended() == (REPLY, False)


@pytest.mark.parametrize("status", [429, 500, 401])
def test_what_may_come_out_otherwise_is_not_kept(store: FailingStore, status: int) -> None:
    here = worker(store)
    once(here, lambda: (status, "application/json", b"{}"))
    assert once(here, lambda: REPLY) == (REPLY, False)


@pytest.mark.parametrize("status", [201, 400, 404, 422])
def test_what_will_come_out_the_same_is_kept(store: FailingStore, status: int) -> None:
    once(worker(store), lambda: (status, "application/json", b"{}"))
    assert once(worker(store), never)[0].status == status


def test_without_the_store_no_call_is_made(store: FailingStore) -> None:
    store.failing = {"claim"}
    here = worker(store)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            once(here, never)
    store.failing = set()
    assert once(here, lambda: REPLY) == (REPLY, False)


def test_a_reply_that_the_store_does_not_take_is_kept_here_until_it_does(
    store: FailingStore,
) -> None:
    here = worker(store)
    store.failing = {"finish", "renew"}
    assert once(here, lambda: REPLY) == (REPLY, False)
    assert once(here, never) == (REPLY, True)
    with pytest.raises(IdempotencyKeyInUse):
        once(worker(store), never)
    store.failing = set()
    assert store.renewed.wait(10)
    elsewhere = worker(store)
    for _ in range(200):
        try:
            assert once(elsewhere, never) == (REPLY, True)
            break
        except IdempotencyKeyInUse:
            threading.Event().wait(0.02)
    else:
        raise AssertionError("the store never got the reply")


@pytest.mark.parametrize("most", [{"most_unsettled": 2}, {"most_unsettled_bytes": 6}])
def test_of_many_that_the_store_does_not_take_the_oldest_is_given_up(
    store: FailingStore, most: dict[str, int]
) -> None:
    here = Idempotency(store, **most)
    store.failing = {"finish", "renew"}
    for key in ("oldest", "newer", "newest"):
        here.once(key, "f", lambda: (200, "application/json", b"{ }"), Caller())
    for key in ("newer", "newest"):
        assert here.once(key, "f", never, Caller())[1], "it is still here"
    with pytest.raises(IdempotencyKeyInUse):
        here.once("oldest", "f", never, Caller())


def test_one_given_up_while_the_store_is_tried_again_takes_no_room_from_others(
    services: Services,
) -> None:
    tried, goes_on = threading.Event(), threading.Event()
    tries: list[str] = []

    class SlowStore(FailingStore):
        def finish(self, key: str, holder: str, reply: KeptReply) -> None:
            tries.append(key)
            if tries == ["first", "first"]:
                tried.set()
                goes_on.wait(10)
            super().finish(key, holder, reply)

    store = SlowStore(services)
    store.failing = {"finish"}
    here = Idempotency(store, beat_seconds=0.02, most_unsettled=1)
    before = set(threading.enumerate())
    here.once("first", "f", lambda: REPLY, Caller())
    [holding] = [it for it in set(threading.enumerate()) - before if "_hold" in it.name]
    assert tried.wait(10)
    here.once("second", "f", lambda: REPLY, Caller())
    goes_on.set()
    holding.join(10)
    assert here.once("second", "f", never, Caller()) == (REPLY, True), "it is still here"
    store.failing = set()
    for it in set(threading.enumerate()) - before:
        if "_hold" in it.name:
            it.join(10)


def test_a_call_that_lasts_says_that_it_lives(store: FailingStore) -> None:
    held = Held(worker(store)).begun()
    assert store.renewed.wait(10)
    assert held.ended() == (REPLY, False)
