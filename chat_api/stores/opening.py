"""Opening a database: its folder, its tables, and nobody else at it meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import time
from collections.abc import Iterator
from pathlib import Path

from gevent import monkey
from sqlalchemy import Connection, insert, inspect, select, text

from chat_api.stores.engines import FILE_NAME
from chat_api.stores.schema import NEWEST, metadata, versions

MIGRATION_LOCK = 0x63686174  # any number that nobody else takes in that database
PAUSE_SECONDS = 0.02
# In a native thread gevent's own would start an event loop.
sleep = monkey.get_original("time", "sleep")


@contextlib.contextmanager
def alone_in(folder: Path | None, until: float) -> Iterator[None]:
    """SQLite: make the folder, and let no other process open the database meanwhile. Switching
    the file to WAL fails at once, with all patience, when somebody else is at it.

    Args:
        until: by `time.monotonic`.

    Raises:
        TimeoutError: another process has been at it until then.
    """
    if folder is None:
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "opening.lock").open("w") as lock:
        while not _locked(lock.fileno()):
            if time.monotonic() > until:
                raise TimeoutError("another process is opening the store")
            sleep(PAUSE_SECONDS)
        yield


def file_in(folder: Path | None) -> tuple[int, int] | None:
    """Which file SQLite's database in that folder is: its device and number there. None where there
    is none, or no folder."""
    if folder is None:
        return None
    with contextlib.suppress(OSError):
        found = (folder / FILE_NAME).stat()
        return found.st_dev, found.st_ino
    return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version. Workers and machines that start at the same time do
    this one after the other. A database that a newer version has migrated already is used as it
    is."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
    version = _version(connection)
    if version is None:
        _create(connection)
    elif version < NEWEST:
        importlib.import_module("chat_api.stores.migrations").upgrade(connection)


def _version(connection: Connection) -> str | None:
    """None where nothing has been migrated or created yet."""
    if not inspect(connection).has_table(versions.name):
        return None
    return connection.scalar(select(versions.c.version_num)) or ""


def _create(connection: Connection) -> None:
    """All at once what the migrations would make one after the other, and without Alembic: a first
    start is a fifth of a second shorter."""
    metadata.create_all(connection, checkfirst=False)  # a table of that name is somebody else's
    versions.create(connection)
    connection.execute(insert(versions).values(version_num=NEWEST))
