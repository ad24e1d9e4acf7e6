"""What the ports of the tests' own servers hold."""

from __future__ import annotations

import itertools
import socket

import pytest

from chat_api.upstreams.local import LOWEST_PORT as LOWEST_OF_LOCAL_MODEL
from tests import ports
from tests.ports import BLOCK_SIZE, BLOCKS, LOWEST_PORT, free_port


def test_none_is_given_twice_or_to_the_local_model() -> None:
    given = [free_port() for _ in range(50)]
    assert len(set(given)) == len(given)
    assert LOWEST_PORT <= min(given) and max(given) < LOWEST_OF_LOCAL_MODEL
    assert LOWEST_PORT + BLOCKS * BLOCK_SIZE <= LOWEST_OF_LOCAL_MODEL


def test_one_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = free_port()
    monkeypatch.setattr(ports, "_offsets", itertools.count(taken - LOWEST_PORT))
    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() != taken
