"""What each upstream says it offers."""

from __future__ import annotations

import threading
import time

from chat_api.errors import UpstreamError
from chat_api.upstreams.base import JsonObject, Upstream

LISTING_SECONDS = 300.0
FAILED_LISTING_SECONDS = 15.0
MOST_LISTED = 10_000
"""Models of one upstream that are known; the text of its list is bounded where it is read."""
MOST_WAITED_SECONDS = 5.0
"""For another call's asking; then the call goes on without a list."""


class Listing:
    """The models that one upstream lists, asked for every five minutes at most. One that cannot
    be asked offers nothing that we know of, which is no reason to fail: it is asked again soon."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._models: list[JsonObject] = []
        self._names: frozenset[str] = frozenset()
        self._was_asked = False
        self._until = 0.0
        self._asking = threading.Lock()

    def models(self) -> list[JsonObject]:
        """OpenAI's model objects. The first list of all is waited for; later ones are asked for
        on the side, so that no call pays for them."""
        if time.monotonic() < self._until:
            return self._models
        if not self._was_asked:
            self._ask_once(MOST_WAITED_SECONDS)
        elif not self._asking.locked():
            threading.Thread(target=self._ask_once, args=(0.0,), daemon=True).start()
        return self._models

    def has(self, name: str) -> bool:
        """Whether the upstream lists that name, or what callers may shorten to it."""
        self.models()
        return self.had(name)

    def had(self, name: str) -> bool:
        """As `has`, by the last list there was. Asks nobody."""
        return name in self._names or name + self._upstream.implied_suffix in self._names

    def _ask_once(self, patience_seconds: float) -> None:
        """Of many callers at once one asks; the others wait for it, if they are to."""
        if not self._asking.acquire(timeout=patience_seconds):
            return
        try:
            if time.monotonic() >= self._until:
                self._ask()
        finally:
            self._asking.release()

    def _ask(self) -> None:
        kept_seconds = LISTING_SECONDS
        try:
            self._models = self._upstream.models()[:MOST_LISTED]
            self._names = frozenset(model["id"] for model in self._models)
        except UpstreamError:
            kept_seconds = FAILED_LISTING_SECONDS
        self._was_asked = True
        self._until = time.monotonic() + kept_seconds
