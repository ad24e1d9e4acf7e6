"""chat_api: the chat-completion backend between front ends and language models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter

from chat_api import cli, routes
from chat_api.settings import Settings, load_settings
from chat_api.version import __version__
from chat_api.web import auth, cors, limits, logs, metrics, requests
from chat_api.web import errors as error_replies  # `chat_api.errors` is the tree
from chat_api.web.json import OrjsonProvider
from chat_api.wiring import Services, build_services

__all__ = ["__version__", "create_app"]


class Application(Flask):
    """Flask, told that nothing here is a coroutine, and that no route is a host's."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself. Flask would ask of each one, in each request, whether it is
        asynchronous, which costs more than our own hooks."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the route: by method and path. Flask would read the host's name three times
        for it, and no route asks for a host."""
        if request is None:
            return super().create_url_adapter(None)
        query = request.query_string.decode("latin-1")
        return self.url_map.bind(
            "", default_method=request.method, path_info=request.path, query_args=query
        )


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The application: a table of contents.

    Args:
        settings: what it was told; read from the environment when left out.
        services: what it works with; built from the settings when left out.

    Raises:
        SettingsError: a setting has a bad value.
    """
    settings = settings or load_settings()
    app = Application(__name__, static_folder=None)
    app.config["SETTINGS"] = settings
    services = services or build_services(settings)
    app.extensions[requests.EXTENSION] = services
    app.json = OrjsonProvider(app)
    # Neither redirects nor two names for one route.
    app.url_map.merge_slashes = app.url_map.redirect_defaults = False
    app.url_map.strict_slashes = True

    # Flask runs what comes after a request in reverse: the log line is the last to be set up.
    figures = metrics.init_app(app, services, settings.workers)
    logs.init_app(app, settings.log_format, settings.log_level, figures)
    cors.init_app(app, settings.allow_origins)
    requests.init_app(app, settings.max_body_bytes)
    require_key = auth.require_key(auth.Keys(settings.api_keys))
    auth.init_app(app, routes.init_app(app, require_key), default=require_key)
    limits.init_app(
        app,
        services.limiter,
        routes.uses(app, services.limiter),
        trusted_proxies=settings.trusted_proxies,
    )
    error_replies.init_app(app)
    cli.init_app(app, settings, services)
    return app
