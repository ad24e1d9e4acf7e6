"""The fake upstream and the callers, compiled and put together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.callers import call, http_request, percentile
from benchmarks.load import LOADS, Load
from benchmarks.native import compile_programs, upstream
from benchmarks.replies import PAUSE_MS, marks, request_body, write_replies
from benchmarks.targets import Target
from tests.scripted import Exchange, ScriptedUpstream

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
PACED_EVENTS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("native")
    compile_programs(folder)
    write_replies(folder, PACED_EVENTS)
    return folder


@pytest.fixture(scope="module")
def fake(folder: Path) -> Iterator[Target]:
    with upstream(folder, folder) as (port, process):
        yield Target("upstream", "upstream", port, process)


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_every_answer_is_read_to_its_end(load: Load, fake: Target, folder: Path) -> None:
    request = http_request(fake, request_body(load.messages, load.stream))
    seen = call(fake, request, marks(load.stream), folder, callers=4, each=5)
    assert (len(seen.wholes), seen.failures) == (20, 0), seen.example


def test_paced_streams_take_their_time(fake: Target, folder: Path) -> None:
    request = http_request(fake, request_body(paced=True))
    expected = marks(stream=True, count=PACED_EVENTS)
    seen = call(fake, request, expected, folder, callers=20, ramp=0.1, each=1)
    assert (len(seen.wholes), seen.failures) == (20, 0), seen.example
    assert min(seen.firsts) >= PAUSE_MS / 1000
    assert min(seen.wholes) >= PACED_EVENTS * PAUSE_MS / 1000


def test_an_answer_that_lost_a_token_is_wrong(fake: Target, folder: Path) -> None:
    request = http_request(fake, request_body(stream=True))
    lines = marks(stream=True).splitlines()
    swapped = "\n".join([lines[1], lines[0], *lines[2:]])
    seen = call(fake, request, swapped, folder, callers=2, each=3)
    assert (seen.wholes, seen.failures) == ([], 2)  # who got a wrong answer asks no more
    assert "1 of 65" in seen.example


def test_an_error_is_a_failure(fake: Target, folder: Path) -> None:
    request = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    seen = call(fake, request, "No such route", folder, each=1)
    assert (seen.wholes, seen.failures) == ([], 1) and "404" in seen.example


def test_a_stream_that_is_cut_off_is_a_failure(scripted: ScriptedUpstream, folder: Path) -> None:
    def cut_off(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.chunk(b'data: {"content":"A"}\n\n')
        exchange.connection.close()

    scripted.script = cut_off
    port = int(scripted.url.rsplit(":", 1)[1].split("/")[0])
    target = Target("scripted", "scripted", port, 0)
    seen = call(target, http_request(target, b"{}"), '"content":"A"', folder, each=1)
    assert (seen.wholes, seen.failures) == ([], 1)


def test_a_percentile_is_one_of_the_numbers() -> None:
    numbers = [float(number) for number in range(100, 0, -1)]
    assert (percentile(numbers, 0.5), percentile(numbers, 0.99)) == (51, 100)
    assert percentile([7.0], 0.99) == 7
