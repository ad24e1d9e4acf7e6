"""However the store hangs, who calls it comes back. Who asks whether it is well does no harm."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from chat_api.errors import StoreUnavailable
from chat_api.stores.engines import FILE_NAME
from chat_api.stores.sql import Database, open_counters, open_database
from tests.contracts.helpers import together
from tests.servers import ROOT

HOLDER = """
import fcntl, sys
with open(sys.argv[1], "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextlib.contextmanager
def opening_by_another_process(folder: Path) -> Iterator[None]:
    folder.mkdir()
    command = [sys.executable, "-c", HOLDER, str(folder / "opening.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()


def is_ready(database: Database) -> bool:
    return database.readiness()[0]


def test_what_another_process_is_opening_is_waited_for_and_then_given_up(folder: Path) -> None:
    database = open_database(None, str(folder), patience_seconds=0.2)
    counters = open_counters(None, str(folder))
    counters._opening_seconds = 0.0
    with opening_by_another_process(folder):
        for store in (database, counters):
            with pytest.raises(StoreUnavailable) as caught:
                store.read(lambda c: None)
            assert isinstance(caught.value.__cause__, TimeoutError)
        assert not is_ready(database)
    database.read(lambda c: None)
    counters.read(lambda c: None)
    database.close()
    counters.close()


def test_many_who_ask_whether_it_is_ready_write_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_api.stores.sql.READINESS_SECONDS", 60)
    database = open_database(None, str(folder))
    database.warm_up()
    writes: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def on_execute(connection: object, cursor: object, statement: str, *more: object) -> None:
        if statement.startswith("UPDATE"):
            writes.append(statement)

    found: list[bool] = []
    together(50, lambda number: found.append(is_ready(database)))
    assert found == [True] * 50 and len(writes) == 1
    database.close()


def test_who_asks_whether_it_is_ready_is_less_patient_than_a_call(folder: Path) -> None:
    database = open_database(None, str(folder), patience_seconds=30)
    database.warm_up()
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = threading.Thread(target=is_ready, args=(database,))
        asking.start()
        asking.join(15)
        assert not asking.is_alive()
    patience = database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout").scalar())
    assert patience == 30_000
    database.close()


# In a process of its own, patched as the workers are: there the calls' bounds are kept.
HANGS = """
from gevent import monkey
monkey.patch_all()
import json, os, sys
import gevent
from chat_api.errors import StoreUnavailable
from chat_api.stores.sql import open_database

database = open_database(None, sys.argv[1], patience_seconds=0.1)
database._opening_seconds = database._turn_seconds = 30  # a busy machine is no hanging disk
database.warm_up()
reader, writer = os.pipe()
given_up = []

def call(work):
    try:
        work()
    except StoreUnavailable as error:
        given_up.append(type(error.__cause__).__name__)

hang = lambda: database.read(lambda c: os.read(reader, 1))  # as a disk that does not answer
waits = lambda: database.read(lambda c: None)
gevent.joinall([gevent.spawn(call, work) for work in (hang, waits)])
ready = database.readiness()[0]
os.write(writer, b"1")
database._most_seconds = 30
database.read(lambda c: None)
print(json.dumps([given_up, ready]))
database.close()
"""


def test_a_disk_that_does_not_answer_holds_nobody_for_ever(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HANGS, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr.count("\n") == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [["TimeoutError"] * 2, False]
