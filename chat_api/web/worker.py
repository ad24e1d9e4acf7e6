"""Gunicorn's gevent worker, with eight things that it does not do by itself."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from datetime import datetime
from typing import Any

import gevent
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from chat_api.errors import ServerStopping
from chat_api.web import metrics
from chat_api.web.connections import linger
from chat_api.web.errors import told
from chat_api.web.malformed import reply_to_malformed
from chat_api.web.requests import EXTENSION
from chat_api.web.sending import Reply
from chat_api.web.timed_socket import TimedSocket

SPARE_SECONDS = 2
"""Behind the time that streams get to end, before the master kills: for the last words to those
that have not ended, and for the store."""


class Worker(GeventWorker):  # type: ignore[misc]
    """Ends connections on request, answers malformed HTTP in JSON, asks for no body that is refused
    and waits for none that drips, sends heads with bodies, tells those whom it must cut off, drains
    when it is orphaned, and tells the other workers what it is doing."""

    alive: bool
    _leaving_at: float | None = None
    slot: int
    """Where it counts (`web.tallies`); the master has chosen it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._at_work: dict[gevent.Greenlet, socket.socket] = {}
        """Who serves a request now, and the connection it came on."""

    def notify(self) -> None:
        """Give a sign of life. Gunicorn's own leaves at once when the master is gone, and cuts
        every stream; this one takes no more connections and lets them end."""
        if self.alive and self.ppid != os.getppid():
            self.log.warning("The master is gone: worker %s ends its streams and leaves", self.pid)
            self.alive = False
        if not self.alive:
            self._begin_to_leave()
        self.tmp.notify()
        metrics.of(self.wsgi).publish()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM."""
        super().handle_exit(sig, frame)
        self._begin_to_leave()

    def _begin_to_leave(self) -> None:
        if self._leaving_at is None:
            self._leaving_at = time.monotonic()
            gevent.spawn_later(max(0.0, self.cfg.graceful_timeout - SPARE_SECONDS), self._cut_off)

    def _cut_off(self) -> None:
        """End what is still under way, each with an error that its caller is told. Gunicorn would
        kill it without a word. Who does not read cannot be told: its connection is closed."""
        at_work = list(self._at_work.items())
        if at_work:
            self.log.warning("GRACEFUL_TIMEOUT is over: %s calls are cut off", len(at_work))
        for greenlet, sock in at_work:
            if _may_be_written_to(sock):
                gevent.kill(greenlet, ServerStopping())
            else:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Serve; then let what runs in the background end, as long as streams may."""
        super().run()
        now = time.monotonic()
        left = self.cfg.graceful_timeout - (now - (self._leaving_at or now)) - SPARE_SECONDS
        self.wsgi.extensions[EXTENSION].background.end(max(0.0, left))

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request; `wsgi.input` gets a `force_close` (see `web.connections`), and its
        body a deadline."""
        must_linger = False

        def force_close() -> None:
            nonlocal must_linger
            must_linger = True
            req.force_close()

        req.body.force_close = force_close
        if type(req.unreader.sock) is not TimedSocket:
            req.unreader.sock = TimedSocket(sock)
        req.unreader.sock.expect_body(must_ask=req._expected_100_continue)
        req._expected_100_continue = False  # Gunicorn would ask before anybody saw the head
        greenlet = gevent.getcurrent()
        self._at_work[greenlet] = sock
        try:
            self._answer(listener_name, req, sock, addr)
        except (gevent.GreenletExit, SystemExit):
            pass
        finally:
            # The request holds its body, the body `force_close`, and that the request: a cycle,
            # which only the collector would free, and it seldom looks.
            del self._at_work[greenlet], req.body.force_close
            req.unreader.sock.expect_head()
            if must_linger:
                linger(sock)

    def _answer(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Have the application answer. Gunicorn's own method has no place for another response than
        its own; this one does the same but for hooks around each request, of which we have none.

        Raises:
            StopIteration: the connection is to be closed.
        """
        began = datetime.now()
        reply, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, Reply)
        environ["wsgi.multithread"] = True
        self._count_request()
        if not (self.alive and self.cfg.keepalive):
            reply.force_close()
        try:
            body = self.wsgi(environ, reply.start_response)
            try:
                if isinstance(body, environ["wsgi.file_wrapper"]):
                    reply.write_file(body)
                else:
                    for piece in body:
                        reply.write(piece)
                reply.close()
            finally:
                self.log.access(reply, req, environ, datetime.now() - began)
                if hasattr(body, "close"):
                    body.close()
        except OSError:  # the connection's; `handle` tells which are worth a word
            raise
        except (Exception, SystemExit) as error:  # the latter where the master aborts the worker
            if not reply.headers_sent:
                raise
            # A reply has begun: one about the error would only garble it, as would the next one.
            told(error, None)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            raise StopIteration from None
        if reply.should_close():
            raise StopIteration

    def _count_request(self) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no HTTP. Gunicorn would do it by a page in HTML, and log what it could not
        read: a key or a prompt perhaps."""
        # A request that could not be read to the end of its head comes with the error.
        path = getattr(req or getattr(exc, "req", None), "path", None) or ""
        reply = reply_to_malformed(exc, path, self.wsgi.config["SETTINGS"].allow_origins)
        try:
            client.sendall(reply)
            linger(client)
        except OSError:
            self.log.debug("The caller of a malformed request left.")


def _may_be_written_to(sock: socket.socket) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    return bool(poller.poll(0))
