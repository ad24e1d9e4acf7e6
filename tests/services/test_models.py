"""Which names are offered."""

from __future__ import annotations

import pytest

from chat_api.errors import ModelNotFound, UpstreamTimeout
from chat_api.services.models import Models
from chat_api.services.retired import RETIREMENTS, SUCCESSORS
from chat_api.services.routing import Router, Rules
from chat_api.settings import DEFAULT_MODELS
from chat_api.upstreams.ollama import OllamaUpstream
from tests.fakes import FakeUpstream, listed


def models_of(*upstreams: FakeUpstream, offered: tuple[str, ...] = DEFAULT_MODELS) -> Models:
    return Models(Router(upstreams, lambda: upstreams[0], Rules()), offered)


def test_the_list_is_the_setting_and_the_default(upstream: FakeUpstream) -> None:
    models = models_of(upstream)
    assert models.names() == list(DEFAULT_MODELS)
    assert models_of(upstream, offered=("a",)).names() == ["a", "gpt-4o-mini"]
    assert models.aliases() == {name: SUCCESSORS[name] for name in DEFAULT_MODELS[2:]}
    assert upstream.listed == 0


def test_names_that_are_not_allowed_are_left_out(upstream: FakeUpstream) -> None:
    router = Router([upstream], lambda: upstream, Rules(allowed=("gpt-4o*",)))
    assert Models(router, ("gpt-5.5", "gpt-4o")).names() == ["gpt-4o", "gpt-4o-mini"]


def test_live_lists_what_the_upstream_offers(upstream: FakeUpstream) -> None:
    upstream.listing = listed("b", "a")
    assert models_of(upstream, offered=("live",)).names() == ["b", "a", "gpt-4o-mini"]


def test_live_joins_what_all_upstreams_offer(upstream: FakeUpstream) -> None:
    other = FakeUpstream("other")
    upstream.listing, other.listing = listed("a", "b"), listed("b", "c")
    models = models_of(upstream, other, offered=("live",))
    assert models.names() == ["a", "b", "c", "gpt-4o-mini"]
    other.listing = UpstreamTimeout("x")
    assert models_of(upstream, other, offered=("live",)).names() == ["a", "b", "gpt-4o-mini"]


def test_an_upstream_that_cannot_be_asked_offers_nothing(upstream: FakeUpstream) -> None:
    upstream.listing = UpstreamTimeout("x")
    assert models_of(upstream, offered=("live",)).names() == ["gpt-4o-mini"]


def test_objects_join_both_lists(upstream: FakeUpstream) -> None:
    upstream.listing = listed("gpt-4o", "tuned/v1")
    models = models_of(upstream)
    found = {model["id"]: model for model in models.objects()}
    assert found["gpt-4o"]["owned_by"] == "x"
    assert found["o1-mini"] == {
        "id": "o1-mini",
        "object": "model",
        "created": 0,
        "owned_by": "fake",
    }
    assert models.retrieve("tuned/v1")["id"] == "tuned/v1"
    with pytest.raises(ModelNotFound):
        models.retrieve("nope")


def test_a_model_is_found_with_its_upstream_before_it(upstream: FakeUpstream) -> None:
    other = FakeUpstream("other")
    other.implied_suffix = ":latest"
    other.listing = listed("llama3:latest")
    models = models_of(upstream, other)
    for name in ("llama3", "other/llama3", "other/llama3:latest"):
        assert models.retrieve(name)["id"] == "llama3:latest"


def test_aliases_at_ollama_are_openais_names(upstream: FakeUpstream) -> None:
    upstream.default_model = "llama3"
    upstream.answers_for = OllamaUpstream.answers_for
    upstream.implied_suffix = OllamaUpstream.implied_suffix
    upstream.listing = listed("gpt-oss:latest", "llama3:latest")
    models = models_of(upstream)
    assert models.aliases() == dict.fromkeys(DEFAULT_MODELS, "llama3")
    assert upstream.listed == 0
    assert models.retrieve("gpt-oss")["id"] == "gpt-oss:latest"
    assert models.retrieve("llama3")["id"] == "llama3"


def test_a_lone_local_model_answers_for_every_listed_name(upstream: FakeUpstream) -> None:
    upstream.answers_for = ("*",)
    assert models_of(upstream).aliases()["gpt-4"] == "gpt-4o-mini"
    assert upstream.listed == 0


def test_aliases_that_are_set_are_told(upstream: FakeUpstream) -> None:
    router = Router([upstream], lambda: upstream, Rules(aliases={"fast": "gpt-4o-mini"}))
    models = Models(router, ("gpt-4o",))
    assert models.aliases() == {"fast": "gpt-4o-mini"}
    assert models.retrieve("fast")["id"] == "fast"


def test_listed_names_that_openai_shuts_down_have_a_day(upstream: FakeUpstream) -> None:
    days = {"gpt-4o": "2027-01-14", "gpt-4o-mini": "2027-01-14"}
    assert models_of(upstream).retires() == days
    assert models_of(upstream, offered=("gpt-5", "x")).retires() == {
        "gpt-5": "2026-12-11",
        "gpt-4o-mini": "2027-01-14",
    }
    assert upstream.listed == 0


def test_a_model_that_answers_for_openais_names_does_not_retire_with_them(
    upstream: FakeUpstream,
) -> None:
    upstream.default_model = "smollm2-135m"
    upstream.answers_for = ("*",)
    assert models_of(upstream).retires() == {}


def test_a_name_is_gone_or_will_be_and_successors_stay_longer() -> None:
    assert not RETIREMENTS.keys() & SUCCESSORS.keys()
    assert not set(SUCCESSORS.values()) & SUCCESSORS.keys()
