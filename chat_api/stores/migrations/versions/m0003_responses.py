"""Responses, conversations, their items, and the events of what runs in the background."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "responses",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous_id", sa.Text),
        sa.Column("conversation_id", sa.Text),
        sa.Column("is_background", sa.Boolean, nullable=False),
        sa.Column("last_activity", sa.Double, nullable=False),
        sa.Column("beat_at", sa.Double),
        sa.Column("item_count", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_responses_last_activity", "responses", ["last_activity"])
    op.create_index("ix_responses_beat_at", "responses", ["beat_at"])
    op.create_table(
        "response_events",
        sa.Column(
            "response_id",
            sa.Text,
            sa.ForeignKey("responses.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("sequence_number", sa.BigInteger, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("last_activity", sa.Double, nullable=False),
        sa.Column("item_count", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("last_position", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_conversations_last_activity", "conversations", ["last_activity"])
    _create_items("response_items", "responses", sa.Column("is_output", sa.Boolean, nullable=False))
    _create_items("conversation_items", "conversations")


def _create_items(name: str, container: str, *more: sa.Column[Any]) -> None:
    whose = sa.ForeignKey(f"{container}.id", ondelete="CASCADE")
    op.create_table(
        name,
        sa.Column("container_id", sa.Text, whose, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("item_key", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        *more,
    )
    op.create_index(f"ix_{name}_item_key", name, ["item_key", "created_at"])
