"""The tables as the newest migration leaves them, and as a new database gets them at once. They
change by migrations only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

NEWEST = "0004"
"""The newest migration. Known here, so that only a start that has something to migrate loads
Alembic: 150 ms and 11 MB."""

metadata = MetaData()

versions = Table(
    "alembic_version",
    MetaData(),  # Alembic's own table, made as it makes it: no migration is about it
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    # JSON text, here and below: PostgreSQL takes no NUL character in a text as it is.
    Column("developer_message", Text, nullable=False),
    # UTC epoch seconds.
    Column("created_at", Double, nullable=False),
    Column("last_activity", Double, nullable=False, index=True),
    # What the session holds now, so that an append need not count.
    Column("message_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Messages ever stored: the position of the newest one.
    Column("last_position", BigInteger, nullable=False),
)

session_messages = Table(
    "session_messages",
    metadata,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    # The position of the first message that was stored together with this one.
    Column("exchange", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
)

# One row for each call that counts towards a rate limit, until it has left its window.
limit_entries = Table(
    "limit_entries",
    metadata,
    # Whose call, and which limit; of keys and addresses a hash.
    Column("key", Text, primary_key=True),
    # UTC epoch seconds.
    Column("expires_at", Double, primary_key=True, index=True),
    # Ascending within a key, without gaps: two of them say how many rows lie between.
    Column("number", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("body", Text, nullable=False),
    # No foreign keys: what they name may go before them.
    Column("previous_id", Text),
    Column("conversation_id", Text),
    Column("is_background", Boolean, nullable=False),
    # UTC epoch seconds.
    Column("last_activity", Double, nullable=False, index=True),
    # When its worker last said that it lives; null once it has ended.
    Column("beat_at", Double, index=True),
    # What its items come to, so that a long history is known before it is read.
    Column("item_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
)

# What the followers of a response that runs in the background are told.
response_events = Table(
    "response_events",
    metadata,
    Column("response_id", Text, ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence_number", BigInteger, primary_key=True),
    Column("event", Text, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    # UTC epoch seconds.
    Column("created_at", Double, nullable=False),
    Column("last_activity", Double, nullable=False, index=True),
    Column("item_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Items ever stored: the position of the newest one.
    Column("last_position", BigInteger, nullable=False),
)


def _items(name: str, container: str, *more: Column[Any]) -> Table:
    """Items of a kind of container, from position 1 on."""
    whose = ForeignKey(f"{container}.id", ondelete="CASCADE")
    return Table(
        name,
        metadata,
        Column("container_id", Text, whose, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        # A digest of the item's id: callers may bring ids, of any length and with a NUL in them.
        Column("item_key", Text, nullable=False),
        Column("created_at", Double, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("item", Text, nullable=False),
        *more,
        Index(f"ix_{name}_item_key", "item_key", "created_at"),
    )


response_items = _items("response_items", "responses", Column("is_output", Boolean, nullable=False))
conversation_items = _items("conversation_items", "conversations")

# Calls that their callers may make again: who holds one now, or what it was answered.
idempotency_records = Table(
    "idempotency_records",
    metadata,
    # A hash of the caller, the route and the key that the caller gave the call.
    Column("key", Text, primary_key=True),
    # A hash of the request.
    Column("fingerprint", Text, nullable=False),
    Column("holder", Text, nullable=False),
    # UTC epoch seconds, both. The second is null when the call has ended.
    Column("created_at", Double, nullable=False),
    Column("held_until", Double),
    Column("size_bytes", BigInteger, nullable=False),
    Column("status", BigInteger),
    Column("content_type", Text),
    Column("body", LargeBinary),
    # The sum of all sizes is read from it alone.
    Index("ix_idempotency_records_created_at", "created_at", "size_bytes"),
)

# Chat completions that were asked for with `store`.
chat_completions = Table(
    "chat_completions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    # The upstream's own, so it is one of its kind for one owner only, and the last one counts.
    Column("completion_id", Text, nullable=False),
    # UTC epoch seconds, both.
    Column("stored_at", Double, nullable=False),
    Column("last_activity", Double, nullable=False, index=True),
    # JSON text, all of them. The second name is the one that was asked for.
    Column("model", Text, nullable=False),
    Column("asked_model", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("messages", Text, nullable=False),
    Index("ix_chat_completions_completion_id", "owner", "completion_id", unique=True),
    Index("ix_chat_completions_stored_at", "owner", "stored_at"),
)
