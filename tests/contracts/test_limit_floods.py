"""Thousands of calls at the same time, by real stores, as they come to a worker."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.servers import ROOT

CALLS = 3000
# In a process of its own, patched as the workers are: each call is a greenlet.
SCRIPT = f"""
from gevent import monkey
monkey.patch_all()
import json, sys
import gevent
from chat_api.services.limits import Limiter, Use
from tests.contracts.helpers import limit_store

class Counted:
    trips = 0

    def __init__(self, store):
        self.name, self.warm_up, self.close = store.name, store.warm_up, store.close
        self._store = store

    def window(self, *arguments):
        self.trips += 1
        return self._store.window(*arguments)

def flood(limiter, callers):
    calls = [gevent.spawn(limiter.check, caller, Use.COUNTS) for caller in callers]
    gevent.joinall(calls, raise_error=True)
    return [call.value for call in calls]

store = Counted(limit_store(sys.argv[1], sys.argv[2]))
# What is held here is how calls are counted, not that a busy machine does so in time.
limiters = [Limiter(store, 100, turn_seconds=50) for _ in range(2)]
verdicts = flood(limiters[0], ["one"] * {CALLS}) + flood(limiters[1], ["one"] * {CALLS})
trips = store.trips
several = flood(limiters[0], [f"caller {{number % 300}}" for number in range({CALLS})])
print(json.dumps([
    sorted(verdict.remaining for verdict in verdicts if verdict.allowed),
    sum(verdict.remaining for verdict in verdicts if not verdict.allowed),
    len(verdicts),
    trips,
    sorted({{verdict.remaining for verdict in several}}),
    limiters[0].failures + limiters[1].failures,
]))
store.close()
"""


def test_a_flood_costs_few_trips_and_opens_nothing(where: tuple[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, *where],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    left, left_to_others, calls, trips, several, failures = json.loads(done.stdout)
    assert left == list(range(100)), "not as many as the limit, or two were told the same"
    assert (left_to_others, calls) == (0, 2 * CALLS)
    assert trips < 20
    assert several == list(range(90, 100)), "ten calls each, and each call is told its own"
    assert failures == 0
