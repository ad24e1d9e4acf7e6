"""The log: one line a request, on standard output; no key and no prompt in it. What the line
says is counted, too."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import orjson
import structlog
from flask import Flask, Response

from chat_api.web.metrics import Metrics
from chat_api.web.sse import StreamResponse
from chat_api.web.state import request, state


def configure(log_format: str, log_level: str) -> None:
    """Set up structlog: `json` for machines, `console` for people."""
    level = getattr(logging, log_level.upper())
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    factory: Any
    if log_format == "json":
        shared.append(structlog.processors.JSONRenderer(serializer=orjson.dumps))
        factory = structlog.BytesLoggerFactory()  # standard output as it is then
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()))
        factory = structlog.PrintLoggerFactory()
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )


def init_app(app: Flask, log_format: str, log_level: str, metrics: Metrics) -> None:
    """Write the line when the reply is closed: a stream's outcome is known only then."""
    configure(log_format, log_level)
    log = structlog.get_logger().bind()  # bound once: it would be put together for each line

    def after_request(response: Response) -> Response:
        return _log_when_closed(response, log, metrics)

    app.after_request(after_request)


def _log_when_closed(response: Response, log: Any, metrics: Metrics) -> Response:
    here, asked = state(), request()
    record, started = here.record, here.started
    method, status = asked.method, response.status_code
    # The pattern, not the path: a path is the caller's to fill.
    route = asked.url_rule.rule if asked.url_rule else None
    line: dict[str, Any] = {
        "request_id": here.request_id,
        "method": method,
        "route": route,
        "status": status,
    }
    # A stream's reply is made when its first piece is there, or the grace for it is over.
    streamed = isinstance(response, StreamResponse)
    first_piece = time.monotonic() - started if streamed else None

    def write() -> None:
        seconds = time.monotonic() - started
        outcome = record.outcome or ("ok" if status < 400 else "refused")
        metrics.count_request(method, route, status, seconds)
        line["duration_ms"] = round(seconds * 1000, 1)
        if record.upstream is not None:
            metrics.count_call(record, outcome, first_piece)
            line["model"] = record.model
            line["upstream"] = record.upstream
            line["attempts"] = record.attempts
            if record.passed_by:
                line["passed_by"] = record.passed_by
            line["prompt_tokens"] = record.prompt_tokens
            line["completion_tokens"] = record.completion_tokens
        if record.cause:
            line["cause"] = record.cause
        line["outcome"] = outcome
        log.info("request", **line)

    response.call_on_close(write)
    return response
