"""What the tests' own process logs has no secret in it either. A plugin of conftest.py."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.leaks import Secrets


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """A test that logged a secret has failed."""
    report = yield
    lines = f"{report.capstdout}\n{report.capstderr}".splitlines()
    log = "\n".join(line for line in lines if line.startswith('{"')).encode()
    found = Secrets({}).in_log(log)
    if report.passed and found:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} logged {', '.join(found)}"
    return report
