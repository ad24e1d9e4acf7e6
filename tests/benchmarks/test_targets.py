"""Who is measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import targets
from benchmarks.processes import ROOT
from benchmarks.targets import SERVERS, missing

PEERS = ROOT / "benchmarks/peers"


def test_labels_name_the_pinned_versions() -> None:
    pinned = re.findall(r"^litellm==(.+)$", (PEERS / "litellm/requirements.txt").read_text(), re.M)
    assert SERVERS["litellm"].label.split()[-1:] == pinned
    package = json.loads((PEERS / "portkey/package.json").read_text())
    assert SERVERS["portkey"].label.split()[-1] == package["dependencies"]["@portkey-ai/gateway"]


def test_who_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = SERVERS["litellm"].__class__("x", lambda start: [], "/", 200, tmp_path / "absent")
    monkeypatch.setitem(targets.SERVERS, "litellm", absent)
    assert missing("litellm") == "is not installed; `make bench` tries to"
    assert missing("ours") is None
