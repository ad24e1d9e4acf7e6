"""The upstream of the fault suites."""

from __future__ import annotations

from tests.integration.conftest import upstream

__all__ = ["upstream"]
