"""What rate limits count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "limit_entries",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Double, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_limit_entries_expires_at", "limit_entries", ["expires_at"])
