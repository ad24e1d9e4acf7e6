"""While one call waits for the database the event loop serves the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

# In a process of its own, patched as the workers are. Four calls wait for a lock that only the loop
# after them lets go of: one that held up the event loop would wait for as long as it may, and fail.
SCRIPT = """
from gevent import monkey
monkey.patch_all()
import json, os, sqlite3, sys, time
import gevent, psycopg
from chat_api.stores.sql import open_database
from sqlalchemy import text

url, folder = sys.argv[1] or None, sys.argv[2]
database = open_database(url, folder, patience_seconds=10)
database.warm_up()
if url:
    other = psycopg.connect(url, autocommit=True)
    key = os.getpid()
    lock = text(f"SELECT pg_advisory_xact_lock_shared({key})")
    other.execute(f"SELECT pg_advisory_lock({key})")
    let_go = lambda: other.execute(f"SELECT pg_advisory_unlock({key})")
    wait = lambda: database.read(lambda c: c.execute(lock))
    waiting = f"SELECT count(*) FROM pg_locks WHERE objid = {key} AND NOT granted"
    do_all_wait = lambda: other.execute(waiting).fetchone() == (4,)
else:
    other = sqlite3.connect(folder + "/chat_api.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    let_go = lambda: other.execute("ROLLBACK")
    wait = lambda: database.write(lambda c: c.execute(text("SELECT 1")))
    do_all_wait = lambda: True  # behind each other: a file has one writer

calls = [gevent.spawn(wait) for _ in range(4)]
ticks = 0
while not any(call.ready() for call in calls) and (ticks < 100 or not do_all_wait()):
    time.sleep(0.002)
    ticks += 1
early = sum(call.ready() for call in calls)
let_go()
gevent.joinall(calls, raise_error=True)

def fails(connection):
    raise ValueError("a defect")
try:
    database.read(fails)
except ValueError as error:
    print(json.dumps([ticks, early, str(error)]))
other.close()
database.close()
"""


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_the_event_loop_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path, backend: str
) -> None:
    url = request.getfixturevalue("postgresql_url") if backend == "postgresql" else ""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, url, str(tmp_path / "data")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    ticks, early, text = json.loads(done.stdout)
    assert ticks >= 100 and early == 0
    assert text == "a defect"


BOUNDED = """
from gevent import monkey
monkey.patch_all()
import json, os
import gevent
from gevent.event import Event
from chat_api.stores.native import NativeThread, run_within

thread, ended, given_up = NativeThread(), [], []
reader, writer = os.pipe()
go_on = Event()

def blocks():
    os.read(reader, 1)
    ended.append("thread")

def waits():
    go_on.wait()
    ended.append("greenlet")

def call(run):
    try:
        run()
    except TimeoutError:
        given_up.append(list(ended))

in_thread = lambda: thread.run(blocks, 0.1)
gevent.joinall([gevent.spawn(call, run) for run in (in_thread, in_thread)])
call(lambda: run_within(0.1, waits))
os.write(writer, b"12")
go_on.set()
thread.run(lambda: None)  # behind the others

defects = 0
def fails():
    raise ValueError("a defect")
for run in (lambda: thread.run(fails, 10), lambda: run_within(10, fails)):
    try:
        run()
    except ValueError:
        defects += 1
print(json.dumps([given_up, sorted(ended), defects]))
"""


def test_who_has_waited_long_enough_leaves_and_the_work_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BOUNDED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    given_up, ended, defects = json.loads(done.stdout)
    assert given_up == [[], [], []] and defects == 2
    assert ended == ["greenlet", "thread", "thread"]
