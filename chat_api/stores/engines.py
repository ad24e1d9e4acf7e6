"""SQLAlchemy engines for the two databases. Making one opens nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

WRITES = "chat_api_writes"
"""Execution option of connections that are going to write: for how many seconds they wait for
another who does. (PostgreSQL has time-outs of its own.)"""

FILE_NAME = "chat_api.sqlite3"
POOL_CONNECTIONS = 5
STATEMENT_SECONDS = 10.0


def sqlite_engine(
    folder: Path, *, patience_seconds: float, survives_power_cuts: bool = True
) -> Engine:
    """The embedded database in that folder.

    Args:
        patience_seconds: how long one waits for another's lock, where `WRITES` does not say it.
        survives_power_cuts: whether a commit is on disk when it returns. That is most of its
            time; the death of a process loses nothing either way.
    """
    engine = create_engine(
        f"sqlite:///{folder / FILE_NAME}",
        connect_args={"timeout": patience_seconds},
        hide_parameters=True,  # conversations do not belong into the text of errors
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: object) -> None:
        # Python's driver would begin its transactions late and leave out those around DDL.
        connection.isolation_level = None
        # Readers and the writer do not wait for each other. Kept in the file: the first connection
        # of all switches it, others find it so.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # In WAL, NORMAL may lose the last commits to a power cut: what was acknowledged is on disk.
        synchronous = "FULL" if survives_power_cuts else "NORMAL"
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A writer takes its turn at once: one that read first and then wants to write fails
        # when another has written in between, however long it is willing to wait.
        seconds = connection.get_execution_options().get(WRITES)
        if seconds is not None and connection.info.get(WRITES) != seconds:
            connection.connection.cursor().execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
            connection.info[WRITES] = seconds  # kept with the connection, as the PRAGMA is
        connection.exec_driver_sql("BEGIN" if seconds is None else "BEGIN IMMEDIATE")

    return engine


def postgresql_engine(
    url: str,
    *,
    patience_seconds: float,
    statement_seconds: float = STATEMENT_SECONDS,
    connections: int = POOL_CONNECTIONS,
) -> Engine:
    """A PostgreSQL server. psycopg waits through gevent where that has patched `select`.

    Args:
        url: with any of the schemes that settings accept.
        patience_seconds: how long a connection may take to be made, and half as long as one may
            take to come free.
        statement_seconds: how long a statement may take, the waiting for locks included.
        connections: how many are kept; when they are all in use, twice as many may be added.
    """
    seconds = max(2, round(patience_seconds))
    statement_milliseconds = round(1000 * statement_seconds)
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=2 * connections,
        pool_timeout=2 * patience_seconds,
        pool_pre_ping=True,  # the server may have been restarted since
        connect_args={
            "connect_timeout": seconds,
            "tcp_user_timeout": statement_milliseconds,  # a peer that vanished is noticed
            "prepare_threshold": None,  # poolers hand each transaction to another connection
            "application_name": "chat_api",
        },
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: object) -> None:
        connection.autocommit = True  # or the setting would end with this transaction
        connection.execute(f"SET statement_timeout = {statement_milliseconds}")
        connection.autocommit = False

    return engine
