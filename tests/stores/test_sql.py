"""The database: opened once, brought up to date, and its failures made ours."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, text

from chat_api.errors import StoreUnavailable
from chat_api.stores import migrations
from chat_api.stores.base import Bounds
from chat_api.stores.engines import FILE_NAME, postgresql_engine, sqlite_engine
from chat_api.stores.opening import migrate
from chat_api.stores.schema import NEWEST, metadata, sessions
from chat_api.stores.sessions import SqlSessionStore
from chat_api.stores.sql import Database, open_counters, open_database
from tests.servers import ROOT

BOUNDS = Bounds(3600, 100, 100, 1_000_000)
FIRST_TABLES = ("sessions", "session_messages")
# All that a database has been made of: columns in their order, types, constraints, indexes.
STRUCTURE = {
    "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master",
    "postgresql": """
        SELECT 'column', attrelid::regclass::text, attname, attnum::text, attnotnull::text,
            format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname, contype::text, '',
            pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
        UNION ALL
        SELECT 'index', tablename, indexname, '', '', indexdef
        FROM pg_indexes WHERE schemaname = current_schema()
    """,
}
EXCHANGE = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "some" / "data"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    database = open_database(None, str(folder), patience_seconds=0.2)
    database._turn_seconds = 30  # impatient with others only, and not with a busy machine
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SqlSessionStore:
    return SqlSessionStore(database, BOUNDS)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The database locked by somebody else."""
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_nothing_is_opened_before_it_is_used(database: Database, folder: Path) -> None:
    assert not folder.exists()
    database.warm_up()
    assert (folder / FILE_NAME).exists()
    assert folder.stat().st_mode & 0o077 == 0  # conversations are nobody else's


def test_the_file_survives_a_power_cut(database: Database) -> None:
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 200}
    for name, value in pragmas.items():
        found = database.read(lambda c, name=name: c.exec_driver_sql(f"PRAGMA {name}").scalar())  # type: ignore[misc]
        assert found == value


def test_the_newest_migration_is_the_one_that_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_new_database_is_what_the_migrations_would_have_made_of_it(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    if backend == "sqlite":
        engine = sqlite_engine(tmp_path, patience_seconds=1)
    else:
        url = request.getfixturevalue("postgresql_url")
        engine = postgresql_engine(url, patience_seconds=1)

    def structure(make: Callable[[Connection], None]) -> set[tuple[Any, ...]]:
        with engine.connect() as connection:  # which undoes all of it
            if backend == "postgresql":
                connection.execute(text("CREATE SCHEMA chat_api_empty"))
                connection.execute(text("SET LOCAL search_path TO chat_api_empty"))
            make(connection)
            return {tuple(row) for row in connection.execute(text(STRUCTURE[backend]))}

    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        created = structure(migrate)
        assert created == structure(migrations.upgrade)
    assert len(created) > 2 * len(metadata.tables)


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(tmp_path: Path) -> None:
    script = (
        "import sys; from chat_api.stores.sql import open_database as open; "
        "store = open(None, sys.argv[1]); store.read(lambda c: None); store.close(); "
        "assert 'alembic' not in sys.modules"
    )
    for _ in ("new", "made before"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=True)


def test_many_may_open_it_at_once(folder: Path) -> None:
    databases = [open_database(None, str(folder)) for _ in range(4)]
    start = threading.Barrier(4)
    done: list[str] = []

    def run(database: Database) -> None:
        start.wait()
        done.append(database.read(lambda c: str(c.dialect.name)))
        database.close()

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["sqlite"] * 4


def test_a_database_of_a_newer_version_is_used_as_it_is(folder: Path, database: Database) -> None:
    database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    other = open_database(None, str(folder))
    assert SqlSessionStore(other, BOUNDS).count() == 0
    other.close()


def test_a_database_of_the_first_version_keeps_what_it_holds(
    store: SqlSessionStore, database: Database, folder: Path
) -> None:
    store.create("s1", "me", None)
    newer = [each for each in metadata.sorted_tables if each.name not in FIRST_TABLES]
    database.write(lambda c: metadata.drop_all(c, tables=newer))
    database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    other = open_database(None, str(folder))
    assert SqlSessionStore(other, BOUNDS).get("s1", "me") is not None
    assert other.read(lambda c: compare_metadata(MigrationContext.configure(c), metadata)) == []
    other.close()


def test_counters_are_not_synced_to_the_disk(folder: Path) -> None:
    counters = open_counters(None, str(folder))
    assert counters.read(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar()) == 1
    counters.close()


def test_a_locked_database_is_waited_for_and_then_given_up(
    store: SqlSessionStore, database: Database, folder: Path
) -> None:
    store.create("s1", "me", None)
    with locked(folder):
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.append("s1", "me", EXCHANGE)
        assert 0.2 <= time.monotonic() - started < 4
        assert store.get("s1", "me") is not None  # reading goes on
        assert database.readiness() == (False, str(StoreUnavailable()))
    assert store.append("s1", "me", EXCHANGE)


def test_a_full_disk_stores_nothing_of_an_exchange(
    store: SqlSessionStore, database: Database
) -> None:
    store.create("s1", "me", None)
    pages = database.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    database.read(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())
    long = [EXCHANGE[0], {"role": "assistant", "content": "x" * 50_000}]
    with pytest.raises(StoreUnavailable):
        store.append("s1", "me", long)
    session = store.get("s1", "me")
    assert session is not None and session.messages == []
    database.read(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 999}").scalar())
    assert store.append("s1", "me", long)


def test_a_damaged_file_is_no_crash_and_is_opened_again(
    store: SqlSessionStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable):
        store.count()
    (folder / FILE_NAME).unlink()
    assert store.count() == 0


def test_a_folder_that_is_removed_is_noticed_and_made_anew(
    store: SqlSessionStore, database: Database, folder: Path
) -> None:
    store.create("s1", "me", None)
    shutil.rmtree(folder)
    assert database.readiness() == (False, str(StoreUnavailable()))
    store.create("s2", "me", None)
    assert (store.get("s1", "me"), store.count()) == (None, 1)
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as other:
        assert other.execute("SELECT id FROM sessions").fetchall() == [("s2",)]


def test_a_file_that_was_put_in_its_place_is_used(
    store: SqlSessionStore, folder: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    store.create("kept", "me", None)
    with (
        contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as source,
        contextlib.closing(sqlite3.connect(backup)) as target,
    ):
        source.backup(target)
    store.create("later", "me", None)
    for file in folder.iterdir():
        file.unlink()
    backup.rename(folder / FILE_NAME)
    with pytest.raises(StoreUnavailable):
        store.create("in between", "me", None)
    assert store.count() == 1 and store.get("kept", "me")


def test_a_failing_piece_of_work_leaves_nothing_behind(
    store: SqlSessionStore, database: Database
) -> None:
    store.create("s1", "me", None)

    def work(connection: Connection) -> None:
        connection.execute(delete(sessions))
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        database.write(work)
    assert store.count() == 1


def test_an_unreachable_server_is_given_up(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    database = open_database("postgres://u:sk-canary@127.0.0.1:1/d", "", patience_seconds=2)
    with pytest.raises(StoreUnavailable):
        database.read(lambda c: None)
    database.warm_up()
    assert not database.readiness()[0]
    assert b"sk-canary" not in b"".join(capfdbinary.readouterr())


def test_who_waits_too_long_for_the_opening_gives_up(folder: Path, database: Database) -> None:
    database._turn_seconds = 0.1
    with database._opening, pytest.raises(StoreUnavailable):
        database.read(lambda c: None)
