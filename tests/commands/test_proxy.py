"""When pieces came says what lies on the way."""

from __future__ import annotations

import pytest

from chat_api.commands.findings import Verdict
from chat_api.commands.proxy import Arrival, check_forwarding, judge


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
