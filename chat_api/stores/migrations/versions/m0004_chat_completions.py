"""Stored chat completions, and replies kept for calls that are made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("held_until", sa.Double),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("status", sa.BigInteger),
        sa.Column("content_type", sa.Text),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index(
        "ix_idempotency_records_created_at", "idempotency_records", ["created_at", "size_bytes"]
    )
    op.create_table(
        "chat_completions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("completion_id", sa.Text, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("last_activity", sa.Double, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("asked_model", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("completion", sa.Text, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
    )
    op.create_index("ix_chat_completions_last_activity", "chat_completions", ["last_activity"])
    op.create_index(
        "ix_chat_completions_completion_id",
        "chat_completions",
        ["owner", "completion_id"],
        unique=True,
    )
    op.create_index("ix_chat_completions_stored_at", "chat_completions", ["owner", "stored_at"])
