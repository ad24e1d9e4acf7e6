"""The database: opened once in each process, and its failures made ours."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from chat_api.errors import StoreUnavailable
from chat_api.stores.engines import WRITES, postgresql_engine, sqlite_engine
from chat_api.stores.native import NativeThread, run_within
from chat_api.stores.schema import NEWEST

PATIENCE_SECONDS = 5.0
"""How long a call waits for a lock of somebody else's."""
TURN_PATIENCES = 2
"""How many times that it waits for its turn: calls of our own go by quickly."""
READINESS_SECONDS = 1.0
"""For so long an answer to "ready?" is told again: anybody may ask, and each asks the disk."""
COUNTER_PATIENCE_SECONDS = 1.0
"""As `PATIENCE_SECONDS`, for counters: a call had better go uncounted than wait for long."""
COUNTER_MOST_SECONDS = 2.0
OPENING_SECONDS = 10.0
"""As the two above, until it is open: a server that has just been started has tables to make."""
COUNTER_CONNECTIONS = 2
MIGRATION_LOCK = 0x63686174  # any number that nobody else takes in that database

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
        engine, folder=folder, most_seconds=COUNTER_MOST_SECONDS, logs_failures=False, **patience
    )


class Database:
    """Runs pieces of work in transactions.

    It is opened by the first of them, in the process that asks (Gunicorn's workers, never their
    master): the folder is made, and the tables are brought to the newest version.

    Args:
        folder: SQLite's; None for a server.
        patience_seconds: as the engine has it.
        most_seconds: how long a call may take in all once the database is open; one that is
            given up then may still come to pass.
        logs_failures: whether each failure is a line in the log.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        folder: Path | None = None,
        patience_seconds: float,
        most_seconds: float | None = None,
        logs_failures: bool = True,
    ) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._folder = folder
        self._turn_seconds = TURN_PATIENCES * patience_seconds
        self._most_seconds = most_seconds
        self._logs_failures = logs_failures
        # SQLite always blocks; psycopg waits through the event loop by itself.
        self._thread = NativeThread() if folder else None
        self._opening = threading.Lock()
        self._is_open = False
        self._readiness: tuple[bool, str] = (False, "")
        self._readiness_until = 0.0

    def read(self, work: Callable[[Connection], T]) -> T:
        """What the work returns; it must not write.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        return self._run(self.engine, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What the work returns, when all of it is committed; it is stored whole or not at all.

        Raises:
            StoreUnavailable: the database cannot be used; nothing is acknowledged.
        """
        return self._run(self._writer, work)

    def readiness(self) -> tuple[bool, str]:
        """Whether the database can be written to, and a word on it. A disk that is full or
        read-only shows only when something is written."""
        if time.monotonic() >= self._readiness_until:
            try:
                self.write(touch)
                self._readiness = True, self.engine.dialect.name
            except StoreUnavailable as error:
                self._readiness = False, str(error)
            self._readiness_until = time.monotonic() + READINESS_SECONDS
        return self._readiness

    def warm_up(self) -> None:
        """Open it before anybody asks. A failure is logged, and the next call tries again."""
        with contextlib.suppress(StoreUnavailable):
            self.read(lambda connection: None)

    def close(self) -> None:
        """Close all connections. The next call opens new ones."""
        self._perform(self.engine.dispose)

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        turn_seconds, most_seconds = self._turn_seconds, self._most_seconds
        if most_seconds is not None and not self._is_open:
            turn_seconds = most_seconds = OPENING_SECONDS
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
            return
        if not self._opening.acquire(timeout=max(0.0, turn_by - time.monotonic())):
            raise TimeoutError("the store is still being opened")
        try:
            if not self._is_open:
                with _alone_in(self._folder), self._writer.begin() as connection:
                    self._migrate(connection)
                self._is_open = True
        finally:
            self._opening.release()

    def _migrate(self, connection: Connection) -> None:
        """Workers and machines that start at the same time do this one after the other. A
        database that a newer version has migrated already is used as it is."""
        if self._folder is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
        if _version(connection) < NEWEST:
            importlib.import_module("chat_api.stores.migrations").upgrade(connection)


@contextlib.contextmanager
def _alone_in(folder: Path | None) -> Iterator[None]:
    """SQLite: make the folder, and let no other process open the database meanwhile. Switching
    the file to WAL fails at once, with all patience, when somebody else is at it."""
    if folder is None:
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "opening.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _version(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def touch(connection: Connection) -> None:
    """Write something that changes nothing."""
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _cause(error: Exception) -> str | None:
    """What the database said; only of kinds that never repeat what was to be stored."""
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, OperationalError):
        return str(error.orig).partition("\n")[0][:300]
    return None
