"""Keys that callers bring in the body of a request: their form, and what they are used for.

Such a key is OpenAI's and goes nowhere else, whoever answers here otherwise. It is used for that
one call and never kept: not stored, not logged, not told in an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from chat_api.errors import InvalidRequest, UpstreamKeyRefused
from chat_api.services.clients import Client
from chat_api.upstreams.base import KeyedUpstream
from chat_api.upstreams.refusals import SHORTEST_KEY

LONGEST_KEY = 512
# A key goes into a header: visible ASCII. One that is too short to be masked in an upstream's words
# is none, and settings let in the patterns that are done soon with so long a one (`backtracking`).
ANY_KEY = re.compile(rf"[\x21-\x7e]{{{SHORTEST_KEY},{LONGEST_KEY}}}")
PROJECT_KEY = re.compile(r"sk-proj-[A-Za-z0-9_-]{156}")

WRONG_FORM = "Invalid API Key format."
PROJECT_FORM = "The key should start with 'sk-proj-' and be 164 characters long."
OTHER_FORM = (
    f"The key should have the form that this server's CLIENT_KEY_PATTERN asks for, in "
    f"{SHORTEST_KEY} to {LONGEST_KEY} visible ASCII characters."
)


class CallerKeys:
    """See the module's text.

    Args:
        pattern: the form of a key, matched whole; None for OpenAI's project keys.
        openai: makes, or finds, the upstream that the keys are for.
    """

    def __init__(
        self, pattern: re.Pattern[str] | None, openai: Callable[[], KeyedUpstream]
    ) -> None:
        self._pattern = pattern or PROJECT_KEY
        # The pattern itself is not told: it may spell out the very keys it lets in.
        self._text = f"{WRONG_FORM} {OTHER_FORM if pattern else PROJECT_FORM}"
        self._openai = openai

    def with_key(self, client: Client, key: str | None) -> Client:
        """The client with this key for its one call; the same client where there is none.

        Raises:
            InvalidRequest: the key has not the right form.
        """
        if key is None:
            return client
        self._check_form(key)
        return replace(client, upstream_key=key, openai_only=True)

    def is_valid(self, key: str, client: Client) -> bool:
        """Whether OpenAI takes this key, by a call that costs nothing.

        Raises:
            InvalidRequest: the key has not the right form; nobody was asked.
            UpstreamError: OpenAI could not be asked, or has been asked too often.
            CallerGone: the caller left meanwhile.
        """
        self._check_form(key)
        try:
            self._openai().check_key(key, client.caller)
        except UpstreamKeyRefused:
            return False
        return True

    def _check_form(self, key: str) -> None:
        if not (ANY_KEY.fullmatch(key) and self._pattern.fullmatch(key)):
            raise InvalidRequest(self._text, "api_key", "invalid_api_key_format")
