"""The names that this server offers."""

from __future__ import annotations

from collections.abc import Sequence

from chat_api.errors import ModelNotFound
from chat_api.services.retired import RETIREMENTS
from chat_api.services.routing import Router
from chat_api.upstreams.base import JsonObject


class Models:
    """What the model routes tell.

    Args:
        offered: what `/models` lists, or `("live",)` for what the upstreams offer.
    """

    def __init__(self, router: Router, offered: Sequence[str]) -> None:
        self._router = router
        self._offered = tuple(offered)

    @property
    def default(self) -> str:
        """What a request without `model` gets."""
        return self._router.default.default_model

    def names(self) -> list[str]:
        """What `/models` lists; the default is always among them."""
        if self._offered == ("live",):
            names = list(self._live())
        else:
            names = [name for name in self._offered if self._router.is_allowed(name)]
        return names if self.default in names else [*names, self.default]

    def objects(self) -> list[JsonObject]:
        """All names as OpenAI's model objects: what the upstreams offer, then what is listed."""
        found = self._live()
        owner = self._router.default.name
        for name in (*self.names(), *self._router.aliases):
            found.setdefault(name, {"id": name, "object": "model", "created": 0, "owned_by": owner})
        return list(found.values())

    def aliases(self) -> dict[str, str]:
        """Names that another model answers for: those that are set, and those among the listed
        ones. Asks nobody."""
        router = self._router
        names = [name for name in self.names() if name != self.default]
        found = {name: router.stand_in(router.default, name, ask=False) for name in names}
        return {name: model for name, model in found.items() if model} | dict(router.aliases)

    def retires(self) -> dict[str, str]:
        """The listed names that OpenAI shuts down, and the day, as in `2027-01-14`. Not those that
        another model answers for already. Asks nobody."""
        aliases = self.aliases()
        return {
            name: RETIREMENTS[name].isoformat()
            for name in self.names()
            if name in RETIREMENTS and name not in aliases
        }

    def retrieve(self, name: str) -> JsonObject:
        """One model object; a name may have its upstream before it, as in `ollama/llama3`.

        Raises:
            ModelNotFound: no such name.
        """
        objects = {model["id"]: model for model in self.objects()}
        for known in self._router.spellings(name):
            if known in objects:
                return objects[known]
        raise ModelNotFound(f"The model `{name[:200]}` does not exist.")

    def _live(self) -> dict[str, JsonObject]:
        """What the upstreams offer, by name; of two that offer the same name the first one's."""
        found: dict[str, JsonObject] = {}
        for upstream in self._router.upstreams:
            for model in self._router.listings[upstream.name].models():
                if self._router.is_allowed(model["id"]):
                    found.setdefault(model["id"], model)
        return found
