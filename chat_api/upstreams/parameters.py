"""Parameters that OpenAI documents and other upstreams have no word for.

Each table has the parameter, and the values of it that ask for nothing: those are honoured by not
sending them. Whoever sends another value is told (`services/parameters.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Ignored = Mapping[str, tuple[Any, ...]]

NONE: Ignored = {}

OPENAIS_OWN: Ignored = {
    "audio": (),
    "function_call": ("auto", "none"),
    "functions": ([],),
    "metadata": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "prediction": (),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "safety_identifier": (),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "stream_options.include_obfuscation": (False,),
    "user": (),
    "verbosity": (),
    "web_search_options": (),
}
"""What only OpenAI's own servers do."""

AT_OLLAMA: Ignored = {
    **OPENAIS_OWN,
    "logit_bias": ({},),
    "parallel_tool_calls": (True,),
    "tool_choice": ("auto", "none"),  # it sends the tools that may be called, and cannot make it
}

AT_LOCAL: Ignored = {**OPENAIS_OWN, "reasoning_effort": ("none",)}

AT_PACKAGED: Ignored = {
    **AT_LOCAL,
    "parallel_tool_calls": (True,),
    "tool_choice": ("auto", "none"),
    "tools": ([],),
}
"""Its template has no place for tools."""
