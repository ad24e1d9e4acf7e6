"""The tables as the newest migration leaves them. They change by migrations only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

NEWEST = "0004"
"""The newest migration. Known here, so that a start that has nothing to migrate need not load
Alembic: 150 ms and 11 MB."""

metadata = MetaData()

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
    Column("owner", Text, primary_key=True),
    # The upstream's own, so it need not be the only one of its kind.
    Column("id", Text, primary_key=True),
    # UTC epoch seconds.
    Column("stored_at", Double, nullable=False, index=True),
    # JSON text, all of them. The second name is the one that was asked for.
    Column("model", Text, nullable=False),
    Column("asked_model", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("messages", Text, nullable=False),
)
