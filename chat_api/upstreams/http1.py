"""Reading an HTTP/1.1 response with llhttp's parser, in whatever splits it arrives."""

from __future__ import annotations

import httptools

from chat_api.errors import UpstreamBroken

MAX_HEAD_BYTES = 65_536


class ResponseReader:
    """One response: fed with what the socket brought, it gives back the body's bytes.

    `status` and `headers` (names in lower case, of repeated ones the last) are there once
    `head_complete`; interim responses (1xx) before it are passed over. `complete` when the
    body ended by its own framing.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_complete = False
        self.complete = False
        self.fed = False
        self._keep_alive = False
        self._surplus = False
        self._bare_bytes = 0
        """How many bytes have brought no body since its last piece: head, framing, trailers. What
        is not whole of a header or trailer is kept by httptools, which knows no limit."""
        self._body: list[bytes] = []
        self._ours: int | None = None
        """How many pieces of the body are this response's, once it has ended by its own framing: in
        the same read others may follow."""
        # What httptools calls for each chunk, of which one read may bring a hundred.
        self.on_body = self._body.append
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bytes:
        """Take what one `recv` brought; returns the part of the body in it, in one piece.

        Raises:
            UpstreamBroken: this is no HTTP, or its head or its framing is too large.
        """
        self.fed = True
        if self.complete:  # a second response that nobody asked for: it only ends the connection
            self._surplus = True
            return b""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._ours is None:
                raise UpstreamBroken("The upstream's answer is not HTTP.") from error
            self._surplus = True
        body = b"".join(self._body[: self._ours])
        self._body.clear()
        if body:
            self._bare_bytes = 0
        elif not self.complete:
            self._bare_bytes += len(data)
            if self._bare_bytes > MAX_HEAD_BYTES:
                part = "framing" if self.head_complete else "response header"
                raise UpstreamBroken(f"The upstream's {part} is too large.")
        if self._ours is not None:
            del self._parser  # each holds the other: garbage that waits to be collected
        return body

    def end(self) -> None:
        """The upstream closed the connection.

        Raises:
            UpstreamBroken: in the middle of the response.
        """
        # Of the encodings only chunked says where the body ends (RFC 9112, 6.3).
        encoding = self.headers.get("transfer-encoding", "").lower()
        framed = "content-length" in self.headers or encoding.endswith("chunked")
        if not self.complete and (framed or not self.head_complete):
            raise UpstreamBroken("The upstream broke off in the middle of its answer.")
        self.complete = True
        self._surplus = True  # this connection serves no second request

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self.complete and self._keep_alive and not self._surplus

    # What httptools calls.

    def on_message_begin(self) -> None:
        # A second response that nobody asked for: whatever comes now is not ours.
        self._surplus = self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:  # afterwards come trailers
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self.head_complete = True
            # llhttp forgets it at the end of the message, so it is asked here.
            self._keep_alive = self._parser.should_keep_alive()
        else:
            self.headers.clear()

    def on_message_complete(self) -> None:
        if self.head_complete and not self.complete:
            self.complete = True
            self._ours = len(self._body)
