"""How many answers may be under way at once in a worker."""

from __future__ import annotations

from chat_api.errors import Overloaded


class Admissions:
    """Lets calls in.

    Args:
        most: answers that may be under way at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.in_flight = 0
        """Answers that were admitted and have not ended."""

    def admit(self, n: int = 1) -> Admission:
        """Let a call in that wants `n` answers: it counts for as many, since each may take a call
        upstream. One that is alone is let in however many it wants.

        Raises:
            Overloaded
        """
        if self.in_flight and self.in_flight + n > self._most:
            raise Overloaded("This server has all hands full. Please try again.")
        return Admission(self, n)


class Admission:
    """What a call that was let in counts for, until it is released."""

    def __init__(self, admissions: Admissions, n: int) -> None:
        self._admissions = admissions
        self._n = n
        admissions.in_flight += n

    def release(self) -> None:
        """The call has ended. May be called twice: a stream releases what it was given, and who
        gave it cannot know whether it came to a stream."""
        n, self._n = self._n, 0
        self._admissions.in_flight -= n
