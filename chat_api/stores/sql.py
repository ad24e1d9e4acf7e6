"""The database: opened once in each process, and its failures made ours."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from chat_api.errors import StoreUnavailable
from chat_api.stores.engines import WRITES, postgresql_engine, sqlite_engine
from chat_api.stores.native import NativeThread, run_within
from chat_api.stores.opening import alone_in, file_in, migrate
from chat_api.stores.recent import Recent

PATIENCE_SECONDS = 5.0
"""How long a call waits for a lock of somebody else's."""
TURN_PATIENCES = 2
"""How many times that it waits for its turn: calls of our own go by quickly."""
SPARE_SECONDS = 1.0
"""What a call may take besides its turn and its lock: a disk or a server that hangs is given up."""
READINESS_SECONDS = 1.0
"""For so long an answer to "ready?" is told again: anybody may ask, and each asks the disk."""
PROBE_SECONDS = 1.0
"""Patience for that answer: who asks does not wait for long, nor do calls behind it."""
COUNTER_PATIENCE_SECONDS = 1.0
"""As `PATIENCE_SECONDS`, for counters: a call had better go uncounted than wait for long."""
COUNTER_MOST_SECONDS = 2.0
OPENING_SECONDS = 10.0
"""At least so long, until it is open: a server that has just been started has tables to make."""
COUNTER_CONNECTIONS = 2

T = TypeVar("T")
log = structlog.get_logger()


def open_database(
    database_url: str | None, data_dir: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> Database:
    """The database that the settings name. Opens nothing yet."""
    if database_url:
        engine = postgresql_engine(database_url, patience_seconds=patience_seconds)
        return Database(engine, patience_seconds=patience_seconds)
    folder = Path(data_dir).absolute()
    engine = sqlite_engine(folder, patience_seconds=patience_seconds)
    return Database(engine, folder=folder, patience_seconds=patience_seconds)


def open_counters(database_url: str | None, data_dir: str) -> Database:
    """The same database for what is counted at every call. Opens nothing yet.

    It has connections of its own, and on SQLite a thread: it neither waits behind conversations
    nor holds them up. It gives up soon. A power cut may cost it the last counts, which spares
    each call an fsync. Its failures are for the caller to log.
    """
    patience: dict[str, Any] = {"patience_seconds": COUNTER_PATIENCE_SECONDS}
    folder = None
    if database_url:
        engine = postgresql_engine(
            database_url,
            statement_seconds=COUNTER_PATIENCE_SECONDS,
            connections=COUNTER_CONNECTIONS,
            **patience,
        )
    else:
        folder = Path(data_dir).absolute()
        engine = sqlite_engine(folder, survives_power_cuts=False, **patience)
    return Database(
        engine,
        folder=folder,
        most_seconds=COUNTER_MOST_SECONDS,
        opening_seconds=OPENING_SECONDS,
        logs_failures=False,
        **patience,
    )


class Database:
    """Runs pieces of work in transactions.

    It is opened by the first of them, in the process that asks (Gunicorn's workers, never their
    master): the folder is made, and the tables are brought to the newest version.

    Args:
        folder: SQLite's; None for a server.
        patience_seconds: as the engine has it.
        most_seconds: how long a call may take in all; one that is given up then may still come
            to pass. None for its turn, its patience and a second.
        opening_seconds: how long it may take at least until the database is open.
        logs_failures: whether each failure is a line in the log.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        folder: Path | None = None,
        patience_seconds: float,
        most_seconds: float | None = None,
        opening_seconds: float = 0.0,
        logs_failures: bool = True,
    ) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: patience_seconds})
        self._prober = engine.execution_options(**{WRITES: PROBE_SECONDS})
        self._folder = folder
        self._turn_seconds = TURN_PATIENCES * patience_seconds
        self._most_seconds = most_seconds or self._turn_seconds + patience_seconds + SPARE_SECONDS
        self._opening_seconds = opening_seconds
        self._logs_failures = logs_failures
        # SQLite always blocks; psycopg waits through the event loop by itself.
        self._thread = NativeThread() if folder else None
        self._opening = threading.Lock()
        self._is_open = False
        self._file: tuple[int, int] | None = None
        self._readiness = Recent(self._probe, READINESS_SECONDS)

    def read(self, work: Callable[[Connection], T]) -> T:
        """What the work returns; it must not write.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        return self._call(self.engine, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What the work returns, when all of it is committed; it is stored whole or not at all.

        Raises:
            StoreUnavailable: the database cannot be used; nothing is acknowledged.
        """
        return self._call(self._writer, work)

    def readiness(self) -> tuple[bool, str]:
        """Whether the database can be written to, and a word on it; up to a second old."""
        return self._readiness.get()

    def warm_up(self) -> None:
        """Open it before anybody asks. A failure is logged, and the next call tries again."""
        with contextlib.suppress(StoreUnavailable):
            self.read(lambda connection: None)

    def close(self) -> None:
        """Close all connections. The next call opens new ones."""
        self._perform(self.engine.dispose)

    def _probe(self) -> tuple[bool, str]:
        """A disk that is full or read-only shows only when something is written."""
        try:
            self._run(self._prober, touch, PROBE_SECONDS, PROBE_SECONDS)
        except StoreUnavailable as error:
            return False, str(error)
        return True, self.engine.dialect.name

    def _call(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        least = 0.0 if self._is_open else self._opening_seconds
        turn_seconds, most_seconds = self._turn_seconds, self._most_seconds
        return self._run(engine, work, max(least, turn_seconds), max(least, most_seconds))

    def _run(
        self,
        engine: Engine,
        work: Callable[[Connection], T],
        turn_seconds: float,
        most_seconds: float,
    ) -> T:
        turn_by = time.monotonic() + turn_seconds

        def job() -> T:
            if time.monotonic() > turn_by:
                raise TimeoutError("too many calls wait for the store")
            self._open(turn_by)
            with engine.begin() as connection:
                return work(connection)

        try:
            return self._perform(job, most_seconds)
        except (SQLAlchemyError, OSError) as error:
            # Logged here and not in the native thread, where the log's lock is not for use.
            if self._logs_failures:
                log.error("store", error=type(error).__name__, cause=_cause(error))
            raise StoreUnavailable from error

    def _perform(self, job: Callable[[], T], most_seconds: float | None = None) -> T:
        if self._thread is not None:
            return self._thread.run(job, most_seconds)
        return run_within(most_seconds, job)

    def _open(self, turn_by: float) -> None:
        if self._is_open:
            self._see_that_it_is_there()
            return
        if not self._opening.acquire(timeout=max(0.0, turn_by - time.monotonic())):
            raise TimeoutError("the store is still being opened")
        try:
            if not self._is_open:
                with alone_in(self._folder, turn_by), self._writer.begin() as connection:
                    migrate(connection)
                self._file = file_in(self._folder)
                self._is_open = True
        finally:
            self._opening.release()

    def _see_that_it_is_there(self) -> None:
        """What SQLite writes into a file that somebody removed, or put another in place of, is lost
        when its process ends, and nothing else would tell."""
        if file_in(self._folder) != self._file:
            self._is_open = False
            self.engine.dispose()
            raise FileNotFoundError("the store's file is gone; the next call opens what is there")


def touch(connection: Connection) -> None:
    """Write, and change nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL statement_timeout = {round(1000 * PROBE_SECONDS)}"))
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _cause(error: Exception) -> str | None:
    """What the database said; only of kinds that never repeat what was to be stored."""
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, OperationalError):
        return str(error.orig).partition("\n")[0][:300]
    return None
