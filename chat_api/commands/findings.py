"""What the doctor finds: one line for each thing it looks at."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

SUBJECT_WIDTH = 10


class Verdict(StrEnum):
    """How it is. Where something fails, the command does."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """What was looked at, how it is, what was found, and what to do about it."""

    subject: str
    verdict: Verdict
    found: str
    advice: str = ""

    def __str__(self) -> str:
        """One line, though a failure's own text may have several."""
        parts = [" ".join(part.split()).removesuffix(".") for part in (self.found, self.advice)]
        sentences = " ".join(part if part.endswith("?") else f"{part}." for part in parts if part)
        return f"{self.verdict:<4}  {self.subject:<{SUBJECT_WIDTH}}  {sentences}"


def cause_of(error: BaseException) -> str:
    """What lay at the bottom of an error, in its own words."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
