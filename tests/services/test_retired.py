"""What is told of a default model that will be gone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chat_api.services.retired import RETIREMENTS, retirement_warning

DAY = RETIREMENTS["gpt-4o-mini"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (400, None),
        (60, None),
        (59, "in 59 days, on 2027-01-14"),
        (1, "tomorrow, on 2027-01-14"),
        (0, "on 2027-01-14"),
        (-30, "on 2027-01-14"),
    ],
)
def test_it_is_told_from_sixty_days_before(days: int, said: str | None) -> None:
    found = retirement_warning("gpt-4o-mini", DAY - timedelta(days))
    assert found == (said and f"OpenAI retires gpt-4o-mini, the default model, {said}")


def test_a_retired_one_is_told_of_whatever_the_date() -> None:
    found = retirement_warning("gpt-4", date(2020, 1, 1))
    assert found is not None and found.startswith("OpenAI has retired gpt-4, the default model")
    assert "gpt-4o answers" in found


@pytest.mark.parametrize("model", ["llama3", "gpt-5.5", "", "smollm2-135m"])
def test_of_others_nothing_is_told(model: str) -> None:
    assert retirement_warning(model, date(2030, 1, 1)) is None
