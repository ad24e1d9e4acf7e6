"""What lies between callers and a server, as the doctor sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result

from chat_api.commands.findings import Verdict
from chat_api.commands.proxy import Arrival, check_forwarding, judge
from tests.commands.processes import by_subject
from tests.commands.proxies import BadProxy
from tests.mock_server import API_KEY
from tests.ports import free_port
from tests.scripted import ScriptedUpstream
from tests.servers import Server

Run = Callable[..., Result]


def arrivals(*moments: float, pieces: int = 1) -> list[Arrival]:
    return [Arrival(moment, pieces) for moment in moments]


@pytest.mark.parametrize(
    ("came", "verdict", "word"),
    [
        (arrivals(0.5, 0.6, 0.7, 0.8, 0.9), Verdict.OK, "longest gap 0.10 s"),
        (arrivals(4.0, pieces=30), Verdict.FAIL, "at once"),
        (arrivals(4.0, 4.001, 4.002, pieces=10), Verdict.FAIL, "at once"),
        (arrivals(0.05, pieces=30), Verdict.WARN, "too quickly"),
        (arrivals(1.0, 2.0, pieces=50), Verdict.WARN, "2 lumps"),
        (arrivals(1.0, 2.0), Verdict.WARN, "too few"),
        ([], Verdict.WARN, "too few"),
    ],
)
def test_a_stream_is_judged_by_its_gaps(came: list[Arrival], verdict: Verdict, word: str) -> None:
    finding = judge(came)
    assert finding.verdict is verdict and word in finding.found


@pytest.mark.parametrize(
    ("written", "trusted", "verdict"),
    [(0, 0, Verdict.OK), (2, 2, Verdict.OK), (1, 0, Verdict.FAIL), (0, 1, Verdict.FAIL)],
)
def test_as_many_proxies_must_be_trusted_as_there_are(
    written: int, trusted: int, verdict: Verdict
) -> None:
    finding = check_forwarding({"forwarded_for": written, "trusted_proxies": trusted})
    assert finding.verdict is verdict
    assert verdict is Verdict.OK or finding.advice == f"Set TRUSTED_PROXIES={written}"


@pytest.fixture
def proxy(mock_server: Server) -> Iterator[BadProxy]:
    proxy = BadProxy(mock_server)
    yield proxy
    proxy.close()


def test_a_stream_that_comes_in_pieces_is_well(run: Run, mock_server: Server) -> None:
    result = run("doctor", "--url", mock_server.url, upstream="mock", api_keys=(API_KEY,))
    assert result.exit_code == 0, result.output
    lines = by_subject(result.output)
    for subject in ("address", "http", "proxies", "stream"):
        assert lines[subject].startswith("ok "), lines[subject]


def test_a_proxy_that_buffers_speaks_http_1_0_and_is_not_told_of_is_found_out(
    run: Run, proxy: BadProxy
) -> None:
    result = run("doctor", "--url", proxy.url, upstream="mock", api_keys=(API_KEY,))
    assert result.exit_code == 1
    lines = by_subject(result.output)
    assert lines["address"].startswith("ok ")
    assert lines["http"].startswith("fail") and "HTTP/1.0" in lines["http"]
    assert lines["proxies"].startswith("fail") and "TRUSTED_PROXIES=1" in lines["proxies"]
    assert lines["stream"].startswith("fail") and "at once" in lines["stream"]


def test_a_server_that_wants_another_key_says_so(run: Run, mock_server: Server) -> None:
    result = run("doctor", "--url", mock_server.url, upstream="mock")
    line = by_subject(result.output)["stream"]
    assert result.exit_code == 1
    assert line.startswith("fail") and "401" in line


def test_an_address_where_nobody_is_or_somebody_else_fails(
    run: Run, scripted: ScriptedUpstream
) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", scripted.url):
        scripted.script = lambda exchange: exchange.reply(200, b"<html>")
        result = run("doctor", "--url", url, upstream="mock")
        lines = by_subject(result.output)
        assert result.exit_code == 1 and lines["address"].startswith("fail")
        assert "stream" not in lines


def test_an_address_that_redirects_is_told_where(run: Run, scripted: ScriptedUpstream) -> None:
    location = "Location: https://chat.example.org/info\r\n"
    scripted.script = lambda exchange: exchange.reply(308, {}, headers=location)
    result = run("doctor", "--url", scripted.url, upstream="mock")
    assert "https://chat.example.org/info" in by_subject(result.output)["address"]
