"""Everything that can go wrong, as one tree. What a caller is told of it: `web/errors.py`.

ChatApiError                    the root; its text is written for the caller
├── SettingsError               a setting has a bad value: the start stops
├── InvalidRequest              the body or a field of it is wrong
├── BodyTooSlow                 the body drips: nobody waits for it any longer
├── UnsupportedMediaType        the body is not JSON by its Content-Type
├── KeyMissing                  this server wants a key and got none, or a wrong one
├── ModelNotFound               no upstream answers for that model name
├── SessionNotFound             no such session for this caller, or not any more
├── ObjectNotFound              the same of a response, a conversation, an item of `/v1`
├── IdempotencyKeyReused        another request came under that `Idempotency-Key`
├── IdempotencyKeyInUse         the first call under that key has not ended
├── RateLimited                 this caller has made as many calls as it may in a minute
├── StoreUnavailable            what is remembered can be neither read nor written now
├── Overloaded                  this worker has as many calls as it admits, or can count
├── ServerStopping              the time that a stop leaves to calls under way is over
├── NoUpstream                  nothing is set up that could answer
├── NotInstalled                a page needs a package that this server was set up without
├── CallerGone                  the caller left: nobody is there to be told
├── InternalError               a defect of ours; the log has the rest
└── UpstreamError               the upstream did not give an answer
    ├── UpstreamRefused         it judged the request: 400, 404, 409, 413, 422
    │   └── UpstreamRateLimited it said 429
    ├── UpstreamKeyRefused      it said 401 or 403
    ├── UpstreamUnreachable     no connection, or reset before the first byte
    ├── UpstreamTimeout         it stayed silent for too long, or said 408 or 504
    ├── UpstreamOverloaded      it said 503 or 529
    ├── UpstreamCoolingOff      it failed again and again: it is left alone for a while
    ├── UpstreamFailed          it said another 5xx
    └── UpstreamBroken          it answered nonsense, or broke off midway
"""

from __future__ import annotations

from collections.abc import Mapping


class ChatApiError(Exception):
    """The root. `str(error)` is a sentence for the caller: no key, no prompt, no address in it.

    `is_final` says that callers had better not ask again soon.
    """

    is_final = False


class SettingsError(ChatApiError):
    """A setting has a bad value."""


class InvalidRequest(ChatApiError):
    """The body, or the field that `param` names as OpenAI writes it, is wrong."""

    def __init__(self, text: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(text)
        self.param = param
        self.code = code


class BodyTooSlow(ChatApiError):
    """The body did not come in the time that its size allows for."""


class UnsupportedMediaType(ChatApiError):
    """The body is not JSON by its Content-Type."""


class KeyMissing(ChatApiError):
    """No key of this server's came with the request, or a wrong one."""


class ModelNotFound(ChatApiError):
    """No upstream answers for that model name, or the name is not allowed."""


class SessionNotFound(ChatApiError):
    """There is no such session, it expired, or another key made it: nobody is told which."""

    def __init__(self) -> None:
        super().__init__("Session not found")


class ObjectNotFound(ChatApiError):
    """There is no such stored object, it expired, or another key made it: nobody is told which.

    Args:
        kind: what it would be, as the sentence begins: `Response`, say.
        param: the field of the request that names it, where that is not the path.
    """

    def __init__(self, kind: str, object_id: str, param: str | None = None) -> None:
        super().__init__(f"{kind} with id '{object_id[:200]}' not found.")
        self.param = param


class IdempotencyKeyReused(ChatApiError):
    """Another request came under that `Idempotency-Key` before."""

    is_final = True

    def __init__(self) -> None:
        super().__init__(
            "This `Idempotency-Key` was sent with another request before: each needs its own."
        )


class IdempotencyKeyInUse(ChatApiError):
    """The first call under that `Idempotency-Key` has not ended. Its reply may be had soon."""

    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__(
            "The first call with this `Idempotency-Key` has not ended. Please try again."
        )


class RateLimited(ChatApiError):
    """The caller has made as many calls as it may for now; the next may be made after
    `retry_after_seconds`."""

    def __init__(self, limit: int, retry_after_seconds: float) -> None:
        super().__init__(f"Rate limit of {limit} per minute reached. Please try again later.")
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(ChatApiError):
    """The store is locked, full, read-only, damaged or unreachable. What the call was to store
    is not stored, or at least was never acknowledged."""

    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__("This server cannot reach its store now. Please try again.")


class Overloaded(ChatApiError):
    """As many calls are in flight on this worker as it admits, or more than it can count."""

    retry_after_seconds = 1


class ServerStopping(ChatApiError):
    """This server was stopped, and the time that calls under way had left is over."""

    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("This server was stopped before the answer was whole. Please try again.")


class NoUpstream(ChatApiError):
    """No upstream is set up."""


class NotInstalled(ChatApiError):
    """This page needs a package that is not installed."""


class CallerGone(ChatApiError):
    """The caller closed its connection; there is nobody to answer."""


class InternalError(ChatApiError):
    """A defect of ours. What it was is in the log, under the request's id."""


class UpstreamError(ChatApiError):
    """The upstream did not give an answer.

    `retryable` says whether the same request may be sent again before its first byte came;
    `retry_after_seconds` is what the upstream itself asked for, None where it said nothing.
    It is final where we have asked until our tries were spent, or the upstream wants nobody to.
    `headers` are the upstream's, names in lower case, None where it did not come to that.
    """

    retryable = False
    retry_after_seconds: float | None = None
    headers: Mapping[str, str] | None = None


class UpstreamRefused(UpstreamError):
    """The upstream judged the request. Its own words are for the caller.

    `status` is one of 400, 404, 409, 413, 422, 429; `type`, `param` and `code` are OpenAI's
    four-key error's, None where the upstream gave none.
    """

    def __init__(
        self,
        text: str,
        status: int,
        type: str | None = None,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.type = type
        self.param = param
        self.code = code


class UpstreamRateLimited(UpstreamRefused):
    """The upstream's limit for this key is reached, or its quota is used up. `callers_own` says
    whether it is the caller's own key."""

    callers_own = False


class UpstreamKeyRefused(UpstreamError):
    """The upstream refused the key, the caller's own one or ours. `status` is 401 or 403."""

    def __init__(self, text: str, status: int, callers_own: bool) -> None:
        super().__init__(text)
        self.status = status
        self.callers_own = callers_own


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, or it was reset before a byte came back."""

    retryable = True


class UpstreamTimeout(UpstreamError):
    """The upstream stayed silent. Never tried again: it may be working on the answer."""


class UpstreamOverloaded(UpstreamError):
    """The upstream has no room now (503, 529)."""

    retryable = True


class UpstreamCoolingOff(UpstreamError):
    """Nobody who could answer has done so lately, and each is left alone for a while."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("The upstream is cooling off after failures. Please try again.")
        self.retry_after_seconds = retry_after_seconds


class UpstreamFailed(UpstreamError):
    """The upstream failed (5xx)."""

    retryable = True


class UpstreamBroken(UpstreamError):
    """The upstream answered what is no completion, or broke off in the middle of one."""
