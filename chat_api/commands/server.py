"""A running server, as its callers see it."""

from __future__ import annotations

from collections.abc import Generator

import httpx2
import orjson

from chat_api.commands.findings import cause_of
from chat_api.errors import ChatApiError, UpstreamBroken, UpstreamUnreachable
from chat_api.upstreams.base import JsonObject
from chat_api.upstreams.events import EventDecoder

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""Four heartbeats: nothing at all for so long is nobody there."""


class RunningServer:
    """Somebody's chat_api, spoken to through whatever lies before it.

    Args:
        api_key: one of its keys, where it wants any.
    """

    def __init__(self, url: str, api_key: str | None) -> None:
        self._client = httpx2.Client(
            base_url=url,
            headers={"x-api-key": api_key} if api_key else {},
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,  # a POST would come out of one as a GET
        )

    def get(self, path: str) -> JsonObject:
        """What it says there.

        Raises:
            UpstreamUnreachable: no connection, or none that lasted.
            UpstreamBroken: another status than 200, or no JSON object.
        """
        try:
            reply = self._client.get(path)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UpstreamUnreachable(f"It cannot be reached: {cause_of(error)}") from error
        if reply.status_code != 200:
            raise refusal(reply)
        return _object(reply.content)

    def batches(self, body: JsonObject) -> Generator[list[JsonObject], None, None]:
        """The events of `/chat/stream` until `done`, in the batches in which they come.

        Raises:
            UpstreamUnreachable: no connection.
            UpstreamBroken: another status than 200, an error event, or an end without `done`.
        """
        decoder, answered = EventDecoder(), False
        try:
            with self._client.stream("POST", "/chat/stream", json=body) as reply:
                answered = True
                if reply.status_code != 200:
                    reply.read()
                    raise refusal(reply)
                for piece in reply.iter_bytes():
                    events = [event.data for event in decoder.feed(piece)]
                    if events:
                        yield events
                    if decoder.failure:
                        raise decoder.failure
                    for event in events:
                        if "error" in event:
                            raise UpstreamBroken(str(event["error"]))
                        if event.get("done"):
                            return
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            if not answered:
                raise UpstreamUnreachable(f"It cannot be reached: {cause_of(error)}") from error
            raise UpstreamBroken(f"The connection broke off: {cause_of(error)}") from error
        raise UpstreamBroken("The stream ended without `done`.")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def refusal(reply: httpx2.Response) -> ChatApiError:
    """The error that a status other than 200 stands for; its text is the server's own, if any."""
    status = reply.status_code
    if reply.is_redirect:
        return UpstreamBroken(f"It redirects to {reply.headers.get('location')}: give that address")
    try:
        text = str(_object(reply.content)["error"])
    except (UpstreamBroken, KeyError):
        text = "and no reply of this server's kind"
    return UpstreamBroken(f"It answers with status {status}: {text}")


def _object(raw: bytes) -> JsonObject:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = None
    if type(found) is not dict:
        raise UpstreamBroken("Something else answers there.")
    return found
