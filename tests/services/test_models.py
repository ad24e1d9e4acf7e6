"""Which model answers for a name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat_api.errors import ModelNotFound, UpstreamTimeout
from chat_api.services.models import SUCCESSORS, Models
from chat_api.settings import DEFAULT_MODELS
from chat_api.upstreams.ollama import OllamaUpstream
from tests.fakes import FakeUpstream


def listed(*names: str) -> list[dict[str, object]]:
    return [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in names]


@pytest.fixture
def models(upstream: FakeUpstream) -> Models:
    return Models(upstream, DEFAULT_MODELS, ("*",))


@pytest.mark.parametrize("name", [None, "", "gpt-4o-mini"])
def test_no_name_means_the_default(models: Models, name: str | None) -> None:
    choice = models.choose(name)
    assert (choice.model, choice.alias) == ("gpt-4o-mini", None)


def test_an_unknown_name_is_the_upstreams_to_judge(models: Models) -> None:
    assert models.choose("my-finetune").model == "my-finetune"


@pytest.mark.parametrize("name", ["gpt-3.5-turbo", "gpt-4", "o1-preview"])
def test_a_retired_name_is_answered_by_its_successor(models: Models, name: str) -> None:
    choice = models.choose(name)
    assert (choice.model, choice.alias) == (SUCCESSORS[name], name)


def test_a_retired_name_that_the_upstream_lists_is_its_own(
    models: Models, upstream: FakeUpstream
) -> None:
    upstream.listing = listed("gpt-4")
    assert models.choose("gpt-4").alias is None
    assert models.choose("gpt-3.5-turbo").alias == "gpt-3.5-turbo"
    assert upstream.listed == 1, "the list is kept for a while"


def test_no_successor_is_retired_itself() -> None:
    assert not set(SUCCESSORS.values()) & set(SUCCESSORS)


def test_a_lone_local_model_answers_every_name(models: Models, upstream: FakeUpstream) -> None:
    upstream.answers_for = ("*",)
    choice = models.choose("gpt-99")
    assert (choice.model, choice.alias) == ("gpt-4o-mini", "gpt-99")
    assert models.aliases()["gpt-4"] == "gpt-4o-mini"
    assert upstream.listed == 0


@pytest.fixture
def ollama(upstream: FakeUpstream) -> FakeUpstream:
    """An upstream that answers for names as Ollama does."""
    upstream.default_model = "llama3"
    upstream.answers_for = OllamaUpstream.answers_for
    upstream.implied_suffix = OllamaUpstream.implied_suffix
    upstream.listing = listed("llama3:latest", "gpt-oss:latest", "mistral:7b")
    return upstream


@pytest.mark.parametrize("name", ["gpt-4o", "o1-mini", "o3", "o4-mini", "chatgpt-4o-latest"])
def test_ollama_answers_for_openais_names(models: Models, ollama: FakeUpstream, name: str) -> None:
    choice = models.choose(name)
    assert (choice.model, choice.alias) == ("llama3", name)


@pytest.mark.parametrize("name", ["gpt-oss", "gpt-oss:latest"])
def test_but_not_for_those_that_it_lists(models: Models, ollama: FakeUpstream, name: str) -> None:
    assert (models.choose(name).model, models.choose(name).alias) == (name, None)
    assert models.choose("gpt-oss:120b").alias == "gpt-oss:120b"


@pytest.mark.parametrize("name", ["mistral", "mistral:7b", "claude-opus", "omni", "llama3:latest"])
def test_other_names_are_ollamas_to_judge(models: Models, ollama: FakeUpstream, name: str) -> None:
    assert (models.choose(name).model, models.choose(name).alias) == (name, None)
    assert ollama.listed == 0


def test_ollama_that_cannot_be_asked_answers_for_openais_names(
    models: Models, ollama: FakeUpstream
) -> None:
    ollama.listing = UpstreamTimeout("x")
    assert models.choose("gpt-4o").model == "llama3"


def test_aliases_at_ollama_are_openais_names(models: Models, ollama: FakeUpstream) -> None:
    assert models.aliases() == dict.fromkeys(DEFAULT_MODELS, "llama3")
    assert ollama.listed == 0
    assert models.retrieve("gpt-oss")["id"] == "gpt-oss:latest"
    assert models.retrieve("llama3")["id"] == "llama3"


def test_names_that_are_not_allowed_are_not_found(upstream: FakeUpstream) -> None:
    models = Models(upstream, ("gpt-5.5", "gpt-4o"), ("gpt-4o*",))
    assert models.choose("gpt-4").model == "gpt-4o"  # the one that answers is allowed
    for name in ("gpt-5.5", "o1"):
        with pytest.raises(ModelNotFound):
            models.choose(name)
    assert models.names() == ["gpt-4o", "gpt-4o-mini"]


def test_the_list_is_the_setting_and_the_default(models: Models, upstream: FakeUpstream) -> None:
    assert models.names() == list(DEFAULT_MODELS)
    assert Models(upstream, ("a",), ("*",)).names() == ["a", "gpt-4o-mini"]
    assert models.aliases() == {name: SUCCESSORS[name] for name in DEFAULT_MODELS[2:]}
    assert upstream.listed == 0


def test_live_lists_what_the_upstream_offers(upstream: FakeUpstream) -> None:
    upstream.listing = listed("b", "a")
    assert Models(upstream, ("live",), ("*",)).names() == ["b", "a", "gpt-4o-mini"]


def test_an_upstream_that_cannot_be_asked_offers_nothing(upstream: FakeUpstream) -> None:
    upstream.listing = UpstreamTimeout("x")
    models = Models(upstream, ("live",), ("*",))
    assert models.names() == ["gpt-4o-mini"]
    assert models.choose("gpt-4").model == "gpt-4o"
    assert upstream.listed == 1, "not asked again at once"


def test_objects_join_both_lists(models: Models, upstream: FakeUpstream) -> None:
    upstream.listing = listed("gpt-4o", "tuned/v1")
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


def test_who_asks_while_the_first_list_is_on_its_way_waits_for_it(upstream: FakeUpstream) -> None:
    asked = threading.Event()

    class Slow(FakeUpstream):
        def models(self) -> list[dict[str, object]]:
            asked.wait(5)
            return super().models()

    slow = Slow()
    slow.listing = listed("gpt-4")
    models = Models(slow, DEFAULT_MODELS, ("*",))
    with ThreadPoolExecutor(3) as pool:
        chosen = [pool.submit(models.choose, "gpt-4") for _ in range(3)]
        asked.set()
    assert [choice.result().model for choice in chosen] == ["gpt-4"] * 3
    assert slow.listed == 1
