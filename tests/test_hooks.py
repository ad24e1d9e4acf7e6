"""What Gunicorn calls in its life."""

from __future__ import annotations

import gc
import socket
import time
from types import SimpleNamespace

import pytest
from pytest_mock import MockerFixture

from chat_api import hooks


def test_a_worker_counts_at_the_first_place_that_is_free_and_shares_what_is_there() -> None:
    master = SimpleNamespace(
        WORKERS={1: SimpleNamespace(slot=0), 2: SimpleNamespace(slot=2)}, LISTENERS=[]
    )
    worker = SimpleNamespace()
    threshold = gc.get_threshold()
    gc.unfreeze()  # what conftest.py has frozen would be counted
    gc.disable()
    try:
        hooks.prepare_fork(master, worker)
        assert gc.get_freeze_count() > 10_000 and gc.isenabled()
        assert gc.get_threshold() == hooks.COLLECT_AFTER
    finally:  # what is frozen stays so, for the other tests
        gc.set_threshold(*threshold)
        gc.enable()
    assert worker.slot == 1


def test_who_does_not_read_is_given_up(mocker: MockerFixture) -> None:
    mocker.patch.object(hooks, "MOST_UNREAD_SECONDS", 1)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hooks.end_unread_connections(listener)
        with socket.create_connection(listener.getsockname()):
            ours, _ = listener.accept()
            with ours, pytest.raises(TimeoutError):
                ours.sendall(bytes(64_000_000))
    assert time.monotonic() - began >= 1


def test_a_unix_socket_has_no_such_time() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        hooks.end_unread_connections(listener)
