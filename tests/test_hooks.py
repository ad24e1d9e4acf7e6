"""What Gunicorn calls in its life."""

from __future__ import annotations

import gc
from types import SimpleNamespace

from chat_api import hooks


def test_a_worker_counts_at_the_first_place_that_is_free_and_shares_what_is_there() -> None:
    master = SimpleNamespace(WORKERS={1: SimpleNamespace(slot=0), 2: SimpleNamespace(slot=2)})
    worker = SimpleNamespace()
    before = gc.get_threshold()
    try:
        hooks.prepare_fork(master, worker)
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == hooks.COLLECT_AFTER
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
    assert worker.slot == 1
