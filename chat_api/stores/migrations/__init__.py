"""Alembic's migrations, numbered. A released one is never edited; a new one may only add, since
workers of the version before go on using the tables while a new version starts.

`sql.py` loads this module when a database needs it, and never else.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest version, inside the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
