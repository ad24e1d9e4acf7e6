"""Our own gunicorn.conf.py, with a look at what the worker does."""

# ruff: noqa: E402 - ours patches the standard library before anything is imported
import runpy

ours = runpy.run_path("gunicorn.conf.py")
globals().update({name: value for name, value in ours.items() if not name.startswith("_")})

from collections import Counter
from typing import Any

from benchmarks.layers import sampler

counts: Counter[str] = Counter()


def post_worker_init(worker: Any) -> None:
    """As ours does, and then look."""
    ours["post_worker_init"](worker)
    sampler.start(counts)


def worker_exit(server: Any, worker: Any) -> None:
    """Tell what was seen."""
    sampler.write(counts)
