"""What every store promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Message = dict[str, Any]
Exchange = list[Message]
"""Messages that were stored together and go together: a question and its answer."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept.

    A session is gone after `ttl_seconds` without activity. Above `most_sessions` those with the
    oldest activity go; above `most_messages` or `most_bytes` a session drops its oldest
    exchanges, but never the newest one.
    """

    ttl_seconds: float
    most_sessions: int
    most_messages: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation. Times are UTC epoch seconds."""

    id: str
    developer_message: str | None
    created_at: float
    last_activity: float
    exchanges: list[Exchange] = field(default_factory=list)
    """Oldest first."""

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return [message for exchange in self.exchanges for message in exchange]


class SessionStore(Protocol):
    """Conversations. `owner` stands for the key that made a session ("" where the server is open
    to all): with another owner a session is as good as not there.

    What a method returned has been committed: it survives the death of this process. Every
    method raises `StoreUnavailable` when the store cannot be used, and has then changed nothing
    that it acknowledged.
    """

    def create(self, session_id: str, owner: str, developer_message: str | None) -> Session:
        """Make a session. Makes room first: expired sessions and those above the bound go."""

    def get(self, session_id: str, owner: str) -> Session | None:
        """The session with all its messages; None when there is none."""

    def append(self, session_id: str, owner: str, exchange: Exchange) -> bool:
        """Store all messages of an exchange, or none of them. Exchanges that are appended at the
        same time all stay, one behind the other.

        Returns:
            False when there is no such session (any more): then nothing is stored.
        """

    def set_developer_message(
        self, session_id: str, owner: str, developer_message: str | None
    ) -> bool:
        """Replace the developer message; None for none. The last activity stays as it is.

        Returns:
            False when there is no such session.
        """

    def truncate(self, session_id: str, owner: str, index: int) -> int | None:
        """Drop the exchange that message `index` is in (0 is the oldest message), and all behind
        it. Where there is no such message nothing is dropped.

        Returns:
            How many messages are left; None when there is no such session.
        """

    def delete(self, session_id: str, owner: str) -> bool:
        """Remove a session and its messages.

        Returns:
            False when there is none.
        """

    def count(self) -> int:
        """How many sessions there are, of all owners, expired ones left out."""


class KeptReply(NamedTuple):
    """What a call was answered."""

    status: int
    content_type: str
    body: bytes


class Claim(NamedTuple):
    """What became of the wish to make a call."""

    is_ours: bool
    """Nobody else has made it: the record is held for whoever asked, and the rest says nothing."""
    fingerprint: str
    """Of the request that the record is of."""
    reply: KeptReply | None
    """None where that call has not ended."""


@dataclass(frozen=True, slots=True)
class ReplyBounds:
    """How much is kept for calls that are made again: replies for `ttl_seconds`; above
    `most_records`, or `most_bytes` of bodies, the oldest go. A body above `most_bytes_each` is not
    kept. A record is held for `lease_seconds` unless it is renewed."""

    ttl_seconds: float = 86_400.0
    most_records: int = 100_000
    most_bytes: int = 268_435_456
    most_bytes_each: int = 8_388_608
    lease_seconds: float = 30.0


class IdempotencyStore(Protocol):
    """Replies by the key that their caller gave the call. `key` stands for all that it is scoped
    to, `fingerprint` for the request, `holder` for one try of one process.

    Every method raises `StoreUnavailable` when the store cannot be used.
    """

    def claim(self, key: str, fingerprint: str, holder: str) -> Claim:
        """Hold the key for a call, unless one holds it or has ended under it. However many ask at
        the same time, it is for one of them. Makes room first."""

    def renew(self, key: str, holder: str) -> None:
        """Hold it for another lease. Without that it is free after the first: its process died."""

    def finish(self, key: str, holder: str, reply: KeptReply) -> None:
        """Keep the reply. Nothing happens where the holder holds it no longer."""

    def release(self, key: str, holder: str) -> None:
        """Let it go, as if nothing had been asked. Nothing happens where it is held no longer."""


class Window(NamedTuple):
    """What a key's moving window holds, as one look at it saw it."""

    granted: int
    """How many of the entries that were asked for there was room for; `used` counts them."""
    used: int
    room_in: float
    """Seconds until the oldest entry leaves; 0 where there is none."""


class LimitStore(Protocol):
    """Counts calls in moving windows, exactly: however many processes and machines ask at the same
    time, there are never more than `limit` entries of a key in any `seconds`."""

    name: str
    """What it is, in a word."""

    def window(self, key: str, limit: int, seconds: int, amount: int) -> Window:
        """Add `amount` entries to the key's window, or as many of them as there is room for;
        with 0, only look at it.

        Raises:
            StoreUnavailable: nothing can be said. Something may have been counted.
        """

    def warm_up(self) -> None:
        """Open it before anybody asks. A failure shows in the calls that follow."""

    def close(self) -> None:
        """Close all connections. The next call opens new ones."""
