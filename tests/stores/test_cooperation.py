"""While one call waits for the database the event loop serves the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

# In a process of its own, patched as the workers are. Four calls wait for a second in all; a
# ticker notes the longest time in which nothing else could run.
SCRIPT = """
from gevent import monkey
monkey.patch_all()
import json, sqlite3, sys, threading, time
import gevent
from chat_api.errors import StoreUnavailable
from chat_api.stores.sql import open_database
from sqlalchemy import text

url, folder = sys.argv[1] or None, sys.argv[2]
database = open_database(url, folder, patience_seconds=2)
database.warm_up()
if url:
    wait = lambda: database.read(lambda c: c.execute(text("SELECT pg_sleep(0.5)")))
else:
    other = sqlite3.connect(folder + "/chat_api.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    gevent.spawn_later(0.5, other.execute, "ROLLBACK")
    wait = lambda: database.write(lambda c: c.execute(text("SELECT 1")))

longest = 0.0
def tick():
    global longest
    while True:
        before = time.monotonic()
        time.sleep(0.002)
        longest = max(longest, time.monotonic() - before)

gevent.spawn(tick)
gevent.sleep(0.01)
started = time.monotonic()
calls = [gevent.spawn(wait) for _ in range(4)]
gevent.joinall(calls, raise_error=True)
took = time.monotonic() - started

def fails(connection):
    raise ValueError("a defect")
try:
    database.read(fails)
except ValueError as error:
    print(json.dumps([took, longest, str(error)]))
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
    took, longest, text = json.loads(done.stdout)
    assert 0.4 < took < 1.5, "the calls did not wait at the same time"
    assert longest < 0.4, "a call held up the event loop"
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
