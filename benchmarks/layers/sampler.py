"""Looks every few milliseconds of CPU time which layer a worker is in (servers/sampled.conf.py)."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

from benchmarks.layers.table import layer_of

VARIABLE = "BENCHMARK_SAMPLES"
"""The file that the counts go to when the worker ends."""
INTERVAL_SECONDS = 0.001  # the kernel makes of it what its clock allows, 1 to 4 ms


def start(counts: Counter[str]) -> None:
    """Count from now on. CPU time only: a worker that waits is not looked at."""

    def look(number: int, frame: FrameType | None) -> None:
        counts[layer_of(frame)] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)


def write(counts: Counter[str]) -> None:
    """Stop, and tell."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    Path(os.environ[VARIABLE]).write_text(json.dumps(counts))
