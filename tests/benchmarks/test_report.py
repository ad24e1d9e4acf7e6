"""The tables, the JSON and the picture of one run."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from benchmarks.chart import PANELS, chart
from benchmarks.goals import GOALS
from benchmarks.report import as_json, tables
from benchmarks.results import UPSTREAM, Results

NAMES = ["ours", "plain", UPSTREAM]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def results() -> Results:
    results = Results()
    for server, whole, paced in (
        ("ours", 1_200, 252),
        ("plain", 300, 270),
        (UPSTREAM, 90_000, 250),
    ):
        results.add(server, "whole", whole)
        results.add(server, "paced_300_p50", paced)
    return results


def test_a_table_has_medians_and_ratios(results: Results) -> None:
    lines = "\n".join(tables(results, NAMES))
    assert re.search(r"^chat_api +1,200 +- ", lines, re.MULTILINE)
    assert re.search(r"^ +ours / Flask and the SDK +4\.00 +- ", lines, re.MULTILINE)
    assert re.search(r"^the fake upstream itself +90,000", lines, re.MULTILINE)
    assert "ours / the fake" not in lines


def test_what_is_added_is_above_the_upstream(results: Results) -> None:
    lines = "\n".join(tables(results, NAMES))
    assert re.search(r"^Flask and the SDK +- +- +20\.0 ", lines, re.MULTILINE)
    assert re.search(r"^ +ours / Flask and the SDK +- +- +0\.10 ", lines, re.MULTILINE)


def test_wrong_answers_are_shown_beside_the_figures(results: Results) -> None:
    results.fail("plain", "events", 7)
    shown = [line for line in tables(results, NAMES) if line.startswith("Flask and the SDK")]
    assert shown and all("FAILED: 7 wrong or missing answers" in line for line in shown)


def test_the_json_has_every_round_and_goal(results: Results) -> None:
    results.add("ours", "whole", 1_300)
    written = json.loads(json.dumps(as_json(results, NAMES, {"litellm": "is not installed"})))
    assert written["servers"]["ours"]["rounds"]["whole"] == [1_200, 1_300]
    assert written["skipped"] == {"litellm": "is not installed"}
    assert len(written["goals"]) == len(GOALS)
    assert {goal["verdict"] for goal in written["goals"]} >= {"-"}


def bars(svg: ElementTree.Element) -> list[float]:
    return [float(bar.attrib["width"]) for bar in svg.iter(f"{SVG}rect")]


def test_the_picture_has_a_bar_for_each_figure(results: Results) -> None:
    svg = ElementTree.fromstring(chart(results, ["ours", "plain"], "a <note>"))
    whole, added = bars(svg)[:2], bars(svg)[2:]
    assert whole[0] == pytest.approx(4 * whole[1], abs=0.1)
    assert added[1] == pytest.approx(10 * added[0], abs=0.5)
    said = [text.text for text in svg.iter(f"{SVG}text")]
    assert {"1,200", "300", "2.0", "20.0", "a <note>", *(panel.title for panel in PANELS)} <= {
        *said
    }
    assert said.count("not measured") == 2 * (len(PANELS) - 2)


def test_bars_stay_in_the_picture(results: Results) -> None:
    svg = ElementTree.fromstring(chart(results, ["ours", "plain"], ""))
    width = float(svg.attrib["viewBox"].split()[2])
    for bar in svg.iter(f"{SVG}rect"):
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) < width


def test_a_server_that_takes_nothing_off_has_a_bar_that_can_be_seen() -> None:
    results = Results()
    for server, paced in (("ours", 249.9), (UPSTREAM, 250)):  # by chance faster than without it
        results.add(server, "paced_300_p50", paced)
    svg = ElementTree.fromstring(chart(results, ["ours"], ""))
    assert bars(svg) == [1.0]
