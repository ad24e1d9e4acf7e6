"""The keys of this server, and the guard table: which endpoint is open to whom."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping

from flask import Flask

from chat_api.errors import KeyMissing
from chat_api.web.state import request, state

Guard = Callable[[], None]
GUARDS = "chat_api.guards"


class Keys:
    """The keys that open this server; none at all leaves it open to everybody."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = [key.encode() for key in keys]
        # What a key made belongs to it by this: whoever reads the store learns no key from it.
        self._owners = [hashlib.sha256(b"chat_api " + key).hexdigest() for key in self._keys]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def match(self, given: str) -> str:
        """The owner that a header's value stands for when it is one of the keys, else "".

        Compared as bytes, since `compare_digest` refuses text beyond ASCII, and against every
        key, so that the time says nothing.
        """
        candidate = given.encode("latin-1", "replace")  # as WSGI decoded the header
        found = ""
        for key, owner in zip(self._keys, self._owners, strict=True):
            if hmac.compare_digest(candidate, key):
                found = owner
        return found


INCORRECT = "Incorrect API key provided."
"""OpenAI's words. By these LiteLLM and others know a wrong key from a bad request."""
WANTED = (
    "This server wants a key: send one of its own as `x-api-key`, or as `Authorization: Bearer`."
)


def allow_anyone() -> None:
    """The guard of public endpoints."""


def require_key(keys: Keys) -> Guard:
    """The guard of all others: `x-api-key`, or `Authorization: Bearer`."""

    def guard() -> None:
        if not keys:
            return
        here, environ = state(), request().environ
        bearer = environ.get("HTTP_AUTHORIZATION", "")
        # Not all white space: as Latin-1, the last byte of an "à" in UTF-8 is a space.
        bearer = bearer[7:].strip(" \t") if bearer[:7].lower() == "bearer " else ""
        bearers = keys.match(bearer)
        here.key_is_ours = bool(bearers)
        given = environ.get("HTTP_X_API_KEY", "")
        here.owner = keys.match(given) or bearers
        if here.owner:
            return
        raise KeyMissing(f"{INCORRECT} {WANTED}" if given or bearer else WANTED)

    return guard


def init_app(app: Flask, guards: Mapping[str, Guard], default: Guard) -> None:
    """Guard every endpoint; one that the table does not name gets `default`.

    Args:
        guards: by endpoint, as Flask names it (`blueprint.view`).
    """

    def check() -> None:
        # No endpoint: a 404 or 405, which says no more than the documentation does.
        # OPTIONS: preflights carry no keys (Fetch standard, 4.8).
        asked = request()
        endpoint = asked.endpoint
        if endpoint is not None and asked.method != "OPTIONS":
            guards.get(endpoint, default)()

    app.extensions[GUARDS] = guards
    app.before_request(check)


def is_public(app: Flask, endpoint: str) -> bool:
    """Whether an endpoint is open to anyone."""
    return app.extensions[GUARDS].get(endpoint) is allow_anyone
