"""How Alembic runs here: on the connection that `upgrade` was given, in its transaction."""

from __future__ import annotations

from alembic import context

from chat_api.stores.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
