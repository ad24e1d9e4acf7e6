"""What runs for the length of a command, and what is closed when it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chat_api.settings import Settings
from chat_api.upstream_wiring import local_model_to_start
from chat_api.upstreams import local
from chat_api.wiring import Services


@contextlib.contextmanager
def in_this_process(settings: Settings, services: Services) -> Iterator[None]:
    """The services for use here: the local model started where it may have to answer, as Gunicorn's
    master does it; afterwards all is closed."""
    with contextlib.ExitStack() as stack:
        if model := local_model_to_start(settings):
            started = local.start_local_model(model, local.loopback_port())
            stack.callback(started.close)
        stack.callback(services.database.close)
        if services.limiter.store is not None:
            stack.callback(services.limiter.store.close)
        for upstream in services.router.upstreams:
            stack.callback(upstream.close)
        yield
