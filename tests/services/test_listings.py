"""What an upstream lists: asked seldom, and by one caller at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

from pytest_mock import MockerFixture

from chat_api.errors import UpstreamTimeout
from chat_api.services.listings import MOST_LISTED, Listing
from chat_api.upstreams.base import JsonObject
from tests.fakes import FakeUpstream, listed


class SlowUpstream(FakeUpstream):
    """Lists its models when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.go_on = threading.Event()

    def models(self) -> list[JsonObject]:
        self.is_asked.set()
        assert self.go_on.wait(5)
        return super().models()


def test_who_asks_while_the_first_list_is_on_its_way_waits_for_it() -> None:
    upstream = SlowUpstream()
    upstream.listing = listed("gpt-4")
    listing = Listing(upstream)
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(listing.has, "gpt-4") for _ in range(3)]
        assert upstream.is_asked.wait(5)
        assert not wait(found, timeout=0.1).done, "they wait"
        upstream.go_on.set()
        assert [answer.result() for answer in found] == [True] * 3
    assert upstream.listed == 1


def test_of_an_endless_list_the_first_models_are_known() -> None:
    upstream = FakeUpstream()
    upstream.listing = listed(*(f"m{number}" for number in range(MOST_LISTED + 5)))
    listing = Listing(upstream)
    assert len(listing.models()) == MOST_LISTED
    assert listing.had("m0") and not listing.had(f"m{MOST_LISTED}")


def test_later_lists_are_asked_for_on_the_side(mocker: MockerFixture) -> None:
    upstream = SlowUpstream()
    upstream.go_on.set()
    upstream.listing = UpstreamTimeout("x")
    listing = Listing(upstream)
    assert not listing.has("gpt-4")

    upstream.listing = listed("gpt-4")
    upstream.is_asked.clear()
    upstream.go_on.clear()
    later = time.monotonic() + 400
    mocker.patch("chat_api.services.listings.time.monotonic", return_value=later)
    assert not listing.has("gpt-4")
    assert upstream.is_asked.wait(5)
    assert not listing.has("gpt-4"), "the call does with the old one"
    upstream.go_on.set()
    deadline = time.perf_counter() + 5
    while not listing.has("gpt-4"):
        assert time.perf_counter() < deadline
        time.sleep(0.01)
    assert upstream.listed == 2


def test_a_failed_list_is_not_asked_for_again_at_once(upstream: FakeUpstream) -> None:
    upstream.listing = UpstreamTimeout("x")
    listing = Listing(upstream)
    assert (listing.models(), listing.models()) == ([], [])
    assert upstream.listed == 1


def test_what_was_listed_last_is_known_without_asking(upstream: FakeUpstream) -> None:
    upstream.listing = listed("a")
    listing = Listing(upstream)
    assert not listing.had("a")
    assert listing.has("a")
    assert listing.had("a")
    assert upstream.listed == 1
