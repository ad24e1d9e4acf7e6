"""Who answers for a model's name: docs/routing.md tells the rules to those who run the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from chat_api.errors import ModelNotFound
from chat_api.services.listings import Listing
from chat_api.services.retired import SUCCESSORS
from chat_api.upstreams.base import OPENAI_NAMES, Upstream

OPENAI = "openai"


class Target(NamedTuple):
    """The upstream and the model that are to answer; `alias` is the name asked for, where it
    differs."""

    upstream: Upstream
    model: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What whoever runs the server says of names.

    `allowed` are patterns in the manner of the shell. `aliases` are names for names. `claims` are
    patterns and the upstreams whose models they are. `fallbacks` say who is asked next, by the
    name of the model that failed, `*` for any other.
    """

    allowed: Sequence[str] = ("*",)
    aliases: Mapping[str, str] = field(default_factory=dict)
    claims: Sequence[tuple[str, str]] = ()
    fallbacks: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Router:
    """Finds the targets of a call.

    Args:
        upstreams: those who answer, the default one first.
        openai: finds, or makes, the one that callers' own keys go to; may be one of them.
    """

    def __init__(
        self, upstreams: Sequence[Upstream], openai: Callable[[], Upstream], rules: Rules
    ) -> None:
        self.default = upstreams[0]
        self.upstreams = tuple(upstreams)
        self.aliases = rules.aliases
        self.listings = {each.name: Listing(each) for each in upstreams}
        self._by_name = {each.name: each for each in upstreams}
        self._openai = openai
        self._rules = rules

    def route(
        self, name: str | None, *, openai_only: bool = False, ask: bool = True
    ) -> tuple[Target, ...]:
        """Who answers for a name, and who is asked next where that fails.

        Args:
            openai_only: the call carries a key that nobody else may see.
            ask: upstreams may be asked what they list; else their last lists count.

        Raises:
            ModelNotFound: the name is not allowed.
        """
        upstream = self._openai() if openai_only else self.default
        asked = name or upstream.default_model
        meant = self.aliases.get(asked, asked)
        if openai_only:
            prefix = f"{upstream.name}/"
            first = self._target(asked, upstream, meant.removeprefix(prefix), ask=ask)
        elif meant == upstream.default_model:
            first = self._target(asked, upstream, meant, ask=ask)
        else:
            first = self._target(asked, *self._find(meant, ask=ask), ask=ask)
        if name and not self._may_answer(first, name):
            raise ModelNotFound(f"The model `{name[:200]}` does not exist or is not allowed here.")
        if openai_only or not self._rules.fallbacks:
            return (first,)
        return (first, *self._fallbacks(asked, first))

    def is_allowed(self, name: str) -> bool:
        """Whether that name may be asked for; the default one always may."""
        rules = self._rules.allowed
        return name == self.default.default_model or _fits(name, rules)

    def stand_in(self, upstream: Upstream, name: str, *, ask: bool = True) -> str | None:
        """The model of that upstream that answers in place of a name, None where the name stands
        for itself.

        Args:
            ask: as in `route`.
        """
        rules = upstream.answers_for
        if "*" in rules:
            return upstream.default_model
        if upstream is self.default and _fits(name, rules):
            model = upstream.default_model
        elif name in SUCCESSORS:
            model = SUCCESSORS[name]
        else:
            return None
        listing = self.listings.get(upstream.name)  # who is there for callers' keys has none
        is_listed = listing and (listing.has(name) if ask else listing.had(name))
        return None if is_listed else model

    def spellings(self, name: str) -> tuple[str, ...]:
        """How the listed model that is meant by a name may be written there."""
        upstream, rest = self._find(name, ask=True)
        return name, rest, rest + upstream.implied_suffix

    def _may_answer(self, target: Target, name: str) -> bool:
        """Whether the name is allowed, or the model that it is another name for. Not for one that
        is answered only because the default model answers for any such name."""
        if self.is_allowed(name):
            return True
        answers_for_any = _fits(name, target.upstream.answers_for)
        return self.is_allowed(target.model) and not answers_for_any

    def _target(self, asked: str, upstream: Upstream, name: str, *, ask: bool) -> Target:
        model = self.stand_in(upstream, name, ask=ask) or name
        return Target(upstream, model, None if model == asked else asked)

    def _find(self, name: str, *, ask: bool) -> tuple[Upstream, str]:
        """The upstream whose a name is, and the name without its prefix."""
        is_alone = len(self.upstreams) == 1
        if is_alone and "*" in self.default.answers_for:
            return self.default, name
        prefix, slash, rest = name.partition("/")
        prefixed = self._by_name.get(prefix) if slash and rest else None
        if prefixed is None and prefix == OPENAI and rest:
            prefixed = self._openai()
        if prefixed is None and is_alone:
            return self.default, name  # no other is there: nobody needs to be asked
        # Some have names of models with such a prefix of their own: openai/gpt-oss-20b, say.
        if owner := self._claimer(name) or self._lister(name, ask):
            return owner, name
        if prefixed is not None:
            return prefixed, rest
        is_openais = _fits(name, OPENAI_NAMES)
        return (self._by_name.get(OPENAI, self.default) if is_openais else self.default), name

    def _claimer(self, name: str) -> Upstream | None:
        found = (owner for rule, owner in self._rules.claims if fnmatchcase(name, rule))
        return self._by_name[owner] if (owner := next(found, None)) else None

    def _lister(self, name: str, ask: bool) -> Upstream | None:
        for upstream in self.upstreams:
            listing = self.listings[upstream.name]
            if listing.has(name) if ask else listing.had(name):
                return upstream
        return None

    def _fallbacks(self, asked: str, first: Target) -> list[Target]:
        """Who is asked next: by the name asked for, by the model, by both its names, or by `*`.
        Nobody is asked for lists here: most calls need no fallback."""
        chains = self._rules.fallbacks
        keys = (asked, first.model, f"{first.upstream.name}/{first.model}", "*")
        chain = next((chains[key] for key in keys if key in chains), ())
        names = [self.aliases.get(name, name) for name in chain]
        found = [self._target(asked, *self._find(name, ask=False), ask=False) for name in names]
        return [target for target in found if target[:2] != first[:2]]


def _fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of the patterns, in the manner of the shell."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
