"""Model names that are gone, and who answers for them."""

from __future__ import annotations

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
