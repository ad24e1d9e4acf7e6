"""Which model answers for a name, and which names are offered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from chat_api.errors import ModelNotFound, UpstreamError
from chat_api.upstreams.base import JsonObject, Upstream

LISTING_SECONDS = 300.0
FAILED_LISTING_SECONDS = 15.0

SUCCESSORS = {
    # Shut down for good, by OpenAI's deprecation notes (the SDK's `ChatModel` repeats the dates).
    # 2024 and 2025:
    "gpt-3.5-turbo-0301": "gpt-4o-mini",
    "gpt-3.5-turbo-0613": "gpt-4o-mini",
    "gpt-3.5-turbo-16k": "gpt-4o-mini",
    "gpt-3.5-turbo-16k-0613": "gpt-4o-mini",
    "gpt-4-32k": "gpt-4o",
    "gpt-4-32k-0314": "gpt-4o",
    "gpt-4-32k-0613": "gpt-4o",
    "gpt-4-vision-preview": "gpt-4o",
    "o1-preview": "gpt-5.4",
    "o1-preview-2024-09-12": "gpt-5.4",
    "o1-mini": "gpt-5.4-mini",
    "o1-mini-2024-09-12": "gpt-5.4-mini",
    # 2026:
    "chatgpt-4o-latest": "gpt-4o",
    "gpt-3.5-turbo": "gpt-4o-mini",
    "gpt-3.5-turbo-0125": "gpt-4o-mini",
    "gpt-3.5-turbo-1106": "gpt-4o-mini",
    "gpt-4": "gpt-4o",
    "gpt-4-0125-preview": "gpt-4o",
    "gpt-4-0314": "gpt-4o",
    "gpt-4-0613": "gpt-4o",
    "gpt-4-1106-preview": "gpt-4o",
    "gpt-4-turbo": "gpt-4o",
    "gpt-4-turbo-2024-04-09": "gpt-4o",
    "gpt-4-turbo-preview": "gpt-4o",
    "gpt-4.1-nano": "gpt-4.1-mini",
    "gpt-4.1-nano-2025-04-14": "gpt-4.1-mini",
    "gpt-4o-2024-05-13": "gpt-4o",
    "o1": "gpt-5.4",
    "o1-2024-12-17": "gpt-5.4",
    "o3-mini": "gpt-5.4-mini",
    "o3-mini-2025-01-31": "gpt-5.4-mini",
    "o4-mini": "gpt-5.4-mini",
    "o4-mini-2025-04-16": "gpt-5.4-mini",
}
"""Retired names and the models that answer for them. No clock: a name is put in here when it
is gone. Not applied where the upstream lists the name itself."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The upstream and the model that answer; `alias` is the name asked for, where it differs."""

    upstream: Upstream
    model: str
    alias: str | None = None


class Models:
    """The names this server knows.

    `offered` is what `/models` lists, or `("live",)` for what the upstream offers;
    `allowed` are patterns in the manner of the shell.
    """

    def __init__(self, upstream: Upstream, offered: Sequence[str], allowed: Sequence[str]) -> None:
        self.upstream = upstream
        self._offered = tuple(offered)
        self._allowed = tuple(allowed)
        self._listing: list[JsonObject] = []
        self._listed_until = 0.0
        self._asking = threading.Lock()

    @property
    def default(self) -> str:
        """What a request without `model` gets."""
        return self.upstream.default_model

    def choose(self, name: str | None) -> Choice:
        """Who answers for a name.

        Raises:
            ModelNotFound: the name is not allowed.
        """
        upstream = self.upstream
        if not name or name == upstream.default_model:
            return Choice(upstream, upstream.default_model)
        model = self._stand_in(name, self._live) or name
        if not (self._is_allowed(name) or self._is_allowed(model)):
            raise ModelNotFound(f"The model `{name[:200]}` does not exist or is not allowed here.")
        return Choice(upstream, model, None if model == name else name)

    def names(self) -> list[str]:
        """What `/models` lists; the default is always among them."""
        if self._offered == ("live",):
            names = [model["id"] for model in self._live()]
        else:
            names = list(self._offered)
        return self._with_default([name for name in names if self._is_allowed(name)])

    def objects(self) -> list[JsonObject]:
        """All names as OpenAI's model objects: what the upstream offers, then what is listed."""
        found = {model["id"]: model for model in self._live() if self._is_allowed(model["id"])}
        for name in self.names():
            owner = self.upstream.name
            found.setdefault(name, {"id": name, "object": "model", "created": 0, "owned_by": owner})
        return list(found.values())

    def aliases(self) -> dict[str, str]:
        """Names that another model answers for, among those listed. Asks nobody."""
        names = [name for name in self.names() if name != self.default]
        stand_ins = {name: self._stand_in(name, lambda: self._listing) for name in names}
        return {name: model for name, model in stand_ins.items() if model}

    def retrieve(self, name: str) -> JsonObject:
        """One model object.

        Raises:
            ModelNotFound: no such name.
        """
        objects = {model["id"]: model for model in self.objects()}
        for known in (name, name + self.upstream.implied_suffix):
            if known in objects:
                return objects[known]
        raise ModelNotFound(f"The model `{name[:200]}` does not exist.")

    def _with_default(self, names: list[str]) -> list[str]:
        return names if self.default in names else [*names, self.default]

    def _is_allowed(self, name: str) -> bool:
        return name == self.default or any(fnmatchcase(name, rule) for rule in self._allowed)

    def _stand_in(self, name: str, listing: Callable[[], list[JsonObject]]) -> str | None:
        """The model that answers in place of a name, None where the name stands for itself.

        Args:
            listing: what the upstream lists; not asked for where it does not matter.
        """
        rules = self.upstream.answers_for
        if "*" in rules:
            return self.default
        if any(fnmatchcase(name, rule) for rule in rules):
            model = self.default
        elif name in SUCCESSORS:
            model = SUCCESSORS[name]
        else:
            return None
        own = (name, name + self.upstream.implied_suffix)
        return None if any(listed["id"] in own for listed in listing()) else model

    def _live(self) -> list[JsonObject]:
        """What the upstream says it offers, asked every five minutes at most. One that cannot be
        asked offers nothing that we know of, which is no reason to fail: it is asked again soon."""
        # Of many callers at once one asks; the others wait for the first list, and do with the
        # old one while a new one is asked for.
        if time.monotonic() >= self._listed_until and self._asking.acquire(not self._listing):
            try:
                if time.monotonic() >= self._listed_until:
                    self._ask()
            finally:
                self._asking.release()
        return self._listing

    def _ask(self) -> None:
        kept_seconds = LISTING_SECONDS
        try:
            self._listing = self.upstream.models()
        except UpstreamError:
            kept_seconds = FAILED_LISTING_SECONDS
        self._listed_until = time.monotonic() + kept_seconds
