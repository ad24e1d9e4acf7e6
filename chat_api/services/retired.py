"""Model names that are gone or will be, when, and who answers for them."""

from __future__ import annotations

from datetime import date

SUCCESSORS = {
    # Shut down for good, by OpenAI's deprecation notes (the SDK's `ChatModel` repeats the dates).
    # 2024 and 2025:
    "gpt-3.5-turbo-0301": "gpt-4o-mini",
    "gpt-3.5-turbo-0613": "gpt-4o-mini",
    "gpt-3.5-turbo-16k": "gpt-4o-mini",
    "gpt-3.5-turbo-16k-0613": "gpt-4o-mini",
    "gpt-4-32k": "gpt-4o",
    "gpt-4-32k-0314": "gpt-4o",
    "gpt-4-32k-0613": "gpt-4o",
    "gpt-4-vision-preview": "gpt-4o",
    "o1-preview": "gpt-5.4",
    "o1-preview-2024-09-12": "gpt-5.4",
    "o1-mini": "gpt-5.4-mini",
    "o1-mini-2024-09-12": "gpt-5.4-mini",
    # 2026:
    "chatgpt-4o-latest": "gpt-4o",
    "gpt-3.5-turbo": "gpt-4o-mini",
    "gpt-3.5-turbo-0125": "gpt-4o-mini",
    "gpt-3.5-turbo-1106": "gpt-4o-mini",
    "gpt-4": "gpt-4o",
    "gpt-4-0125-preview": "gpt-4o",
    "gpt-4-0314": "gpt-4o",
    "gpt-4-0613": "gpt-4o",
    "gpt-4-1106-preview": "gpt-4o",
    "gpt-4-turbo": "gpt-4o",
    "gpt-4-turbo-2024-04-09": "gpt-4o",
    "gpt-4-turbo-preview": "gpt-4o",
    "gpt-4.1-nano": "gpt-4.1-mini",
    "gpt-4.1-nano-2025-04-14": "gpt-4.1-mini",
    "gpt-4o-2024-05-13": "gpt-4o",
    "o1": "gpt-5.4",
    "o1-2024-12-17": "gpt-5.4",
    "o3-mini": "gpt-5.4-mini",
    "o3-mini-2025-01-31": "gpt-5.4-mini",
    "o4-mini": "gpt-5.4-mini",
    "o4-mini-2025-04-16": "gpt-5.4-mini",
}
"""Retired names and the models that answer for them. No clock: a name is put in here when it
is gone. Not applied where the upstream lists the name itself."""

_DECEMBER, _JANUARY, _APRIL = date(2026, 12, 11), date(2027, 1, 14), date(2027, 4, 1)

RETIREMENTS = {
    "gpt-5": _DECEMBER,
    "gpt-5-2025-08-07": _DECEMBER,
    "gpt-5-mini": _DECEMBER,
    "gpt-5-mini-2025-08-07": _DECEMBER,
    "gpt-5-nano": _DECEMBER,
    "gpt-5-nano-2025-08-07": _DECEMBER,
    "o3": _DECEMBER,
    "o3-2025-04-16": _DECEMBER,
    "gpt-4.1": _JANUARY,
    "gpt-4.1-2025-04-14": _JANUARY,
    "gpt-4.1-mini": _JANUARY,
    "gpt-4.1-mini-2025-04-14": _JANUARY,
    "gpt-4o": _JANUARY,
    "gpt-4o-2024-08-06": _JANUARY,
    "gpt-4o-2024-11-20": _JANUARY,
    "gpt-4o-mini": _JANUARY,
    "gpt-4o-mini-2024-07-18": _JANUARY,
    "gpt-audio-mini": date(2027, 1, 20),
    "gpt-audio-mini-2025-12-15": date(2027, 1, 20),
    "gpt-5.1": _APRIL,
    "gpt-5.1-2025-11-13": _APRIL,
    "gpt-5.4-nano": _APRIL,
    "gpt-5.4-nano-2026-03-17": _APRIL,
}
"""The days on which OpenAI shuts models down, by the same notes. A name whose day has come is put
into `SUCCESSORS`."""

SOON_DAYS = 60


def retirement_warning(model: str, today: date) -> str | None:
    """What to tell whoever runs the server with a default model that is gone, or will be within
    `SOON_DAYS`; None where there is nothing to tell. Without a full stop."""
    if model in SUCCESSORS:
        successor = f"{SUCCESSORS[model]} answers where it is not listed any more"
        return f"OpenAI has retired {model}, the default model; {successor}"
    day = RETIREMENTS.get(model)
    days = (day - today).days if day else SOON_DAYS
    if days >= SOON_DAYS:
        return None
    left = f"in {days} days, " if days > 1 else "tomorrow, " if days == 1 else ""
    return f"OpenAI retires {model}, the default model, {left}on {day}"
