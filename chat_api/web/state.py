"""The request at hand: itself, and what is known of it beside.

Flask's `request` and `g` are proxies that look their object up at each attribute, which takes half
a microsecond each time. What every request runs asks once, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import flask
from flask import Request

from chat_api.services.clients import CallRecord


class Closable(Protocol):
    """A stream."""

    def close(self) -> None:
        """End it; again does nothing."""


@dataclass(slots=True)
class RequestState:
    """What is known of a request. `started` is a moment of `time.monotonic()`."""

    request_id: str
    started: float
    record: CallRecord
    leaves_body: bool = True
    """Whether a body came, or may come, that nobody reads."""
    owner: str = ""
    """As `Client.owner`."""
    key_is_ours: bool = False
    """Whether the Bearer value is a key of this server's."""
    stream: Closable | None = None
    """What the reply is made of, where it is a stream."""


def begin(state: RequestState) -> None:
    """Keep that state until the request is over."""
    flask.g.state = state


def state() -> RequestState:
    """What is known of the request at hand."""
    return cast(RequestState, flask.g._get_current_object().state)


def request() -> Request:
    """The request at hand, without its proxy."""
    found: Request = flask.request._get_current_object()  # type: ignore[attr-defined]
    return found
