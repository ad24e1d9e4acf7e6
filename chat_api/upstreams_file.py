"""`UPSTREAMS_FILE`: further upstreams, names for models, and who is asked when one fails (TOML).

docs/routing.md has an example with every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from chat_api import setting_forms
from chat_api.errors import SettingsError

BUILT_IN = ("openai", "ollama", "local", "mock", "none")
UPSTREAM_NAME = r"[a-z0-9][a-z0-9_-]{0,63}\Z"
KEY = r"[\x21-\x7e]+\Z"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*\Z"


@dataclass(frozen=True, kw_only=True)
class NamedUpstream:
    """An OpenAI-compatible server. Its name is the prefix of its models, and `x-upstream`."""

    name: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    models: tuple[str, ...] = ()
    """Names and patterns that go to it without anybody being asked who lists them."""
    context_tokens: int | None = None
    timeout_seconds: float | None = None
    answers_one_choice: bool = False


@dataclass(frozen=True, kw_only=True)
class UpstreamsFile:
    """What the file says."""

    upstreams: tuple[NamedUpstream, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cooldown_failures: int = 3
    """Failed calls in a row after which an upstream is left alone where there is another."""
    cooldown_seconds: float = 30.0

    def mentions(self, upstream: str) -> bool:
        """Whether an alias or a fallback names a model of that upstream by its prefix."""
        return upstream in self.prefixes()

    def prefixes(self) -> set[str]:
        """What stands before the first slash in aliases and fallbacks."""
        named = chain.from_iterable((self.aliases.values(), *self.fallbacks.values()))
        return {name.partition("/")[0] for name in named if "/" in name}


class _Strict(Schema):
    class Meta:
        unknown = RAISE


def _url(value: str) -> None:
    """Of the same form as in the environment."""
    try:
        setting_forms.url(value)
    except ValueError as error:
        raise ValidationError("wanted: an http:// or https:// URL without a user name") from error


def _like(pattern: str, wanted: str) -> validate.Regexp:
    return validate.Regexp(pattern, error=f"wanted: {wanted}")


NAME = "lower-case letters, digits, - and _"
_model = fields.String(validate=_like(r".+", "the name of a model"))
_models = fields.List(_model, validate=validate.Length(min=1, error="wanted: one name or more"))
_name = fields.String(
    validate=[
        _like(UPSTREAM_NAME, NAME),
        validate.NoneOf(BUILT_IN, error="wanted: another name, this one is built in"),
    ]
)


class _UpstreamSchema(_Strict):
    base_url = fields.String(required=True, validate=_url)
    api_key = fields.String(validate=_like(KEY, "a key of visible ASCII"))
    api_key_env = fields.String(validate=_like(VARIABLE, "the name of a variable"))
    models = _models
    context_tokens = fields.Integer(strict=True, validate=validate.Range(1))
    timeout_seconds = fields.Float(validate=validate.Range(0.1, 86_400))
    answers_one_choice = fields.Boolean(truthy={True}, falsy={False})


class _CooldownSchema(_Strict):
    failures = fields.Integer(strict=True, validate=validate.Range(1))
    seconds = fields.Float(validate=validate.Range(0, 86_400))


class _FileSchema(_Strict):
    upstreams = fields.Dict(_name, fields.Nested(_UpstreamSchema))
    aliases = fields.Dict(fields.String(), _model)
    fallbacks = fields.Dict(fields.String(), _models)
    cooldown = fields.Nested(_CooldownSchema)


def read_upstreams_file(path: str, environment: Callable[[str], str]) -> UpstreamsFile:
    """The file's content, checked.

    Args:
        environment: the value of a variable, "" where it is not set; for `api_key_env`.

    Raises:
        SettingsError: it cannot be read, or something in it is wrong; one line that names it.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        found = _FileSchema().load(given)
    except (OSError, UnicodeDecodeError) as error:
        text = "UPSTREAMS_FILE cannot be read; wanted: the path of a TOML file in UTF-8"
        raise SettingsError(text) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"UPSTREAMS_FILE is not valid TOML: {error}") from None
    except ValidationError as error:
        raise SettingsError(f"UPSTREAMS_FILE: {_first(error.messages)}") from None
    aliases = found.get("aliases", {})
    if cycle := [name for name, target in aliases.items() if target in aliases]:
        raise SettingsError(f"UPSTREAMS_FILE: aliases.{cycle[0]} names another alias")
    cooldown = found.get("cooldown", {})
    return UpstreamsFile(
        upstreams=tuple(
            _named(name, values, environment) for name, values in found.get("upstreams", {}).items()
        ),
        aliases=aliases,
        fallbacks={name: tuple(models) for name, models in found.get("fallbacks", {}).items()},
        cooldown_failures=cooldown.get("failures", UpstreamsFile.cooldown_failures),
        cooldown_seconds=cooldown.get("seconds", UpstreamsFile.cooldown_seconds),
    )


def _named(
    name: str, values: Mapping[str, Any], environment: Callable[[str], str]
) -> NamedUpstream:
    if {"api_key", "api_key_env"} <= values.keys():
        raise SettingsError(f"UPSTREAMS_FILE: upstreams.{name}: api_key and api_key_env, not both")
    options = {key: value for key, value in values.items() if key != "api_key_env"}
    options["base_url"] = values["base_url"].rstrip("/")
    options["models"] = tuple(values.get("models", ()))
    if variable := values.get("api_key_env"):
        options["api_key"] = environment(variable)
        if not re.match(KEY, options["api_key"]):
            where = f"upstreams.{name}.api_key_env"
            raise SettingsError(f"UPSTREAMS_FILE: {where}: {variable} is not set to a key")
    return NamedUpstream(name=name, **options)


def _first(messages: Any) -> str:
    """The first thing that is wrong, with its path. No value: it may be a key."""
    path = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if key != "_schema":  # its word for a table as a whole
            path.append(str(key))
    del path[2:3]  # "key" or "value": marshmallow's words for the sides of a mapping
    return f"{'.'.join(path)}: {messages[0]}"
